import { ArrowRight } from 'lucide-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { ReleaseNotesDocument, type ReleaseNotesQuery } from '../generated/documents.ts';
import { Away } from '../parts/away.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { asIn } from '../parts/in-order.ts';
import { QueryProblem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { When } from '../parts/time.tsx';
import { count, toWords } from '../parts/words.ts';
import type { ReleaseRead } from './use-release.ts';

type Notes = ReleaseNotesQuery['releaseNotes'][number];

/** What the release brings: commits, issues and pull requests, environments that get the same together. */
export function ReleaseNotes({ release }: { release: ReleaseRead }) {
  const [{ data, error }] = useQuery({ query: ReleaseNotesDocument, variables: { id: release.uuid } });
  const requests = release.promotions.flatMap(({ name, pullRequests }) =>
    pullRequests.map((each) => ({ ...each, environment: name })),
  );
  if (error) return <QueryProblem error={error} />;
  if (!data) return <Loading what="what it brings" />;
  const names = release.promotions.map(({ name }) => name);
  return (
    <>
      {requests.length > 0 && (
        <section className="card">
          <h2>Pull requests</h2>
          <ul className="notes">
            {requests.map(({ environment, number, url, state }) => (
              <li key={`${environment} ${number}`}>
                <Away to={url}>#{number ?? 'not open yet'}</Away>
                <Status status={state} word={toWords(state)} />
                <span>{environment}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {data.releaseNotes.length === 0 && <Empty title="It brings nothing to an environment that you see." />}
      {together(data.releaseNotes.toSorted(asIn(names, (each) => each.environmentName))).map((same) => (
        <Section key={same[0]!.environmentName} same={same} />
      ))}
    </>
  );
}

/** What one promotion changes, read when somebody wants to see it. */
export function WhatChanges({ release, environment }: { release: string; environment: string }) {
  const [isOpen, setOpen] = useState(false);
  const [{ data, error }] = useQuery({
    query: ReleaseNotesDocument,
    variables: { id: release, environments: [environment] },
    pause: !isOpen,
  });
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>What changes</summary>
      {isOpen && (
        <>
          <QueryProblem error={error} />
          {!data && !error && <Loading what="what changes" />}
          {data?.releaseNotes.map((each) => (
            <Changes key={each.environmentName} notes={each} />
          ))}
        </>
      )}
    </details>
  );
}

/** Notes that say the same of several environments stand once. */
function together(all: readonly Notes[]): Notes[][] {
  const groups = new Map<string, Notes[]>();
  for (const each of all) {
    const { environmentName: _, ...what } = each;
    const key = JSON.stringify(what);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}

const Section = ({ same }: { same: readonly Notes[] }) => (
  <section className="card">
    <h2>{same.map(({ environmentName }) => environmentName).join(', ')}</h2>
    <Changes notes={same[0]!} />
  </section>
);

function Changes({ notes }: { notes: Notes }) {
  const { from, to, commits, authors, issues, added, gone, reason } = notes;
  return (
    <>
      <p className="mono">
        {from?.label ?? 'nothing'} <ArrowRight size={14} aria-label="to" /> {to?.label ?? 'not known yet'}
      </p>
      {(added ?? 0) > 0 && (
        <p>
          {count(added!, 'commit')} by {authors.join(', ')}
        </p>
      )}
      {(gone ?? 0) > 0 && <p>{count(gone!, 'commit')} of the version before it are not in it: it goes back.</p>}
      {issues.length > 0 && (
        <p>
          Issues:{' '}
          {issues.map(({ key, url }, index) => (
            <span key={key}>
              {index > 0 && ', '}
              <Away to={url}>{key}</Away>
            </span>
          ))}
        </p>
      )}
      {reason && <p className="note">{reason}</p>}
      {commits.length > 0 && (
        <ul className="notes">
          {commits.map((each) => (
            <li key={`${each.application} ${each.commit}`}>
              <span className="mono">{each.commit.slice(0, 7)}</span>
              <span className="subject">{each.subject}</span>
              <small>
                {each.author.replace(/ <.*>$/, '')} <When at={each.date} />
              </small>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
