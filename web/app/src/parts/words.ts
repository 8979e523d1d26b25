/** `ROLLED_BACK` as people write it: `Rolled back`. Works for values that a later server adds. */
export function toWords(name: string): string {
  const words = name.replaceAll('_', ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What the API says of `name`, where the name stands beside it already. */
export const without = (name: string | undefined, message: string): string =>
  name !== undefined && message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message;

/** `3 environments`, `1 environment`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
