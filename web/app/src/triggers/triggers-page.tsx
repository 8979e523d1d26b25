import { Link } from '@tanstack/react-router';
import { CirclePause, CirclePlay, RotateCw } from 'lucide-react';
import { useQuery } from 'urql';
import { useTitle } from '../frame/title.ts';
import {
  DeliveriesDocument,
  type DeliveriesQuery,
  PauseTriggersDocument,
  ReplayDocument,
  ResumeTriggersDocument,
  TriggersDocument,
  type TriggersQuery,
} from '../generated/documents.ts';
import { Ask } from '../parts/ask.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { useOrder } from '../parts/order.ts';
import { QueryProblem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { When } from '../parts/time.tsx';

/** What starts releases by itself, what came of it, and what outside systems sent. */
export function TriggersPage() {
  useTitle('Triggers');
  const [{ data, error }] = useQuery({ query: TriggersDocument });
  const [deliveries] = useQuery({ query: DeliveriesDocument, variables: {} });
  return (
    <>
      <div className="heading">
        <h1>Triggers</h1>
      </div>
      <QueryProblem error={error} />
      {data === undefined ? (
        error === undefined && <Loading what="the triggers" />
      ) : (
        <>
          <Watched triggers={data.triggers} />
          <h2 className="second">What may become a release</h2>
          <Candidates candidates={data.candidates.nodes} />
        </>
      )}
      <h2 className="second">Webhook deliveries</h2>
      <QueryProblem error={deliveries.error} />
      {deliveries.data && <Deliveries deliveries={deliveries.data.webhookDeliveries.nodes} />}
    </>
  );
}

function Watched({ triggers }: { triggers: TriggersQuery['triggers'] }) {
  const pause = useOrder(PauseTriggersDocument);
  const resume = useOrder(ResumeTriggersDocument);
  if (triggers.length === 0) {
    return (
      <Empty title="Nothing starts a release by itself.">
        <p>A product with trigger in its manifest is released when a commit arrives in its trigger environment.</p>
      </Empty>
    );
  }
  return (
    <table className="list">
      <thead>
        <tr>
          <th scope="col">Product</th>
          <th scope="col">Application</th>
          <th scope="col">Repository</th>
          <th scope="col">Looked at</th>
          <th scope="col">Moved</th>
          <th scope="col">Now</th>
          <th scope="col">
            <span className="hidden">What can be done</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {triggers.map((each) => (
          <tr key={`${each.productName} ${each.applicationName}`}>
            <th scope="row">{each.productName}</th>
            <td>{each.applicationName}</td>
            <td className="mono">
              {each.repository} {each.branch}
            </td>
            <td>{each.lookedAt ? <When at={each.lookedAt} /> : 'not yet'}</td>
            <td>{each.movedAt && <When at={each.movedAt} />}</td>
            <td className="now">
              {each.pause
                ? `Paused by ${each.pause.by ?? 'somebody'}: ${each.pause.reason}`
                : (each.error ?? each.outcome)}
            </td>
            <td>
              {each.pause ? (
                <Ask
                  label="Resume"
                  title={`Release ${each.productName} by itself again`}
                  icon={<CirclePlay size={16} aria-hidden />}
                  onConfirm={() => resume({ input: { product: each.productName } })}
                />
              ) : (
                <Ask
                  label="Pause"
                  title={`Pause the triggers of ${each.productName}`}
                  icon={<CirclePause size={16} aria-hidden />}
                  text={{ label: 'Reason', required: true }}
                  onConfirm={(reason) => pause({ input: { product: each.productName, reason } })}
                >
                  <p>What arrives meanwhile is kept as one candidate.</p>
                </Ask>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Candidates({ candidates }: { candidates: TriggersQuery['candidates']['nodes'] }) {
  if (candidates.length === 0) return <Empty title="No change has arrived yet." />;
  return (
    <table className="list">
      <thead>
        <tr>
          <th scope="col">Product</th>
          <th scope="col">Status</th>
          <th scope="col">Commit</th>
          <th scope="col">Why</th>
          <th scope="col">Arrived</th>
        </tr>
      </thead>
      <tbody>
        {candidates.map((each) => (
          <tr key={each.id}>
            <th scope="row">{each.productName}</th>
            <td>
              <Status status={each.status} />
            </td>
            <td>
              <span className="mono">{each.commit?.slice(0, 7)}</span> {each.message?.split('\n')[0]}
            </td>
            <td className="now">
              {each.release ? (
                <Link to="/releases/$id" params={{ id: each.release.uuid }}>
                  {each.release.shortId}
                </Link>
              ) : (
                each.reason
              )}
            </td>
            <td>
              <When at={each.createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Deliveries({ deliveries }: { deliveries: DeliveriesQuery['webhookDeliveries']['nodes'] }) {
  const replay = useOrder(ReplayDocument);
  if (deliveries.length === 0) {
    return (
      <Empty title="No webhook has arrived yet.">
        <p>Git hosts and Argo CD send them to /hooks, signed with a secret.</p>
      </Empty>
    );
  }
  return (
    <table className="list">
      <thead>
        <tr>
          <th scope="col">Source</th>
          <th scope="col">Status</th>
          <th scope="col">What came of it</th>
          <th scope="col">Signed with</th>
          <th scope="col">Received</th>
          <th scope="col">
            <span className="hidden">What can be done</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {deliveries.map((each) => (
          <tr key={each.id}>
            <th scope="row">
              {each.source}
              <small className="mono">{each.webhookId}</small>
            </th>
            <td>
              <Status status={each.status} />
            </td>
            <td className="now">{each.outcome}</td>
            <td>{each.verifiedBy}</td>
            <td>
              <When at={each.receivedAt} />
            </td>
            <td>
              <Ask
                label="Replay"
                icon={<RotateCw size={16} aria-hidden />}
                onConfirm={() => replay({ input: { id: each.id } })}
              >
                <p>It is processed again as it came.</p>
              </Ask>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
