import { CirclePause, CirclePlay, RotateCw } from 'lucide-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { useListChanges } from '../api/changes.ts';
import { useMay } from '../frame/viewer.ts';
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
import { Empty } from '../parts/empty.tsx';
import { PageHeading } from '../parts/heading.tsx';
import { READ_AGAIN, useOrder } from '../parts/order.ts';
import { ReleaseLink } from '../parts/release-link.tsx';
import { Listed, Rows } from '../parts/rows.tsx';
import { Status } from '../parts/status.tsx';
import { When } from '../parts/time.tsx';

/** What starts releases by itself, what came of it, and what outside systems sent. */
export function TriggersPage() {
  const { after, deliveriesAfter } = useSearch({ from: '/triggers' });
  const navigate = useNavigate({ from: '/triggers' });
  const [triggers, askTriggers] = useQuery({ query: TriggersDocument, variables: { after }, context: READ_AGAIN });
  const [deliveries, askDeliveries] = useQuery({
    query: DeliveriesDocument,
    variables: { after: deliveriesAfter },
    context: READ_AGAIN,
  });
  useListChanges(['TRIGGERS', 'CANDIDATES'], [askTriggers]);
  useListChanges(['WEBHOOK_DELIVERIES'], [askDeliveries]);
  return (
    <>
      <PageHeading title="Triggers" />
      <Rows
        items={triggers.data?.triggers}
        error={triggers.error}
        what="the triggers"
        head={['Product', 'Application', 'Repository', 'Looked at', 'Moved', 'Now']}
        acts
        none={
          <Empty title="Nothing starts a release by itself.">
            <p>A product with trigger in its manifest is released when a commit arrives in its trigger environment.</p>
          </Empty>
        }
      >
        {(each) => <TriggerRow key={`${each.productName} ${each.applicationName}`} trigger={each} />}
      </Rows>
      <h2 className="second">What may become a release</h2>
      <Listed
        page={triggers.data?.candidates}
        what="the candidates"
        head={['Product', 'Status', 'Commit', 'Why', 'Arrived']}
        after={after}
        onPage={(to) => void navigate({ search: (before) => ({ ...before, after: to }) })}
        none={<Empty title="No change has arrived yet." />}
      >
        {(each) => <CandidateRow key={each.id} candidate={each} />}
      </Listed>
      <h2 className="second">Webhook deliveries</h2>
      <Listed
        page={deliveries.data?.webhookDeliveries}
        error={deliveries.error}
        what="the deliveries"
        head={['Source', 'Status', 'What came of it', 'Signed with', 'Received']}
        acts
        after={deliveriesAfter}
        onPage={(to) => void navigate({ search: (before) => ({ ...before, deliveriesAfter: to }) })}
        none={
          <Empty title="No webhook has arrived yet.">
            <p>Git hosts and Argo CD send them to /hooks, signed with a secret.</p>
          </Empty>
        }
      >
        {(each) => <DeliveryRow key={each.id} delivery={each} />}
      </Listed>
    </>
  );
}

function TriggerRow({ trigger }: { trigger: TriggersQuery['triggers'][number] }) {
  const pause = useOrder(PauseTriggersDocument);
  const resume = useOrder(ResumeTriggersDocument);
  const may = useMay()('PROMOTE');
  const { productName, applicationName, repository, branch, lookedAt, movedAt, error, outcome } = trigger;
  return (
    <tr>
      <th scope="row">{productName}</th>
      <td>{applicationName}</td>
      <td className="mono">
        {repository} {branch}
      </td>
      <td>{lookedAt ? <When at={lookedAt} /> : 'not yet'}</td>
      <td>{movedAt && <When at={movedAt} />}</td>
      <td className="now">
        {trigger.pause ? `Paused by ${trigger.pause.by ?? 'somebody'}: ${trigger.pause.reason}` : (error ?? outcome)}
      </td>
      <td>
        {!may ? null : trigger.pause ? (
          <Ask
            label="Resume"
            title={`Release ${productName} by itself again`}
            icon={<CirclePlay size={16} aria-hidden />}
            onConfirm={() => resume({ input: { product: productName } })}
          />
        ) : (
          <Ask
            label="Pause"
            title={`Pause the triggers of ${productName}`}
            icon={<CirclePause size={16} aria-hidden />}
            text={{ label: 'Reason', required: true }}
            onConfirm={(reason) => pause({ input: { product: productName, reason } })}
          >
            <p>What arrives meanwhile is kept as one candidate.</p>
          </Ask>
        )}
      </td>
    </tr>
  );
}

function CandidateRow({ candidate }: { candidate: TriggersQuery['candidates']['nodes'][number] }) {
  const { productName, status, commit, message, release, reason, createdAt } = candidate;
  return (
    <tr>
      <th scope="row">{productName}</th>
      <td>
        <Status status={status} />
      </td>
      <td>
        <span className="mono">{commit?.slice(0, 7)}</span> {message?.split('\n')[0]}
      </td>
      <td className="now">{release ? <ReleaseLink release={release} /> : reason}</td>
      <td>
        <When at={createdAt} />
      </td>
    </tr>
  );
}

function DeliveryRow({ delivery }: { delivery: DeliveriesQuery['webhookDeliveries']['nodes'][number] }) {
  const replay = useOrder(ReplayDocument);
  const { id, source, webhookId, status, outcome, verifiedBy, receivedAt } = delivery;
  return (
    <tr>
      <th scope="row">
        {source}
        <small className="mono">{webhookId}</small>
      </th>
      <td>
        <Status status={status} />
      </td>
      <td className="now">{outcome}</td>
      <td>{verifiedBy}</td>
      <td>
        <When at={receivedAt} />
      </td>
      <td>
        <Ask label="Replay" icon={<RotateCw size={16} aria-hidden />} onConfirm={() => replay({ input: { id } })}>
          <p>It is processed again as it came.</p>
        </Ask>
      </td>
    </tr>
  );
}
