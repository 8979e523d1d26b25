import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Hand } from 'lucide-react';
import { endOf, useChanges, useDefinitionChanges, useListChanges, useMoment } from '../api/changes.ts';
import { useRead } from '../api/read.ts';
import {
  AnyReleaseDocument,
  EnvironmentContentDocument,
  EnvironmentDocument,
  type EnvironmentQuery,
  HoldDocument,
} from '../generated/documents.ts';
import { Lift } from '../holds/lift.tsx';
import { Ask } from '../parts/ask.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { Fact, PageHeading } from '../parts/heading.tsx';
import { READ_AGAIN, useOrder } from '../parts/order.ts';
import { Pages } from '../parts/pages.tsx';
import { QueryProblem } from '../parts/problem.tsx';
import { ReleaseLink } from '../parts/release-link.tsx';
import { Rows } from '../parts/rows.tsx';
import { Status } from '../parts/status.tsx';
import { When } from '../parts/time.tsx';
import { toWords } from '../parts/words.ts';
import { Signs } from '../where/cell.tsx';
import { History } from './history.tsx';
import { Windows } from './windows.tsx';

/** One environment: what runs in it, what comes, what keeps things out, and what was there before. */
export function EnvironmentPage() {
  const { name } = useParams({ from: '/environments/$name' });
  const { product, after, historyAfter } = useSearch({ from: '/environments/$name' });
  const navigate = useNavigate({ from: '/environments/$name' });
  const [{ data, error }, ask] = useRead({ query: EnvironmentDocument, variables: { name }, context: READ_AGAIN });
  const [content, askContent] = useRead({ query: EnvironmentContentDocument, variables: { name, after } });
  const asks = [ask, askContent];
  useChanges(AnyReleaseDocument, { variables: { filter: { environment: name } }, from: endOf(data?.newest), asks });
  useListChanges(['ENVIRONMENT_HOLDS', 'BAD_VERSIONS'], asks);
  useDefinitionChanges(['ReleaseWindow', 'Environment'], [ask]);
  const state = data?.windowState;
  useMoment(state?.closed === true ? state.nextOpen : state?.nextClose, data, ask);
  if (data === undefined) {
    return (
      <>
        <PageHeading title={name} />
        <QueryProblem error={error} />
        {error === undefined && <Loading what="the environment" />}
      </>
    );
  }
  const { environment } = data;
  if (!environment) {
    return (
      <>
        <PageHeading title={name} />
        <Empty title="There is no such environment, or you do not see it.">
          <Link to="/where">Show where is what</Link>
        </Empty>
      </>
    );
  }
  const rows = content.data?.deploymentMatrix.nodes.flatMap(({ productName, cells }) =>
    cells.flatMap((cell) => (cell.version || cell.release || cell.inFlight.length > 0 ? [{ productName, cell }] : [])),
  );
  const shown = product ?? rows?.[0]?.productName;
  return (
    <>
      <Head environment={environment} />
      <QueryProblem error={error} />
      <Holds holds={data.environmentHolds.nodes} />
      <h2 className="second">What runs here</h2>
      <Rows
        items={rows}
        error={content.error}
        what="what runs here"
        head={['Product', 'Version', 'Health', 'Since', 'Brought by', 'Now']}
        none={
          <Empty title="Nothing was brought here yet.">
            <p>A release of a product whose flow has this environment brings the first version.</p>
          </Empty>
        }
      >
        {({ productName, cell }) => (
          <tr key={productName} className={productName === shown ? 'selected' : undefined}>
            <th scope="row">
              <Link
                to="/environments/$name"
                params={{ name }}
                search={(before) => ({ ...before, product: productName, historyAfter: undefined })}
                resetScroll={false}
              >
                {productName}
              </Link>
            </th>
            <td className="mono">{cell.version?.label ?? (cell.release ? 'different ones' : 'nothing yet')}</td>
            <td>{cell.health && <Status status={cell.health.status} />}</td>
            <td>{cell.since && <When at={cell.since} />}</td>
            <td>{cell.release && <ReleaseLink release={cell.release} />}</td>
            <td className="now">
              <span className="cell-line">
                <Signs cell={cell} />
              </span>
            </td>
          </tr>
        )}
      </Rows>
      <Pages
        after={after}
        info={content.data?.deploymentMatrix.pageInfo}
        next="More products"
        onPage={(to) => void navigate({ search: (before) => ({ ...before, after: to }) })}
      />
      <h2 className="second">Release windows</h2>
      <Windows state={data.windowState} environment={name} />
      {shown !== undefined && <History environment={name} product={shown} after={historyAfter} />}
    </>
  );
}

function Head({ environment }: { environment: NonNullable<EnvironmentQuery['environment']> }) {
  const hold = useOrder(HoldDocument);
  const { name, kind, description, labels, viewerCan } = environment;
  return (
    <>
      <PageHeading
        title={name}
        shown={
          <>
            {name}
            {kind === 'PRODUCTION' && <span className="chip">prod</span>}
          </>
        }
      >
        <div className="actions">
          <Link to="/" search={{ environment: name }} className="button">
            Its releases
          </Link>
          <Ask
            label="Hold"
            title={`Put ${name} on hold`}
            icon={<Hand size={16} aria-hidden />}
            can={viewerCan.hold}
            text={{ label: 'Reason', required: true }}
            onConfirm={(reason) => hold({ input: { environment: name, reason } })}
          >
            <p>Nothing of any product is promoted to {name} until the hold is lifted. What runs there goes on.</p>
          </Ask>
        </div>
      </PageHeading>
      {description && <p>{description}</p>}
      <dl className="facts">
        <Fact name="Kind">{toWords(kind)}</Fact>
        {labels.map(({ key, value }) => (
          <Fact key={key} name={key}>
            {value}
          </Fact>
        ))}
      </dl>
    </>
  );
}

function Holds({ holds }: { holds: EnvironmentQuery['environmentHolds']['nodes'] }) {
  if (holds.length === 0) return null;
  return (
    <section className="card waits" aria-labelledby="on-hold">
      <h2 id="on-hold">On hold</h2>
      <ul>
        {holds.map((each) => (
          <li key={each.id}>
            <div className="reason">
              <strong>{each.productName ?? 'All products'}</strong>
              <span>{each.reason}</span>
              <small className="details">
                <span>
                  by {each.rollback ? <ReleaseLink release={each.rollback} /> : (each.by ?? 'somebody')},{' '}
                  <When at={each.since} />
                </span>
                {each.until && (
                  <span>
                    until <When at={each.until} />
                  </span>
                )}
              </small>
            </div>
            <Lift hold={each} />
          </li>
        ))}
      </ul>
    </section>
  );
}
