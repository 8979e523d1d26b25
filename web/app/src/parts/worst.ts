/** The worst first. */
const WORST = [
  'ROLLBACK_FAILED',
  'FAILED',
  'ROLLING_BACK',
  'SUSPENDED',
  'RUNNING',
  'WAITING',
  'TERMINATED',
  'ROLLED_BACK',
  'PENDING',
  'SKIPPED',
  'SUCCEEDED',
];

/** What a collapsed group shows of its members; a status that a later server adds comes last. */
export function worstOf(statuses: readonly string[]): string {
  return [...statuses].sort((a, b) => place(a) - place(b))[0] ?? 'PENDING';
}

const place = (status: string): number => (WORST.includes(status) ? WORST.indexOf(status) : WORST.length);
