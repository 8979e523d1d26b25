import { CirclePlay } from 'lucide-react';
import { useQuery } from 'urql';
import { type BadVersionMarkFragment, MarkAbilitiesDocument, UnmarkBadDocument } from '../generated/documents.ts';
import { Ask } from '../parts/ask.tsx';
import { useOrder } from '../parts/order.ts';

/** What a mark keeps its version out of, in words. */
export const whereBad = ({ groupName, environmentNames }: BadVersionMarkFragment): string =>
  groupName ?? (environmentNames.length > 0 ? environmentNames.join(', ') : 'everywhere');

/** Takes a mark back, for who can. */
export function Unmark({ bad }: { bad: BadVersionMarkFragment }) {
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
      <p>It can be promoted again to {whereBad(bad)}.</p>
    </Ask>
  );
}
