import { textOf } from '../parts/address.ts';

/** What the address of the list says. */
export interface FlowsSearch {
  search?: string;
  after?: string;
}

export const flowsSearch = ({ search, after }: Record<string, unknown>): FlowsSearch => ({
  search: textOf(search),
  after: textOf(after),
});
