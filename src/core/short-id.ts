/** `billing#42`: how people name a release. The number counts the releases of the installation, in the order of their creation. */
export const shortIdOf = (product: string, number: number): string => `${product}#${number}`;

/** @returns null for text of another form */
export function parseShortId(text: string): { product: string; number: number } | null {
  const [, product, number] = /^([a-z0-9-]{1,253})#([1-9]\d{0,14})$/.exec(text) ?? [];
  return product === undefined ? null : { product, number: Number(number) };
}
