import { spell } from '../../core/duration.ts';
import type { ActionAnswer, ActionLook } from './answer.ts';
import type { ActionLog } from './log.ts';
import type { ParametersOf } from './parameters.ts';

/** Over when its time is, counted from its start: a look that is lost, or comes late, makes it no longer. */
export function lookAtWait(
  { duration }: ParametersOf<'wait'>,
  { startedAt, now }: ActionLook,
  log: ActionLog,
): ActionAnswer {
  const until = startedAt + duration;
  if (until <= now) {
    log.say(`waited ${spell(duration)}`);
    return { kind: 'succeeded', outputs: {} };
  }
  const reason = `waits until ${new Date(until).toISOString()}`;
  log.say(reason);
  return { kind: 'pending', reason, recheckAfter: until - now };
}
