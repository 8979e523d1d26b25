import { Check, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { type ApprovalStateFragment, ApproveDocument, RejectDocument } from '../generated/documents.ts';
import { Ask } from '../parts/ask.tsx';
import { useOrder } from '../parts/order.ts';
import { When } from '../parts/time.tsx';
import { count } from '../parts/words.ts';

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
  return (
    <div className="actions">
      <Ask
        label="Approve"
        title={`Approve ${promotion.name}`}
        icon={<Check size={16} aria-hidden />}
        kind="primary"
        text={{ label: 'Comment', required: false }}
        onConfirm={(comment) => approve(input(comment))}
      >
        {approval.question && <p>{approval.question}</p>}
        {children}
        <Rules approval={approval} />
      </Ask>
      <Ask
        label="Reject"
        title={`Reject ${promotion.name}`}
        icon={<X size={16} aria-hidden />}
        kind="danger"
        text={{ label: 'Comment', required: false }}
        onConfirm={(comment) => reject(input(comment))}
      >
        <p>It is final for this attempt: {promotion.name} does not start.</p>
      </Ask>
    </div>
  );
}

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
