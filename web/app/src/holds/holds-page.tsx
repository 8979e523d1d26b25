import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { CirclePlay } from 'lucide-react';
import { Switch } from 'react-aria-components';
import { useQuery } from 'urql';
import { useTitle } from '../frame/title.ts';
import {
  BadVersionsDocument,
  type BadVersionsQuery,
  HoldsDocument,
  type HoldsQuery,
  UnholdDocument,
  UnmarkBadDocument,
} from '../generated/documents.ts';
import { Ask } from '../parts/ask.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { useOrder } from '../parts/order.ts';
import { QueryProblem } from '../parts/problem.tsx';
import { When } from '../parts/time.tsx';

/** What keeps promotions out: environments on hold, and versions that were found bad; who said so, why, and until when. */
export function HoldsPage() {
  useTitle('Holds and bad versions');
  const { past } = useSearch({ from: '/holds' });
  const navigate = useNavigate({ from: '/holds' });
  const active = past ? undefined : true;
  const [holds] = useQuery({ query: HoldsDocument, variables: { active } });
  const [bad] = useQuery({ query: BadVersionsDocument, variables: { active } });
  return (
    <>
      <div className="heading">
        <h1>Holds and bad versions</h1>
        <Switch
          className="switch"
          isSelected={past !== true}
          onChange={(only) => void navigate({ search: { past: only ? undefined : true } })}
        >
          <span className="switch-track" aria-hidden />
          Only what counts now
        </Switch>
      </div>
      <h2>Environments on hold</h2>
      <QueryProblem error={holds.error} />
      {holds.data === undefined ? (
        holds.error === undefined && <Loading what="the holds" />
      ) : holds.data.environmentHolds.nodes.length === 0 ? (
        <Empty title="No environment is on hold.">
          <p>A hold is put on from an environment of a release, or with sluice hold.</p>
        </Empty>
      ) : (
        <table className="list">
          <thead>
            <tr>
              <th scope="col">Environment</th>
              <th scope="col">Product</th>
              <th scope="col">Why</th>
              <th scope="col">By</th>
              <th scope="col">Since</th>
              <th scope="col">Until</th>
              <th scope="col">
                <span className="hidden">What can be done</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {holds.data.environmentHolds.nodes.map((each) => (
              <HoldRow key={each.id} hold={each} />
            ))}
          </tbody>
        </table>
      )}
      <h2 className="second">Bad versions</h2>
      <QueryProblem error={bad.error} />
      {bad.data === undefined ? (
        bad.error === undefined && <Loading what="the bad versions" />
      ) : bad.data.badVersions.nodes.length === 0 ? (
        <Empty title="No version is marked as bad." />
      ) : (
        <table className="list">
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">Product</th>
              <th scope="col">Kept out of</th>
              <th scope="col">Why</th>
              <th scope="col">By</th>
              <th scope="col">Since</th>
              <th scope="col">Until</th>
              <th scope="col">
                <span className="hidden">What can be done</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {bad.data.badVersions.nodes.map((each) => (
              <BadRow key={each.id} bad={each} />
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

type Hold = HoldsQuery['environmentHolds']['nodes'][number];

function HoldRow({ hold }: { hold: Hold }) {
  const unhold = useOrder(UnholdDocument);
  const { id, active, environmentName, productName, reason, by, since, until, liftedAt, liftedBy, rollback } = hold;
  return (
    <tr className={active ? undefined : 'past'}>
      <th scope="row">{environmentName}</th>
      <td>{productName ?? 'all products'}</td>
      <td className="now">{reason}</td>
      <td>{rollback ? <Release release={rollback} /> : by}</td>
      <td>
        <When at={since} />
      </td>
      <td>
        {liftedAt ? (
          <>
            lifted <When at={liftedAt} /> {liftedBy && `by ${liftedBy}`}
          </>
        ) : until ? (
          <When at={until} />
        ) : (
          'somebody lifts it'
        )}
      </td>
      <td>
        {active && (
          <Ask
            label="Lift"
            title={`Lift the hold of ${environmentName}`}
            icon={<CirclePlay size={16} aria-hidden />}
            text={{ label: 'Reason', required: false }}
            onConfirm={(words) =>
              unhold({
                input: {
                  environment: environmentName,
                  product: productName,
                  holdId: id,
                  reason: words === '' ? undefined : words,
                },
              })
            }
          >
            <p>What waits for it goes on at once.</p>
          </Ask>
        )}
      </td>
    </tr>
  );
}

type Bad = BadVersionsQuery['badVersions']['nodes'][number];

function BadRow({ bad }: { bad: Bad }) {
  const unmark = useOrder(UnmarkBadDocument);
  const { active, label, productName, environmentNames, groupName, reason, by, since, expiresAt, rollback } = bad;
  const where = groupName ?? (environmentNames.length > 0 ? environmentNames.join(', ') : 'everywhere');
  return (
    <tr className={active ? undefined : 'past'}>
      <th scope="row" className="mono">
        {label}
      </th>
      <td>{productName}</td>
      <td>{where}</td>
      <td className="now">{reason}</td>
      <td>{rollback ? <Release release={rollback} /> : by}</td>
      <td>
        <When at={since} />
      </td>
      <td>
        {bad.unmarkedAt ? (
          <>
            taken back <When at={bad.unmarkedAt} /> {bad.unmarkedBy && `by ${bad.unmarkedBy}`}
          </>
        ) : expiresAt ? (
          <When at={expiresAt} />
        ) : (
          'somebody takes it back'
        )}
      </td>
      <td>
        {active && (
          <Ask
            label="Unmark"
            title={`${label} is not bad`}
            icon={<CirclePlay size={16} aria-hidden />}
            text={{ label: 'Reason', required: true }}
            onConfirm={(words) =>
              unmark({
                input: {
                  product: productName,
                  version: bad.digest,
                  group: groupName,
                  environment: groupName == null && environmentNames.length === 1 ? environmentNames[0] : undefined,
                  reason: words,
                },
              })
            }
          >
            <p>It can be promoted again to {where}.</p>
          </Ask>
        )}
      </td>
    </tr>
  );
}

const Release = ({ release }: { release: { uuid: string; shortId: string } }) => (
  <Link to="/releases/$id" params={{ id: release.uuid }}>
    {release.shortId}
  </Link>
);
