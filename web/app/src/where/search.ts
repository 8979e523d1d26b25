import { textOf } from '../parts/address.ts';

export interface WhereSearch {
  /** Part of a name. */
  product?: string;
  environment?: string;
  /** The environment that all others are compared with. */
  compareTo?: string;
}

export const whereSearch = (typed: Record<string, unknown>): WhereSearch => ({
  product: textOf(typed['product']),
  environment: textOf(typed['environment']),
  compareTo: textOf(typed['compareTo']),
});
