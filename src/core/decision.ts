import type { Work } from './effects.ts';
import type { NumberedEvent } from './events.ts';
import type { Refusal } from './problems.ts';
import type { DeploymentFact, ReleaseState, Stimulus } from './release.ts';

/** The answer of `advance`: the next state, and everything that is saved with it in one transaction. */
export interface Decision {
  state: ReleaseState;
  /** Positions of the promotions that are not as they were. */
  changed: number[];
  events: NumberedEvent[];
  work: Work[];
  deployments: DeploymentFact[];
  /** Stimuli that changed nothing because they may not, and why. */
  refused: ReadonlyMap<Stimulus, Refusal>;
  /** Ids of the environment holds that end with it. */
  lifted: string[];
}
