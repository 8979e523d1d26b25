import { Link } from '@tanstack/react-router';
import { ArrowRight, Flame, Undo2 } from 'lucide-react';
import { Decide } from '../approvals/decide.tsx';
import { EnvironmentLink } from '../environment/link.tsx';
import type { CascadeFragment } from '../generated/documents.ts';
import { Status } from '../parts/status.tsx';
import { When } from '../parts/time.tsx';
import { toWords } from '../parts/words.ts';

/**
 * A rollback as one thing, whether it stands on the page of the release that caused it or on its own: which environment caused it, what
 * goes from which version to which, what was left alone, and why.
 */
export function Cascade({ rollback, isOwnPage }: { rollback: CascadeFragment; isOwnPage: boolean }) {
  const { cause, status, release, origins, targets, version } = rollback;
  return (
    <section className="card cascade" aria-label={`Rollback of ${version.label}`}>
      <h2>
        <Undo2 size={20} aria-hidden />
        {isOwnPage ? `It takes ${version.label} back` : `${version.label} is taken back`}
        <Status status={status} />
      </h2>
      <p>
        <Flame size={16} aria-hidden className="tone-bad" />{' '}
        {cause.environment ? (
          <strong>
            <EnvironmentLink name={cause.environment} />
          </strong>
        ) : (
          toWords(cause.kind)
        )}
        {cause.by && ` (${cause.by})`}: {cause.reason} <When at={cause.at} />
      </p>
      <p className="links">
        {isOwnPage
          ? origins.map((each) => (
              <Link key={each.uuid} to="/releases/$id" params={{ id: each.uuid }}>
                Caused by {each.shortId}, {each.version.label}
              </Link>
            ))
          : release && (
              <Link to="/releases/$id" params={{ id: release.uuid }}>
                Open the rollback {release.shortId}
              </Link>
            )}
      </p>
      <ul className="targets">
        {targets.map((target) => (
          <li key={target.environment}>
            <strong>
              <EnvironmentLink name={target.environment} />
            </strong>
            <Status status={target.status} />
            <span className="mono">
              {target.from?.label}
              {target.to && (
                <>
                  {' '}
                  <ArrowRight size={14} aria-label="to" /> {target.to.label}
                </>
              )}
            </span>
            <span className="why">{target.reason}</span>
            {/* On its own page the button stands with what it waits for. */}
            {!isOwnPage && target.promotion?.approval && (
              <Decide approval={target.promotion.approval} promotion={target.promotion} />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
