import { reach } from '../faults.ts';
import { closePullRequest } from '../commands/close-pull-request.ts';
import { END_ACTION } from '../core/end-action.ts';
import type { EndingData } from '../core/end-action.ts';
import { CLOSE_PULL_REQUEST } from '../core/pull-request.ts';
import type { ClosingData } from '../core/pull-request.ts';
import type { Parts } from '../parts.ts';
import { endAction } from './end-action.ts';
import { pullRequestsOf } from '../store/pull-requests.ts';
import type { OutboxItem } from '../store/outbox.ts';

/**
 * Work for the outside world that outlives its promotion: a pull request is closed, a workflow is stopped. An errand is tried until it is
 * done, with pauses that grow up to an hour, and the API shows it as `Release.errands` while it is not.
 */
export interface Errand {
  /** The same for every attempt, and for no other errand: a target that was reached before a crash is asked with the same key. */
  key: string;
  releaseId: string;
  /** What the decision gave along. */
  data: unknown;
  /** Aborted after half a minute: the attempt has failed then. */
  signal: AbortSignal;
}

/** Does an errand, or finds that it is done. Whatever it throws is kept with the errand, which is tried again. */
export type ErrandRunner = (parts: Parts, errand: Errand) => Promise<void>;

/** By the name that a decision gives. */
export type ErrandRunners = Readonly<Record<string, ErrandRunner>>;

/** The errands of this version. */
export const ERRANDS: ErrandRunners = {
  [CLOSE_PULL_REQUEST]: async (parts, { releaseId, data, signal }) => {
    const { promotion, attempt, step, reason } = data as ClosingData;
    const all = await pullRequestsOf(parts.pool, [releaseId]);
    const found = all.find(
      (each) => each.position === promotion && each.attempt === attempt && each.step === step && each.state !== 'GONE',
    );
    // What was never written down was never begun.
    if (found) await closePullRequest(parts, found, reason, signal);
  },
  [END_ACTION]: (parts, { releaseId, data, signal }) => endAction(parts, releaseId, data as EndingData, signal),
};

/** One attempt of an errand, for at most 30 s. @throws whatever its runner throws, and for a name without a runner here */
export async function runErrand(
  parts: Parts & { errands: ErrandRunners },
  { key, releaseId, work }: OutboxItem<'errand'>,
): Promise<void> {
  const { name, data } = work;
  const runner = Object.hasOwn(parts.errands, name) ? parts.errands[name] : undefined;
  if (!runner) throw new Error(`this version of Sluice runs no errand "${name}"`);
  const signal = parts.clock.limit('errand', LIMIT);
  await runner(parts, { key, releaseId, data, signal });
  reach('after-record', name);
}

/** In milliseconds; less than the lease of a row. */
const LIMIT = 30_000;
