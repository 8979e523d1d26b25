/** By what a change of a repository was noticed. */
export type Via = 'PUSH' | 'MERGE' | 'POLL' | 'ARGO_CD' | 'DEPLOYMENT';

/** What a hint is about: a branch that may have moved, or a pull request that may have changed. */
export type HintKind = 'PUSH' | 'PULL_REQUEST';

/** Of several reasons for one look the one that says most. */
const TELLING: readonly Via[] = ['MERGE', 'PUSH', 'ARGO_CD', 'DEPLOYMENT', 'POLL'];

export const mostTelling = (vias: Iterable<Via>): Via => {
  const given = new Set(vias);
  return TELLING.find((each) => given.has(each)) ?? 'POLL';
};
