import type { Between } from './between.ts';

/** Where an application of the trigger environment stands, or is to be taken from. */
export interface Revision {
  /** Of its branch; the newest one when there is no version either. */
  commit?: string;
  /** Of a driver without files. */
  version?: string;
  /**
   * Counts how often the branch left the commits that it had (a force push, a revert): a commit that comes back then is another
   * change. 0 when left out.
   */
  epoch?: number;
}

/** Application of the trigger environment → its revision. */
export type TriggerState = Record<string, Revision>;

/** What may become a release: one state of the trigger environment, on its way along one flow. */
export interface Candidate {
  product: string;
  flow: string;
  environment: string;
  /** Its flow is made for it, and saved nowhere. */
  between?: Between;
  /** A caller who asks for the newest may leave revisions open: they are known once they are pinned. */
  state: TriggerState;
}

/**
 * The same text for the same product, flow and state, whatever tells of it and in whatever order, and for nothing else. The
 * environment is the flow's. As long as the state: a table keeps a digest of it.
 */
export function candidateKey({ product, flow, state }: Pick<Candidate, 'product' | 'flow' | 'state'>): string {
  const applications = Object.keys(state).sort();
  const revisions = applications.map((each) => {
    const { commit = null, version = null, epoch = 0 } = state[each]!;
    return [each, commit, version, epoch];
  });
  return JSON.stringify([product, flow, revisions]);
}

/**
 * COALESCING: further pushes may still belong to it. WAITING: the trigger environment does not run it healthily yet, or triggers are
 * paused; it says for what. RELEASED: there is a release. SUPERSEDED: a newer state came first. REFUSED: no release can be made of it,
 * and it says why. DISMISSED: a person said so. FAILED: it could not be made in time.
 */
export const CANDIDATE_STATUSES = [
  'COALESCING',
  'WAITING',
  'RELEASED',
  'SUPERSEDED',
  'REFUSED',
  'DISMISSED',
  'FAILED',
] as const;
export type CandidateStatus = (typeof CANDIDATE_STATUSES)[number];
