import type { PlannedPromotion, PlannedStep } from '../core/plan.ts';

/** The same for the same release, attempt and step, whichever process asks and however often. */
export function keyOf(release: string, { name, steps }: PlannedPromotion, attempt: number, step: number): string {
  return `${release}.${attempt}.${name}.${(steps[step] as PlannedStep).id}`;
}
