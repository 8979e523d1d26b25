import type { Maker } from '../caller.ts';
import type { Between } from './between.ts';

/**
 * How a release comes about. Each step answers a value that the next one takes, and each value has a key by which it is known again:
 *
 * | value | is | its key |
 * | --- | --- | --- |
 * | Change | something arrived, or a caller asks | of a person: their idempotency key, if they gave one |
 * | Candidate | what may become a release of it | product, flow and state of the trigger environment: `candidateKey` |
 * | Pinned | the version, with its content | its digest |
 * | Planned | everything that the release freezes | the flow at its revision, with the version |
 * | Release | what is made of it, once | its id |
 *
 * Up to Planned nothing is written, so any of it may be done again. A release that a caller asks for is made once per change: asking
 * twice makes two. One that Sluice makes by itself is made once per candidate, however many changes tell of it.
 */
export interface Change {
  kind: 'MANUAL' | NewsKind;
  product: string;
  /** The flow that it has to travel; chosen by the rules when left out. */
  flow?: string;
  /** Two environments instead of a flow. */
  between?: Between;
  /** The commit of the trigger environment to release; the newest one when left out. */
  commit?: string;
  /** For drivers without files: the version itself. */
  version?: string;
  /** Who asked for it, and who stands behind that credential; of a change that arrived: the user who is its author, where that is known. */
  by: string | null;
  makers: readonly Maker[];
  /** Of a change that arrived by itself. */
  news?: News;
}

/**
 * How a change was noticed: PUSH, MERGE: a host told of a push or of a merged pull request. POLL: a look at the repository found it.
 * DEPLOYMENT: somebody reported what the trigger environment runs. ARGO_CD: Argo CD did.
 */
export const NEWS_KINDS = ['PUSH', 'MERGE', 'POLL', 'DEPLOYMENT', 'ARGO_CD'] as const;
export type NewsKind = (typeof NEWS_KINDS)[number];

/** What is known of a change that arrived by itself. */
export interface News {
  candidate: string;
  /** As the commit says it. */
  author?: string;
  branch?: string;
  /** What came since the last release of this kind, newest first; bounded. */
  commits: CommitNote[];
  /** Instances of Sluice that this change went through before: see `MOST_CHAINED`. */
  chain?: number;
}

/** One commit in the notes of a release. */
export interface CommitNote {
  application: string;
  commit: string;
  /** `NAME <ADDRESS>`. */
  author: string;
  /** The first line of its message. */
  subject: string;
  /** ISO 8601, UTC. */
  date: string;
}

/** As the release keeps it. MANUAL: a person or a program asked for it. ROLLBACK: it takes another one back; the others came by themselves. */
export interface Trigger {
  kind: Change['kind'] | 'ROLLBACK';
  actor: string | null;
  commit?: string;
  makers?: readonly Maker[];
  news?: News;
}

/** The change as the release keeps it, for good. */
export function triggerOf({ kind, by: actor, commit, makers, news }: Change): Trigger {
  return { kind, actor, commit, ...(makers.length > 0 && { makers }), ...(news && { news }) };
}
