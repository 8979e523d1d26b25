import type { StepWork } from '../../core/plan.ts';
import { actionRunner } from './action.ts';
import { applyRunner } from './apply.ts';
import { healthRunner, soakRunner } from './health.ts';
import type { Runner } from './runner.ts';
import { mergeRunner } from './merge.ts';
import { proposeRunner } from './propose.ts';
import { syncRunner } from './sync.ts';

type WorkKind = StepWork['kind'];

/** Every kind of work has one: a new kind does not compile without it. */
export const RUNNERS: { readonly [K in WorkKind]: Runner<Extract<StepWork, { kind: K }>> } = {
  action: actionRunner,
  apply: applyRunner,
  propose: proposeRunner,
  merge: mergeRunner,
  sync: syncRunner,
  health: healthRunner,
  soak: soakRunner,
};

/** The runner of this kind of work. */
export function runnerOf(work: StepWork): Runner {
  return RUNNERS[work.kind];
}
