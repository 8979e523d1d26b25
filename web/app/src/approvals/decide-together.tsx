import { Check, X } from 'lucide-react';
import { type ApprovalStateFragment, ApproveDocument, RejectDocument } from '../generated/documents.ts';
import { Ask, type Refusals } from '../parts/ask.tsx';
import { useOrder } from '../parts/order.ts';
import { count } from '../parts/words.ts';

interface Chosen {
  promotion: { id: string; name: string; release: { productName: string; version: { label: string } } };
  approval: ApprovalStateFragment;
}

interface DecideTogetherProps {
  chosen: readonly Chosen[];
  /** Gets what was refused, each with its name: what was asked here is gone when all of them are decided. */
  onDecided: (refusals: Refusals) => void;
}

/** Approves or rejects several with the same comment. Each is an order of its own: one that is refused does not stop the others. */
export function DecideTogether({ chosen, onDecided }: DecideTogetherProps) {
  const approve = useOrder(ApproveDocument);
  const reject = useOrder(RejectDocument);
  const decide = async (order: typeof approve, comment: string): Promise<Refusals> => {
    const refusals = await Promise.all(
      chosen.map(async ({ promotion, approval: { step, attempt } }) => {
        const input = { promotionId: promotion.id, step, attempt, comment: comment === '' ? undefined : comment };
        return (await order({ input })).map((each) => `${nameOf(promotion)}: ${each}`);
      }),
    );
    onDecided(refusals.flat());
    return [];
  };
  if (chosen.length === 0) return <span className="hint">Choose some to decide them together.</span>;
  const many = count(chosen.length, 'approval');
  const list = (
    <ul className="bare">
      {chosen.map(({ promotion, approval }) => (
        <li key={`${promotion.id} ${approval.step ?? ''}`}>{nameOf(promotion)}</li>
      ))}
    </ul>
  );
  return (
    <div className="actions">
      <Ask
        label={`Approve ${chosen.length}`}
        title={`Approve ${many}`}
        icon={<Check size={16} aria-hidden />}
        kind="primary"
        text={{ label: 'Comment on each', required: false }}
        onConfirm={(comment) => decide(approve, comment)}
      >
        {list}
      </Ask>
      <Ask
        label={`Reject ${chosen.length}`}
        title={`Reject ${many}`}
        icon={<X size={16} aria-hidden />}
        kind="danger"
        text={{ label: 'Comment on each', required: false }}
        onConfirm={(comment) => decide(reject, comment)}
      >
        <p>It is final for this attempt: none of them starts.</p>
        {list}
      </Ask>
    </div>
  );
}

const nameOf = ({ name, release: { productName, version } }: Chosen['promotion']): string =>
  `${productName} ${version.label} to ${name}`;
