import type { StepWork } from '../../core/plan.ts';
import { PermanentError } from '../../drivers/driver.ts';
import { asking } from './runner.ts';

/** Opens a pull request. */
export const proposeRunner = asking<Extract<StepWork, { kind: 'propose' }>>(refuse);

/** Waits for its merge. */
export const mergeRunner = asking<Extract<StepWork, { kind: 'merge' }>>(refuse);

function refuse(): never {
  throw new PermanentError('this version of Sluice opens no pull requests: use action commit');
}
