/**
 * What a decision asks for besides its new state: work for the hands, as ids and plain data. It never says what should happen,
 * so its worker looks at the state first.
 *
 * A kind of work is described here, asked for where the core decides it (`draft.work`), and done in `jobs/effects.ts`. Whatever
 * lies between (the save, the outbox, the queue, the sweep) reads these two tables and knows no kind by name.
 */
export interface Effects {
  /** Environments that begin, or go on, together: a job for each, and one that joins them where a group is to be asked. */
  dispatch: { promotions: Dispatched[]; join: boolean };
  /** The health of a group's members is to be asked once more. */
  'ask-group': { group: number; generation: number };
  /** A policy says what goes back when this promotion fails. `at`: when it failed. `cause`: FAILED when absent. */
  'roll-back': {
    promotion: number;
    attempt: number;
    reason: string;
    at: number;
    cause?: 'NOT_SYNCED' | 'HOOK' | 'MERGED_OUTSIDE_GATES';
  };
  /** A policy wants to know whether this environment stays healthy until then. */
  observe: { promotion: number; attempt: number; until: number };
  /** The commit statuses of its pull requests are not what they should be any more, or another request was opened or merged. */
  'tell-merge': { promotion: number; attempt: number; generation: number };
  /** The hosts of its trigger environment's commits are told how the release goes, from now on. `since`: when it went on after its end; absent: from its start. */
  'tell-commit': { since?: number };
  /** What runs of these promotions has to stop: the release is terminating, or their time is over. */
  abort: { promotions: number[] };
  /**
   * Something for the outside world that has to be done although the promotion, or the release, may be over by then. `name`: of
   * its runner. `of`: tells it from others of that name in this release. `about`: what people read while it is not done, in words.
   * `promotion`: a reader who may not see that one does not see the errand; null: the release's own. `data`: plain JSON for the runner.
   */
  errand: { name: string; of: string; about: string; promotion: number | null; data: unknown };
}

/** An environment that is given to a job. */
export interface Dispatched {
  promotion: number;
  attempt: number;
  dispatch: number;
  /** The join above it asks a group: its job ends with it, for what comes after would hold the question up. Rows of Sluice 0.1 do not say so. */
  joined?: boolean;
}

/** Every kind of work, by name. */
export type WorkKind = keyof Effects;

/** All times in milliseconds since the epoch, UTC; promotions and groups by their place in the plan. */
export type Work<K extends WorkKind = WorkKind> = { [Each in K]: { kind: Each } & Effects[Each] }[K];

/** How work travels, and what becomes of it when it is lost. */
export type Lane =
  /** Jobs of the queue: any worker does them. Lost there, they are asked for again by what the state says. */
  | 'queue'
  /** A command of Sluice: done at once by the process that decided. The command deletes the row in its own transaction. */
  | 'command'
  /** For the outside world: tried until it is done, also long after its release has ended, and shown while it is not. */
  | 'errand'
  /** Told at once and kept nowhere: after a crash it is of no use. */
  | 'notice';

/** How one kind of work is known again, and how it is handed over. */
export interface Effect<K extends WorkKind> {
  lane: Lane;
  /**
   * Names this work within its release, and nothing else ever: the same key is the same work, and while it is not done, asking for it once
   * more changes nothing. Null: it is not kept.
   */
  key: ((work: Work<K>) => string) | null;
}

/** All kinds of work. */
export const EFFECTS = {
  // After the first of its jobs, whose number is never used again.
  dispatch: { lane: 'queue', key: ({ promotions: [first] }) => `p${first?.promotion}-d${first?.dispatch}` },
  'ask-group': { lane: 'queue', key: ({ group, generation }) => `g${group}-q${generation}` },
  // A promotion can be merged outside its gates and fail as well: each is for the policies to judge.
  'roll-back': {
    lane: 'command',
    key: ({ promotion, attempt, cause }) =>
      `p${promotion}-a${attempt}-rollback${cause === undefined ? '' : `-${cause}`}`,
  },
  observe: { lane: 'command', key: ({ promotion, attempt }) => `p${promotion}-a${attempt}-observe` },
  'tell-merge': {
    lane: 'command',
    key: ({ promotion, attempt, generation }) => `p${promotion}-a${attempt}-merge-${generation}`,
  },
  'tell-commit': { lane: 'command', key: ({ since }) => (since === undefined ? 'commit' : `commit-${since}`) },
  abort: { lane: 'notice', key: null },
  errand: { lane: 'errand', key: ({ name, of }) => `errand-${name}-${of}` },
} as const satisfies { readonly [K in WorkKind]: Effect<K> };

/** The kinds of work of a lane. */
export type KindIn<L extends Lane> = { [K in WorkKind]: (typeof EFFECTS)[K]['lane'] extends L ? K : never }[WorkKind];

/** Undefined: a kind that this version does not know, of a row that another one has written. */
export function effectOf(work: Work): Effect<WorkKind> | undefined {
  return (EFFECTS as { readonly [kind: string]: Effect<never> })[work.kind] as Effect<WorkKind> | undefined;
}
