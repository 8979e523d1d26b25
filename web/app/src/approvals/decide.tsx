import { Check, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useQuery } from 'urql';
import {
  type ApprovalStateFragment,
  ApproveDocument,
  DecidedDocument,
  type DecidedQuery,
  RejectDocument,
} from '../generated/documents.ts';
import { Ask } from '../parts/ask.tsx';
import { Loading } from '../parts/empty.tsx';
import { useOrder } from '../parts/order.ts';
import { QueryProblem } from '../parts/problem.tsx';
import { When } from '../parts/time.tsx';
import { count, placeName, toWords } from '../parts/words.ts';

interface DecideProps {
  approval: ApprovalStateFragment;
  promotion: { id: string; name: string; attempt: number };
  /** What will happen when it is approved. */
  children?: ReactNode;
}

/** Approve and reject, for who can; otherwise why there is no button. */
export function Decide({ approval, promotion, children }: DecideProps) {
  const approve = useOrder(ApproveDocument);
  const reject = useOrder(RejectDocument);
  if (approval.status !== 'OPEN') return null;
  if (!approval.viewerCanApprove) return <span className="hint">You cannot decide this: {whoCan(approval)}.</span>;
  const input = (comment: string) => ({
    input: {
      promotionId: promotion.id,
      step: approval.step,
      attempt: approval.attempt,
      comment: comment === '' ? undefined : comment,
    },
  });
  const place = placeName(promotion.name);
  const whenGone = <Decided approval={approval} promotion={promotion} />;
  return (
    // A retry asks anew: who still looks at the question before it is told so.
    <div className="actions" key={approval.attempt}>
      <Ask
        label="Approve"
        title={`Approve ${place}`}
        icon={<Check size={16} aria-hidden />}
        kind="primary"
        text={{ label: 'Comment', required: false }}
        whenGone={whenGone}
        onConfirm={(comment) => approve(input(comment))}
      >
        {approval.question && <p>{approval.question}</p>}
        {children}
        <Rules approval={approval} />
      </Ask>
      <Ask
        label="Reject"
        title={`Reject ${place}`}
        icon={<X size={16} aria-hidden />}
        kind="danger"
        text={{ label: 'Comment', required: false }}
        whenGone={whenGone}
        onConfirm={(comment) => reject(input(comment))}
      >
        <p>
          It is final for this attempt: {place} {approval.step == null ? 'does not start' : 'fails'}.
        </p>
      </Ask>
    </div>
  );
}

/** Who was faster, and what they said. */
function Decided({ approval: { step, attempt }, promotion }: Pick<DecideProps, 'approval' | 'promotion'>) {
  const [{ data, error }] = useQuery({
    query: DecidedDocument,
    variables: { id: promotion.id },
    requestPolicy: 'network-only',
  });
  const node = data?.node as DecidedPromotion | null | undefined;
  if (error) return <QueryProblem error={error} />;
  if (!node) return <Loading what="who decided" />;
  const asked = step == null ? node.approval : node.steps.find(({ name }) => name === step)?.approval;
  const decisions = asked?.attempt === attempt ? asked.decisions : [];
  return (
    <div role="alert">
      {decisions.map(({ at, by, kind, comment }) => (
        <p key={`${at} ${by}`}>
          <strong>{by ?? 'A person without a name'}</strong> {kind === 'REJECTED' ? 'rejected' : 'approved'} it{' '}
          <When at={at} />
          {comment && `: ${comment}`}
        </p>
      ))}
      <p>
        Nobody is asked any more: {placeName(promotion.name)} is {toWords(node.status).toLowerCase()}
        {node.attempt > attempt && `, in attempt ${node.attempt}`}.
      </p>
    </div>
  );
}

type DecidedPromotion = Extract<NonNullable<DecidedQuery['node']>, { steps: unknown }>;

/** Who has agreed already, and who is missing. */
export function Rules({ approval }: { approval: ApprovalStateFragment }) {
  return (
    <ul className="rules">
      {approval.rules.map(({ rule, missing, approvals }, index) => (
        <li key={index}>
          {peopleOf(rule)}: {rule.count - missing} of {rule.count}
          {approvals.length > 0 && ` (${approvals.map(({ by }) => by ?? 'a person without a name').join(', ')})`}
        </li>
      ))}
      {approval.expiresAt && (
        <li>
          Expires <When at={approval.expiresAt} />
          {approval.onExpiry === 'FAIL' ? '; then it fails' : '; then it waits on'}
        </li>
      )}
    </ul>
  );
}

export const whoCan = ({ rules }: Pick<ApprovalStateFragment, 'rules'>): string =>
  rules
    .filter(({ missing }) => missing > 0)
    .map(({ rule, missing }) => `${count(missing, 'approval')} of ${peopleOf(rule)} missing`)
    .join(', ') || 'it has all its approvals';

type Rule = ApprovalStateFragment['rules'][number]['rule'];

function peopleOf({ name, groups, roles, users }: Omit<Rule, 'count' | '__typename'>): string {
  const people = [...(users ?? []), ...(groups ?? []), ...(roles ?? [])];
  return name ?? (people.length > 0 ? people.join(' or ') : 'anybody who may approve there');
}
