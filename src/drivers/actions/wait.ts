import type { ActionAnswer, ActionLook } from './answer.ts';
import type { ParametersOf } from './parameters.ts';

/** Over when its time is, counted from its start: a look that is lost, or comes late, makes it no longer. */
export function lookAtWait({ duration }: ParametersOf<'wait'>, { startedAt, now }: ActionLook): ActionAnswer {
  const until = startedAt + duration;
  if (until <= now) return { kind: 'succeeded', outputs: {} };
  return { kind: 'pending', reason: `waits until ${new Date(until).toISOString()}`, recheckAfter: until - now };
}
