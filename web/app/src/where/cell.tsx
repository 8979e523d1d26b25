import { Link } from '@tanstack/react-router';
import { ArrowUp, CircleX, Flag, Triangle } from 'lucide-react';
import { memo } from 'react';
import type { CellFragment } from '../generated/documents.ts';
import { lookOf } from '../parts/status.tsx';
import { sayLength, useSaid } from '../parts/time.tsx';
import { toWords } from '../parts/words.ts';

/** What is in one environment of one product: drawn again when another answer is there, however often the table around it moves. */
export const CellContent = memo(function CellContent({ cell }: { cell: CellFragment | null | undefined }) {
  if (cell === undefined) return <span className="cell-empty" aria-label="not read yet" />;
  if (cell === null || (cell.version == null && cell.inFlight.length === 0))
    return <span className="cell-empty">–</span>;
  const { version, health, since, release } = cell;
  const { tone, icon: Icon } = lookOf(health?.status ?? 'UNKNOWN');
  return (
    <>
      <span className="cell-line">
        <span className={`tone-${tone} status`} title={`Health: ${toWords(health?.status ?? 'UNKNOWN')}`}>
          <Icon size={14} role="img" aria-label={`Health: ${toWords(health?.status ?? 'UNKNOWN')}`} />
        </span>
        {release ? (
          <Link
            to="/releases/$id"
            params={{ id: release.uuid }}
            className="mono"
            title={`Brought by ${release.shortId}`}
          >
            {version?.label ?? 'nothing'}
          </Link>
        ) : (
          <span className="mono">{version?.label ?? 'nothing'}</span>
        )}
        {since && <Age since={since} />}
      </span>
      <span className="cell-line signs">
        <Signs cell={cell} />
      </span>
    </>
  );
});

/** For how long it has been there, by its largest part. */
function Age({ since }: { since: string }) {
  const age = useSaid((now) =>
    sayLength(now - Date.parse(since))
      .split(' ')
      .slice(0, 2)
      .join(' '),
  );
  return <small className="numbers">{age}</small>;
}

/** What is on its way there, and what stands against it. */
export function Signs({ cell }: { cell: CellFragment }) {
  const { inFlight, holds, badVersions, drifted, comparison } = cell;
  const behind = comparison?.behind;
  const ahead = comparison?.ahead;
  return (
    <>
      {inFlight.map(({ release: coming, status }) =>
        coming === null ? null : (
          <Link
            key={coming.uuid}
            to="/releases/$id"
            params={{ id: coming.uuid }}
            className="sign tone-busy"
            title={`${coming.shortId} is on its way: ${toWords(status)}`}
          >
            <ArrowUp size={12} aria-hidden />
            {coming.version.label}
          </Link>
        ),
      )}
      {holds.length > 0 && (
        <span className="sign tone-waits" title={holds.map(({ reason }) => reason).join('\n')}>
          <Flag size={12} aria-hidden /> hold
        </span>
      )}
      {badVersions.length > 0 && (
        <span
          className="sign tone-bad"
          title={badVersions.map(({ label, reason }) => `${label}: ${reason}`).join('\n')}
        >
          <CircleX size={12} aria-hidden /> bad
        </span>
      )}
      {drifted && (
        <span className="sign tone-bad" title="Somebody changed it by hand">
          <Triangle size={12} aria-hidden /> drift
        </span>
      )}
      {behind != null && behind > 0 && <span className="sign tone-quiet">{behind} behind</span>}
      {ahead != null && ahead > 0 && <span className="sign tone-quiet">{ahead} ahead</span>}
      {comparison && behind == null && ahead == null && comparison.relation !== 'SAME' && (
        <span className="sign tone-quiet" title={comparison.reason ?? sayRelation(comparison)}>
          {sayRelation(comparison)}
        </span>
      )}
    </>
  );
}

const RELATIONS: Record<string, string> = { AHEAD: 'ahead of', BEHIND: 'behind', APART: 'apart from' };

/** How it relates to the environment that it is compared with, where no commits could be counted. */
function sayRelation({ relation, to }: { relation: string; to?: string | null }): string {
  const other = to ?? 'others';
  if (relation === 'UNKNOWN') return `not comparable with ${other}`;
  return `${RELATIONS[relation] ?? toWords(relation).toLowerCase()} ${other}`;
}
