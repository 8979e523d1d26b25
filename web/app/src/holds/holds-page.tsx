import { useNavigate, useSearch } from '@tanstack/react-router';
import { Switch } from 'react-aria-components';
import { useListChanges } from '../api/changes.ts';
import { useRead } from '../api/read.ts';
import { EnvironmentLink } from '../environment/link.tsx';
import {
  type BadVersionMarkFragment,
  BadVersionsDocument,
  HoldsDocument,
  type HoldsQuery,
} from '../generated/documents.ts';
import { Empty } from '../parts/empty.tsx';
import { PageHeading } from '../parts/heading.tsx';
import { READ_AGAIN } from '../parts/order.ts';
import { ReleaseLink } from '../parts/release-link.tsx';
import { Listed } from '../parts/rows.tsx';
import { When } from '../parts/time.tsx';
import { Until } from '../parts/until.tsx';
import { Lift } from './lift.tsx';
import { HoldButton, MarkButton } from './put-on.tsx';
import { Unmark, whereBad } from './unmark.tsx';

/** What keeps promotions out: environments on hold, and versions that were found bad; who said so, why, and until when. */
export function HoldsPage() {
  const { past, after, badAfter } = useSearch({ from: '/holds' });
  const navigate = useNavigate({ from: '/holds' });
  const active = past ? undefined : true;
  const [holds, askHolds] = useRead({ query: HoldsDocument, variables: { active, after }, context: READ_AGAIN });
  const [bad, askBad] = useRead({
    query: BadVersionsDocument,
    variables: { active, after: badAfter },
    context: READ_AGAIN,
  });
  useListChanges(['ENVIRONMENT_HOLDS'], [askHolds]);
  useListChanges(['BAD_VERSIONS'], [askBad]);
  return (
    <>
      <PageHeading title="Holds and bad versions">
        <Switch
          className="switch"
          isSelected={past !== true}
          onChange={(only) => void navigate({ search: { past: only ? undefined : true } })}
        >
          <span className="switch-track" aria-hidden />
          Only what counts now
        </Switch>
      </PageHeading>
      <div className="section">
        <h2>Environments on hold</h2>
        <HoldButton />
      </div>
      <Listed
        page={holds.data?.environmentHolds}
        error={holds.error}
        what="the holds"
        head={['Environment', 'Product', 'Why', 'By', 'Since', 'Until']}
        acts
        after={after}
        onPage={(to) => void navigate({ search: (before) => ({ ...before, after: to }) })}
        none={
          <Empty title="No environment is on hold.">
            <p>Put one on hold with the button above: nothing is promoted there until the hold is lifted.</p>
          </Empty>
        }
      >
        {(each) => <HoldRow key={each.id} hold={each} />}
      </Listed>
      <div className="section second">
        <h2>Bad versions</h2>
        <MarkButton />
      </div>
      <Listed
        page={bad.data?.badVersions}
        error={bad.error}
        what="the bad versions"
        head={['Version', 'Product', 'Kept out of', 'Why', 'By', 'Since', 'Until']}
        acts
        after={badAfter}
        onPage={(to) => void navigate({ search: (before) => ({ ...before, badAfter: to }) })}
        none={
          <Empty title="No version is marked as bad.">
            <p>
              Mark one here or on the page of its release: it is not promoted any further. Rollbacks mark what they take
              back.
            </p>
          </Empty>
        }
      >
        {(each) => <BadRow key={each.id} bad={each} />}
      </Listed>
    </>
  );
}

type Hold = HoldsQuery['environmentHolds']['nodes'][number];

function HoldRow({ hold }: { hold: Hold }) {
  const { active, environmentName, productName, reason, by, since, until, liftedAt, liftedBy, rollback } = hold;
  return (
    <tr className={active ? undefined : 'past'}>
      <th scope="row">
        <EnvironmentLink name={environmentName} product={productName} />
      </th>
      <td>{productName ?? 'all products'}</td>
      <td className="now">{reason}</td>
      <td>{rollback ? <ReleaseLink release={rollback} /> : (by ?? 'somebody')}</td>
      <td>
        <When at={since} />
      </td>
      <td>
        <Until endedAt={liftedAt} endedBy={liftedBy} word="lifted" until={until} never="somebody lifts it" />
      </td>
      <td>{active && <Lift hold={hold} />}</td>
    </tr>
  );
}

function BadRow({ bad }: { bad: BadVersionMarkFragment }) {
  const { active, label, productName, reason, by, since, expiresAt, rollback } = bad;
  return (
    <tr className={active ? undefined : 'past'}>
      <th scope="row" className="mono">
        {label}
      </th>
      <td>{productName}</td>
      <td>{whereBad(bad)}</td>
      <td className="now">{reason}</td>
      <td>{rollback ? <ReleaseLink release={rollback} /> : (by ?? 'somebody')}</td>
      <td>
        <When at={since} />
      </td>
      <td>
        <Until
          endedAt={bad.unmarkedAt}
          endedBy={bad.unmarkedBy}
          word="taken back"
          until={expiresAt}
          never="somebody takes it back"
        />
      </td>
      <td>{active && <Unmark bad={bad} />}</td>
    </tr>
  );
}
