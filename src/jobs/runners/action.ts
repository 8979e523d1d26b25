import { agreedBy } from '../../core/approvals/asking-step.ts';
import { MANNERS } from '../../core/kinds/actions.ts';
import type { StepWork } from '../../core/plan.ts';
import type { Outcome } from '../../core/release.ts';
import { stepParameters } from '../parameters.ts';
import { asking } from './runner.ts';
import type { StepAt } from './runner.ts';

type Action = Extract<StepWork, { kind: 'action' }>;

/**
 * An action of a workflow. Its key goes with it: a second call is the receiver's to recognise. What it writes is kept before its outcome
 * is told. An action that waits goes on with the log of the look before; any other one that is begun again has a log of its own.
 */
export const actionRunner = asking<Action>(run);

async function run(at: StepAt<Action>): Promise<Outcome> {
  const { hands, release, planned, position, promotionState, stepState, work, context } = at;
  const parameters = stepParameters({ ...at, link: hands.linkTo(release.id) });
  const now = hands.clock.now().getTime();
  const log = hands.actionLogs.open({
    releaseId: release.id,
    position,
    step: planned.id,
    attempt: promotionState.attempt,
    try: MANNERS[work.action.type].waits ? stepState.tries + 1 : null,
  });
  const look = {
    startedAt: stepState.startedAt ?? now,
    now,
    progress: stepState.progress ?? null,
    agreedBy: agreedBy(stepState),
  };
  try {
    const outcome = await hands.drivers.runAction(work.action, parameters, context, look, log);
    if (outcome.kind === 'failed') log.say(outcome.message);
    return outcome;
  } catch (error) {
    log.say(context.signal.aborted ? whyStopped(context.signal.reason) : messageOf(error));
    throw error;
  } finally {
    await log.close();
  }
}

function whyStopped(reason: unknown): string {
  if (reason === 'shutdown') return 'ended: its worker shuts down, and another one takes it up';
  return reason === 'overdue' ? 'ended: its time is over' : 'ended: it was told to stop';
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
