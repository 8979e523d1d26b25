import { CirclePause, CirclePlay, Rocket, RotateCw, X } from 'lucide-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { useListChanges } from '../api/changes.ts';
import { useRead } from '../api/read.ts';
import { useMay } from '../frame/viewer.ts';
import {
  DeliveriesDocument,
  type DeliveriesQuery,
  DismissCandidateDocument,
  PauseTriggersDocument,
  type Permission,
  ReleaseCandidateDocument,
  ReplayDocument,
  ResumeTriggersDocument,
  RetryCandidateDocument,
  TriggersDocument,
  type TriggersQuery,
  ViewerForProductDocument,
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
  const { after } = useSearch({ from: '/triggers' });
  const navigate = useNavigate({ from: '/triggers' });
  const [triggers, askTriggers] = useRead({ query: TriggersDocument, variables: { after }, context: READ_AGAIN });
  const sees = useMay(false)('REPORT');
  useListChanges(['TRIGGERS', 'CANDIDATES'], [askTriggers]);
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
        acts
        after={after}
        onPage={(to) => void navigate({ search: (before) => ({ ...before, after: to }) })}
        none={
          <Empty title="No change has arrived yet.">
            <p>A commit that moves the trigger environment of a product stands here, with what became of it.</p>
          </Empty>
        }
      >
        {(each) => <CandidateRow key={each.id} candidate={each} />}
      </Listed>
      {sees && <Deliveries />}
    </>
  );
}

/** What outside systems sent: for those who may report themselves, as its senders report on everything. */
function Deliveries() {
  const { deliveriesAfter } = useSearch({ from: '/triggers' });
  const navigate = useNavigate({ from: '/triggers' });
  const [deliveries, askDeliveries] = useRead({
    query: DeliveriesDocument,
    variables: { after: deliveriesAfter },
    context: READ_AGAIN,
  });
  useListChanges(['WEBHOOK_DELIVERIES'], [askDeliveries]);
  return (
    <>
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

/** Whether the viewer may do something for a product; true until that is known, so that nothing is refused which is not. */
function useMayFor(product: string): (permission: Permission) => boolean {
  const [{ data }] = useQuery({ query: ViewerForProductDocument, variables: { product } });
  return (permission) => data?.viewer.permissions.includes(permission) ?? true;
}

const refusal = (permission: Permission, product: string) => ({
  allowed: false,
  reason: `You are not allowed to ${permission} for product "${product}".`,
});

function TriggerRow({ trigger }: { trigger: TriggersQuery['triggers'][number] }) {
  const pause = useOrder(PauseTriggersDocument);
  const resume = useOrder(ResumeTriggersDocument);
  const { productName, applicationName, repository, branch, lookedAt, movedAt, error, outcome } = trigger;
  const can = useMayFor(productName)('HOLD') ? undefined : refusal('HOLD', productName);
  return (
    <tr>
      <th scope="row">{productName}</th>
      <td>{applicationName}</td>
      <td className="mono">{repository && `${repository} ${branch}`}</td>
      <td>{lookedAt ? <When at={lookedAt} /> : 'not yet'}</td>
      <td>{movedAt && <When at={movedAt} />}</td>
      <td className="now">
        {trigger.pause ? (
          <>
            Paused by {trigger.pause.by ?? 'somebody'}: {trigger.pause.reason}
            {trigger.pause.until && (
              <>
                , until <When at={trigger.pause.until} />
              </>
            )}
          </>
        ) : (
          (error ?? outcome)
        )}
      </td>
      <td>
        {trigger.pause ? (
          <Ask
            label="Resume"
            title={`Release ${productName} by itself again`}
            icon={<CirclePlay size={16} aria-hidden />}
            can={can}
            onConfirm={() => resume({ input: { product: productName } })}
          />
        ) : (
          <Ask
            label="Pause"
            title={`Pause the triggers of ${productName}`}
            icon={<CirclePause size={16} aria-hidden />}
            can={can}
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

type Candidate = TriggersQuery['candidates']['nodes'][number];

function CandidateRow({ candidate }: { candidate: Candidate }) {
  const { productName, flowName, status, commit, message, author, release, reason, createdAt } = candidate;
  return (
    <tr>
      <th scope="row">
        {productName}
        <small>{flowName}</small>
      </th>
      <td>
        <Status status={status} />
      </td>
      <td>
        <span className="mono">{commit?.slice(0, 7)}</span> {message?.split('\n')[0]}
        {author && <small className="below">{author.replace(/ <.*>$/, '')}</small>}
      </td>
      <td className="now">{release ? <ReleaseLink release={release} /> : reason}</td>
      <td>
        <When at={createdAt} />
      </td>
      <td>
        <CandidateActions candidate={candidate} />
      </td>
    </tr>
  );
}

const OPEN = ['COALESCING', 'WAITING'];
const GIVEN_UP = ['REFUSED', 'DISMISSED', 'FAILED'];

/** What a person can do about a candidate that became no release. */
function CandidateActions({ candidate: { id, productName, status } }: { candidate: Candidate }) {
  const release = useOrder(ReleaseCandidateDocument);
  const retry = useOrder(RetryCandidateDocument);
  const dismiss = useOrder(DismissCandidateDocument);
  const can = useMayFor(productName)('PROMOTE') ? undefined : refusal('PROMOTE', productName);
  const input = { candidateId: id };
  if (GIVEN_UP.includes(status))
    return (
      <Ask label="Look again" icon={<RotateCw size={16} aria-hidden />} can={can} onConfirm={() => retry({ input })}>
        <p>Its files are read once more, and it becomes a release if nothing speaks against it now.</p>
      </Ask>
    );
  if (!OPEN.includes(status)) return null;
  return (
    <div className="actions">
      <Ask label="Release now" icon={<Rocket size={16} aria-hidden />} can={can} onConfirm={() => release({ input })}>
        <p>It does not wait any longer. The release counts as started by you.</p>
      </Ask>
      <Ask
        label="Dismiss"
        icon={<X size={16} aria-hidden />}
        kind="danger"
        can={can}
        text={{ label: 'Reason', required: true }}
        onConfirm={(words) => dismiss({ input: { ...input, reason: words } })}
      >
        <p>It becomes no release by itself.</p>
      </Ask>
    </div>
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
