import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Undo2 } from 'lucide-react';
import { useCallback } from 'react';
import { Switch } from 'react-aria-components';
import { useQuery } from 'urql';
import { useTitle } from '../frame/title.ts';
import { ApprovalsDocument } from '../generated/documents.ts';
import { Empty, Loading } from '../parts/empty.tsx';
import { QueryProblem } from '../parts/problem.tsx';
import { When } from '../parts/time.tsx';
import { Decide, Rules } from './decide.tsx';
import { useInboxChanges } from './use-inbox.ts';

const PER_PAGE = 25;

/** Everything that waits for a person, the oldest question first. */
export function ApprovalsPage() {
  useTitle('Approvals');
  const { all, after } = useSearch({ from: '/inbox' });
  const navigate = useNavigate({ from: '/inbox' });
  const [{ data, error }, ask] = useQuery({
    query: ApprovalsDocument,
    variables: { first: PER_PAGE, after, filter: { forMe: all ? undefined : true } },
  });
  const again = useCallback(() => ask({ requestPolicy: 'network-only' }), [ask]);
  useInboxChanges(data?.approvals.lastCursor, again);
  const inbox = data?.approvals;
  return (
    <>
      <div className="heading">
        <h1>
          Approvals
          {inbox && (
            <span className="badge">
              {inbox.totalCount}
              {inbox.isTotalCapped && '+'}
            </span>
          )}
        </h1>
        <Switch
          className="switch"
          isSelected={all !== true}
          onChange={(forMe) => void navigate({ search: { all: forMe ? undefined : true } })}
        >
          <span className="switch-track" aria-hidden />
          Only what I can decide
        </Switch>
      </div>
      <QueryProblem error={error} />
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
        <ul className="inbox">
          {inbox.nodes.map((promotion) => (
            <li key={promotion.id} className="card">
              {promotion.openApprovals.map((approval) => (
                <div key={approval.step ?? ''} className="ask">
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
                      {promotion.release.kind === 'ROLLBACK' ? 'goes back in' : 'to'} {promotion.name}
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
                  </div>
                  <Decide approval={approval} promotion={promotion} />
                </div>
              ))}
            </li>
          ))}
        </ul>
      )}
      <div className="pages">
        {after !== undefined && (
          <Link to="/inbox" search={{ all }} className="button">
            First page
          </Link>
        )}
        {inbox?.pageInfo.hasNextPage && (
          <Link to="/inbox" search={{ all, after: inbox.pageInfo.endCursor ?? undefined }} className="button">
            Next page
          </Link>
        )}
      </div>
    </>
  );
}
