export interface WhereSearch {
  /** Part of a name. */
  product?: string;
  environment?: string;
  /** The environment that all others are compared with. */
  compareTo?: string;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;

export const whereSearch = (typed: Record<string, unknown>): WhereSearch => ({
  product: text(typed['product']),
  environment: text(typed['environment']),
  compareTo: text(typed['compareTo']),
});
