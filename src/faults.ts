/**
 * Named points at which a chaos run may kill the process. Nothing is armed unless a test arms it: `reach` is then a
 * comparison with null.
 */
export const FAULT_POINTS = [
  'before-effect',
  'before-push',
  'after-push',
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

let armed: Armed | null = null;

/** Where a process is to kill itself. */
export interface Armed {
  point: FaultPoint;
  /** Of which effect, such as `merge`; left out: of any. */
  of?: string;
  nth: number;
}

/** The process kills itself (SIGKILL) when it reaches the point for the `nth` time. */
export function armFault(fault: Armed): void {
  armed = { ...fault };
}

/** @param of what is done there, where several things are done */
export function reach(point: FaultPoint, of?: string): void {
  if (armed === null || armed.point !== point || (armed.of !== undefined && armed.of !== of)) return;
  armed.nth -= 1;
  if (armed.nth <= 0) process.kill(process.pid, 'SIGKILL');
}
