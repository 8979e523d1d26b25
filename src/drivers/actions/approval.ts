import type { ActionAnswer, ActionLook } from './answer.ts';
import type { ActionLog } from './log.ts';
import type { ParametersOf } from './parameters.ts';

/** Asks, and goes on with the names of those who agreed as output `APPROVED_BY`. What people say is the core's to count. */
export function lookAtApproval(
  { question, ...approval }: ParametersOf<'approval'>,
  { agreedBy }: ActionLook,
  log: ActionLog,
): ActionAnswer {
  if (agreedBy !== null) {
    log.say(`agreed: ${agreedBy.join(', ')}`);
    return { kind: 'succeeded', outputs: { APPROVED_BY: agreedBy.join(', ') } };
  }
  log.say(`asks people${question === undefined ? '' : `: ${question}`}`);
  return { kind: 'asked', question: question ?? null, approval };
}
