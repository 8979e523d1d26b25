import { CirclePlay } from 'lucide-react';
import { useQuery } from 'urql';
import { EnvironmentAbilitiesDocument, UnholdDocument } from '../generated/documents.ts';
import { Ask } from '../parts/ask.tsx';
import { useOrder } from '../parts/order.ts';

interface LiftProps {
  hold: { id: string; environmentName: string; productName?: string | null; reason: string; by?: string | null };
}

/** Lifts a hold, for who can. */
export function Lift({ hold: { id, environmentName, productName, reason, by } }: LiftProps) {
  const unhold = useOrder(UnholdDocument);
  const [{ data }] = useQuery({
    query: EnvironmentAbilitiesDocument,
    variables: { environment: environmentName, product: productName },
  });
  return (
    <Ask
      label="Lift"
      title={`Lift the hold of ${environmentName}`}
      icon={<CirclePlay size={16} aria-hidden />}
      can={data?.environment?.viewerCan.release}
      text={{ label: 'Reason', required: false }}
      onConfirm={(words) =>
        unhold({
          input: {
            environment: environmentName,
            product: productName,
            holdId: id,
            reason: words === '' ? undefined : words,
          },
        })
      }
    >
      <p>
        {by ?? 'Somebody'} put it on hold: {reason}
      </p>
      <p>What waits for it goes on at once.</p>
    </Ask>
  );
}
