import type { Outcome } from '../../core/release.ts';
import type { StepWork } from '../../core/plan.ts';
import { agreedBy } from '../../core/approvals/asking-step.ts';
import { stepParameters } from '../parameters.ts';
import { asking } from './runner.ts';
import type { StepAt } from './runner.ts';

type Action = Extract<StepWork, { kind: 'action' }>;

/** An action of a workflow. Its key goes with it: a second call is the receiver's to recognise. */
export const actionRunner = asking<Action>(run);

async function run(at: StepAt<Action>): Promise<Outcome> {
  const { hands, release, stepState, work, context } = at;
  const parameters = stepParameters({ ...at, link: hands.linkTo(release.id) });
  const now = hands.clock.now().getTime();
  return hands.drivers.runAction(work.action, parameters, context, {
    startedAt: stepState.startedAt ?? now,
    now,
    progress: stepState.progress ?? null,
    agreedBy: agreedBy(stepState),
  });
}
