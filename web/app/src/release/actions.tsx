import { Ban, RotateCw, ThumbsDown } from 'lucide-react';
import { MarkBadDocument, RetryDocument, TerminateDocument } from '../generated/documents.ts';
import { Ask } from '../parts/ask.tsx';
import { useOrder } from '../parts/order.ts';
import { RollBackButton } from './roll-back.tsx';
import type { ReleaseRead } from './use-release.ts';

const RETRIABLE = ['FAILED', 'TERMINATED'];

/** What can be done with the release as a whole; what cannot is not there. */
export function ReleaseActions({ release }: { release: ReleaseRead }) {
  const retry = useOrder(RetryDocument);
  const terminate = useOrder(TerminateDocument);
  const markBad = useOrder(MarkBadDocument);
  const { uuid, shortId, status, endedAt, kind, productName, version, viewerCan } = release;
  return (
    <div className="actions">
      {RETRIABLE.includes(status) && (
        <Ask
          can={viewerCan.retry}
          label="Retry"
          title={`Retry ${shortId}`}
          icon={<RotateCw size={16} aria-hidden />}
          onConfirm={() => retry({ input: { releaseId: uuid } })}
        >
          <p>It goes on where it failed. What has succeeded is not run again.</p>
        </Ask>
      )}
      {kind === 'FORWARD' && release.counts.succeeded + release.counts.failed > 0 && (
        <RollBackButton
          title={`Take ${version.label} of ${productName} back`}
          what={{ product: productName, version: version.digest }}
          can={viewerCan.rollback}
          order={release.promotions.map(({ name }) => name)}
        />
      )}
      {kind === 'FORWARD' && (
        <Ask
          label="Mark bad"
          title={`Mark ${version.label} as bad`}
          icon={<ThumbsDown size={16} aria-hidden />}
          can={viewerCan.markBad}
          text={{ label: 'Reason', required: true }}
          onConfirm={(reason) => markBad({ input: { product: productName, version: version.digest, reason } })}
        >
          <p>It is not promoted any further until the mark is taken back. Where it is, it stays.</p>
        </Ask>
      )}
      {!endedAt && (
        <Ask
          can={viewerCan.terminate}
          label="Terminate"
          title={`Terminate ${shortId}`}
          icon={<Ban size={16} aria-hidden />}
          kind="danger"
          text={{ label: 'Reason', required: false }}
          onConfirm={(words) => terminate({ input: { releaseId: uuid, reason: words === '' ? undefined : words } })}
        >
          <p>What runs is stopped, and nothing more starts. What has been promoted stays where it is.</p>
        </Ask>
      )}
    </div>
  );
}
