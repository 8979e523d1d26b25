/**
 * Named points at which a chaos run may kill the process. Nothing is armed unless a test arms it: `reach` is then a
 * comparison with null.
 */
export const FAULT_POINTS = [
  'before-effect',
  'after-effect',
  'after-record',
  'in-transaction',
  'after-commit',
  'after-hand-over',
  'in-rollback',
  'after-rollback',
  'after-told',
] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];

let armed: { point: FaultPoint; countdown: number } | null = null;

/** The process kills itself (SIGKILL) when it reaches `point` for the `nth` time. */
export function armFault(point: FaultPoint, nth: number): void {
  armed = { point, countdown: nth };
}

export function reach(point: FaultPoint): void {
  if (armed === null || armed.point !== point) return;
  armed.countdown -= 1;
  if (armed.countdown <= 0) process.kill(process.pid, 'SIGKILL');
}
