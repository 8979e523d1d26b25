import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Undo2 } from 'lucide-react';
import { useState } from 'react';
import { Button, Checkbox, Switch } from 'react-aria-components';
import { useChanges } from '../api/changes.ts';
import { useRead } from '../api/read.ts';
import { EnvironmentLink } from '../environment/link.tsx';
import { ApprovalsDocument, InboxChangedDocument } from '../generated/documents.ts';
import type { Refusals } from '../parts/ask.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { PageHeading, Total } from '../parts/heading.tsx';
import { byRelease } from '../parts/in-order.ts';
import { Pages } from '../parts/pages.tsx';
import { Problem, QueryProblem } from '../parts/problem.tsx';
import { When } from '../parts/time.tsx';
import { placeName } from '../parts/words.ts';
import { WhatChanges } from '../release/notes.tsx';
import { Decide, Rules } from './decide.tsx';
import { DecideTogether } from './decide-together.tsx';

const PER_PAGE = 25;

/** Everything that waits for a person, the oldest release first. */
export function ApprovalsPage() {
  const { all, after } = useSearch({ from: '/inbox' });
  const navigate = useNavigate({ from: '/inbox' });
  const [{ data, error }, ask] = useRead({
    query: ApprovalsDocument,
    variables: { first: PER_PAGE, after, filter: { forMe: all ? undefined : true } },
  });
  useChanges(InboxChangedDocument, { from: data?.approvals.lastCursor, asks: [ask] });
  const inbox = data?.approvals;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [refusals, setRefusals] = useState<Refusals>([]);
  const toggle = (key: string): void => {
    const next = new Set(chosen);
    if (!next.delete(key)) next.add(key);
    setChosen(next);
  };
  const waiting = byRelease(inbox?.nodes ?? []);
  const decidable = waiting.flatMap((promotion) =>
    promotion.openApprovals
      .filter(({ viewerCanApprove }) => viewerCanApprove)
      .map((approval) => ({ key: keyOf(promotion, approval), promotion, approval })),
  );
  // What somebody else has decided meanwhile is not chosen any more.
  const picked = decidable.filter(({ key }) => chosen.has(key));
  return (
    <>
      <PageHeading
        title="Approvals"
        shown={
          <>
            Approvals
            {inbox && <Total of={inbox} />}
          </>
        }
      >
        <Switch
          className="switch"
          isSelected={all !== true}
          onChange={(forMe) => void navigate({ search: { all: forMe ? undefined : true } })}
        >
          <span className="switch-track" aria-hidden />
          Only what I can decide
        </Switch>
      </PageHeading>
      <QueryProblem error={error} />
      {refusals.map((each) => (
        <Problem key={each}>{each}</Problem>
      ))}
      {inbox === undefined ? (
        error === undefined && <Loading what="the inbox" />
      ) : inbox.nodes.length === 0 ? (
        <Empty title={all ? 'Nothing waits for an approval.' : 'Nothing waits for you.'}>
          {!all && (
            <Link to="/inbox" search={{ all: true }}>
              Show what waits for others
            </Link>
          )}
        </Empty>
      ) : (
        <>
          {decidable.length > 1 && (
            <div className="batch" role="group" aria-label="All that are chosen">
              <Button
                className="button"
                onPress={() =>
                  setChosen(new Set(picked.length === decidable.length ? [] : decidable.map(({ key }) => key)))
                }
              >
                {picked.length === decidable.length ? 'Choose none' : `Choose all ${decidable.length}`}
              </Button>
              <DecideTogether chosen={picked} onDecided={setRefusals} />
            </div>
          )}
          <ul className="inbox">
            {waiting.map((promotion) => (
              <li key={promotion.id} className="card">
                {promotion.openApprovals.map((approval) => (
                  <div key={approval.step ?? ''} className="ask">
                    {approval.viewerCanApprove && (
                      <Checkbox
                        className="check"
                        aria-label={`Choose ${promotion.release.productName} ${promotion.release.version.label} to ${promotion.name}`}
                        isSelected={chosen.has(keyOf(promotion, approval))}
                        onChange={() => toggle(keyOf(promotion, approval))}
                      >
                        <span className="check-box" aria-hidden />
                      </Checkbox>
                    )}
                    <div className="what">
                      <h2>
                        {promotion.release.kind === 'ROLLBACK' && <Undo2 size={18} aria-label="Rollback" />}
                        <Link
                          to="/releases/$id"
                          params={{ id: promotion.release.uuid }}
                          search={{ environment: promotion.name }}
                        >
                          {promotion.release.productName} {promotion.release.version.label}
                        </Link>
                        {promotion.release.kind === 'ROLLBACK' ? 'goes back in' : 'to'}{' '}
                        {promotion.environment ? (
                          <EnvironmentLink name={promotion.name} product={promotion.release.productName} />
                        ) : (
                          placeName(promotion.name)
                        )}
                        {promotion.production && <span className="chip">prod</span>}
                      </h2>
                      {approval.question && <p>{approval.question}</p>}
                      <small className="details">
                        <span>{promotion.release.shortId}</span>
                        {promotion.release.trigger.actor && <span>started by {promotion.release.trigger.actor}</span>}
                        {approval.requestedAt && (
                          <span>
                            asked <When at={approval.requestedAt} />
                          </span>
                        )}
                      </small>
                      <Rules approval={approval} />
                      <WhatChanges release={promotion.release.uuid} environment={promotion.name} />
                    </div>
                    <Decide approval={approval} promotion={promotion} />
                  </div>
                ))}
              </li>
            ))}
          </ul>
        </>
      )}
      <Pages
        after={after}
        info={inbox?.pageInfo}
        next="Next page"
        onPage={(to) => void navigate({ search: { all, after: to } })}
      />
    </>
  );
}

const keyOf = ({ id }: { id: string }, { step, attempt }: { step?: string | null; attempt: number }): string =>
  `${id} ${step ?? ''} ${attempt}`;
