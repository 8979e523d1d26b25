import { useNavigate, useSearch } from '@tanstack/react-router';
import { CirclePlay } from 'lucide-react';
import { Switch } from 'react-aria-components';
import { useQuery } from 'urql';
import { useListChanges } from '../api/changes.ts';
import { EnvironmentLink } from '../environment/link.tsx';
import {
  BadVersionsDocument,
  type BadVersionsQuery,
  HoldsDocument,
  type HoldsQuery,
  MarkAbilitiesDocument,
  UnmarkBadDocument,
} from '../generated/documents.ts';
import { Ask } from '../parts/ask.tsx';
import { Empty } from '../parts/empty.tsx';
import { PageHeading } from '../parts/heading.tsx';
import { READ_AGAIN, useOrder } from '../parts/order.ts';
import { ReleaseLink } from '../parts/release-link.tsx';
import { Listed } from '../parts/rows.tsx';
import { When } from '../parts/time.tsx';
import { Until } from '../parts/until.tsx';
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
      <h2>Environments on hold</h2>
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
            <p>A hold is put on from the page of an environment, from a release, or with sluice hold.</p>
          </Empty>
        }
      >
        {(each) => <HoldRow key={each.id} hold={each} />}
      </Listed>
      <h2 className="second">Bad versions</h2>
      <Listed
        page={bad.data?.badVersions}
        error={bad.error}
        what="the bad versions"
        head={['Version', 'Product', 'Kept out of', 'Why', 'By', 'Since', 'Until']}
        acts
        after={badAfter}
        onPage={(to) => void navigate({ search: (before) => ({ ...before, badAfter: to }) })}
        none={<Empty title="No version is marked as bad." />}
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
      <td>{rollback ? <ReleaseLink release={rollback} /> : by}</td>
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
        <Until
          endedAt={bad.unmarkedAt}
          endedBy={bad.unmarkedBy}
          word="taken back"
          until={expiresAt}
          never="somebody takes it back"
        />
      </td>
      <td>{active && <Unmark bad={bad} where={where} />}</td>
    </tr>
  );
}

function Unmark({ bad, where }: { bad: Bad; where: string }) {
  const unmark = useOrder(UnmarkBadDocument);
  const { label, productName, digest, groupName, environmentNames } = bad;
  const alone = groupName == null && environmentNames.length === 1 ? environmentNames[0] : undefined;
  const [{ data }] = useQuery({
    query: MarkAbilitiesDocument,
    variables: { product: productName, environment: alone ?? '', isAlone: alone !== undefined },
  });
  return (
    <Ask
      label="Unmark"
      title={`${label} is not bad`}
      icon={<CirclePlay size={16} aria-hidden />}
      // Who can mark it there can take the mark back.
      can={data?.environment?.viewerCan.markBad ?? data?.product?.viewerCan.markBad}
      text={{ label: 'Reason', required: true }}
      onConfirm={(words) =>
        unmark({
          input: { product: productName, version: digest, group: groupName, environment: alone, reason: words },
        })
      }
    >
      <p>It can be promoted again to {where}.</p>
    </Ask>
  );
}
