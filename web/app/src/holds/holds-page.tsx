import { useNavigate, useSearch } from '@tanstack/react-router';
import { CirclePlay } from 'lucide-react';
import { Switch } from 'react-aria-components';
import { useQuery } from 'urql';
import { useAgain } from '../api/again.ts';
import { EnvironmentLink } from '../environment/link.tsx';
import {
  BadVersionsDocument,
  type BadVersionsQuery,
  HoldsDocument,
  type HoldsQuery,
  ProductAbilitiesDocument,
  UnmarkBadDocument,
} from '../generated/documents.ts';
import { Ask } from '../parts/ask.tsx';
import { Empty } from '../parts/empty.tsx';
import { PageHeading } from '../parts/heading.tsx';
import { READ_AGAIN, useOrder } from '../parts/order.ts';
import { Pages } from '../parts/pages.tsx';
import { ReleaseLink } from '../parts/release-link.tsx';
import { Rows } from '../parts/rows.tsx';
import { When } from '../parts/time.tsx';
import { Lift } from './lift.tsx';

/** What keeps promotions out: environments on hold, and versions that were found bad; who said so, why, and until when. */
export function HoldsPage() {
  const { past, after, badAfter } = useSearch({ from: '/holds' });
  const navigate = useNavigate({ from: '/holds' });
  const active = past ? undefined : true;
  const [holds, askHolds] = useQuery({ query: HoldsDocument, variables: { active, after }, context: READ_AGAIN });
  const [bad, askBad] = useQuery({
    query: BadVersionsDocument,
    variables: { active, after: badAfter },
    context: READ_AGAIN,
  });
  useAgain([askHolds, askBad]);
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
      <h2>Environments on hold</h2>
      <Rows
        items={holds.data?.environmentHolds.nodes}
        error={holds.error}
        what="the holds"
        head={['Environment', 'Product', 'Why', 'By', 'Since', 'Until']}
        acts
        none={
          <Empty title="No environment is on hold.">
            <p>A hold is put on from the page of an environment, from a release, or with sluice hold.</p>
          </Empty>
        }
      >
        {(each) => <HoldRow key={each.id} hold={each} />}
      </Rows>
      <Pages
        after={after}
        info={holds.data?.environmentHolds.pageInfo}
        onPage={(to) => void navigate({ search: (before) => ({ ...before, after: to }) })}
      />
      <h2 className="second">Bad versions</h2>
      <Rows
        items={bad.data?.badVersions.nodes}
        error={bad.error}
        what="the bad versions"
        head={['Version', 'Product', 'Kept out of', 'Why', 'By', 'Since', 'Until']}
        acts
        none={<Empty title="No version is marked as bad." />}
      >
        {(each) => <BadRow key={each.id} bad={each} />}
      </Rows>
      <Pages
        after={badAfter}
        info={bad.data?.badVersions.pageInfo}
        onPage={(to) => void navigate({ search: (before) => ({ ...before, badAfter: to }) })}
      />
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
      <td>{rollback ? <ReleaseLink release={rollback} /> : by}</td>
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
      <td>{active && <Lift hold={hold} />}</td>
    </tr>
  );
}

type Bad = BadVersionsQuery['badVersions']['nodes'][number];

function BadRow({ bad }: { bad: Bad }) {
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
      <td>{rollback ? <ReleaseLink release={rollback} /> : by}</td>
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
      <td>{active && <Unmark bad={bad} where={where} />}</td>
    </tr>
  );
}

function Unmark({ bad, where }: { bad: Bad; where: string }) {
  const unmark = useOrder(UnmarkBadDocument);
  const [{ data }] = useQuery({ query: ProductAbilitiesDocument, variables: { product: bad.productName } });
  const { label, productName, digest, groupName, environmentNames } = bad;
  return (
    <Ask
      label="Unmark"
      title={`${label} is not bad`}
      icon={<CirclePlay size={16} aria-hidden />}
      // Who can mark it everywhere can unmark it everywhere; in single environments others can as well.
      can={groupName == null && environmentNames.length === 0 ? data?.product?.viewerCan.markBad : undefined}
      text={{ label: 'Reason', required: true }}
      onConfirm={(words) =>
        unmark({
          input: {
            product: productName,
            version: digest,
            group: groupName,
            environment: groupName == null && environmentNames.length === 1 ? environmentNames[0] : undefined,
            reason: words,
          },
        })
      }
    >
      <p>It can be promoted again to {where}.</p>
    </Ask>
  );
}
