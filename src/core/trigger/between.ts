import type { StoredDefinition } from '../definitions.ts';
import { refusal, RefusedError } from '../problems.ts';

/** A promotion from one environment into another one, which travels no flow. */
export interface Between {
  from: string;
  to: string;
}

/**
 * The flow of such a release, which is saved nowhere: one step. Policies and windows of `to` hold as they do for any flow. Its name can be
 * that of no saved flow, which has no blanks.
 */
export function flowBetween({ from, to }: Between): StoredDefinition<'PromotionFlow'> {
  return {
    kind: 'PromotionFlow',
    id: '',
    revision: 0,
    createdAt: NEVER,
    updatedAt: NEVER,
    metadata: { name: `${from} to ${to}`, labels: {}, annotations: {} },
    spec: {
      triggerEnvironment: from,
      onFailure: 'FINISH_RUNNING',
      steps: [{ environment: to, dependsOn: [from] }],
    },
  };
}

const NEVER = new Date(0);

/**
 * Both or none of them, and no flow beside them. Undefined: a flow is meant.
 * @throws RefusedError
 */
export function betweenOf({ from, to, flow }: { from?: string; to?: string; flow?: string }): Between | undefined {
  if (from === undefined && to === undefined) return undefined;
  if (from === undefined) throw unfit(`name the environment from which ${to} gets its version`, 'from');
  if (to === undefined) throw unfit(`name the environment that gets the version of ${from}`, 'to');
  if (flow !== undefined) throw unfit('give either a flow, or the two environments of a promotion without one', 'flow');
  if (from === to) throw unfit(`${to} has its own version already: name two environments`, 'to');
  return { from, to };
}

const unfit = (message: string, field: string): RefusedError =>
  new RefusedError([refusal('INVALID', message, [field])]);

/** @throws RefusedError where one of them is not there */
export function checkBetween(between: Between, isThere: (environment: string) => boolean): void {
  for (const field of ['from', 'to'] as const) {
    const name = between[field];
    if (!isThere(name)) throw new RefusedError([refusal('NOT_FOUND', `there is no environment "${name}"`, [field])]);
  }
}
