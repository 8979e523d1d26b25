import type { ReleaseRowFragment } from '../generated/documents.ts';

type Counts = ReleaseRowFragment['counts'];

/** How many environments are where, as a bar and in words. */
export function Progress({ counts }: { counts: Omit<Counts, '__typename'> }) {
  const parts: [string, string, number][] = [
    ['good', 'succeeded', counts.succeeded],
    ['bad', 'failed', counts.failed + counts.rollbackFailed],
    ['busy', 'running', counts.running + counts.rollingBack],
    ['waits', 'waiting', counts.waiting + counts.suspended],
    ['back', 'rolled back', counts.rolledBack],
    ['quiet', 'ended', counts.terminated + counts.skipped],
  ];
  const said = parts.filter(([, , n]) => n > 0).map(([, word, n]) => `${n} ${word}`);
  return (
    <span className="progress" title={`${said.join(', ') || 'nothing yet'}, of ${counts.total}`}>
      <svg viewBox={`0 0 ${Math.max(counts.total, 1)} 1`} preserveAspectRatio="none" aria-hidden>
        {parts.map(([tone, , n], index) => (
          <rect
            key={tone}
            className={`tone-${tone}`}
            x={parts.slice(0, index).reduce((sum, [, , each]) => sum + each, 0)}
            width={n}
            height="1"
          />
        ))}
      </svg>
      <span className="numbers">
        {counts.succeeded}/{counts.total}
      </span>
    </span>
  );
}
