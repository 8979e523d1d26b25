import { Hand, RotateCw, SkipForward, X } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { Button } from 'react-aria-components';
import { useQuery } from 'urql';
import { EnvironmentLink } from '../environment/link.tsx';
import {
  HoldDocument,
  PromotionDocument,
  type PromotionQuery,
  RetryDocument,
  SkipDocument,
} from '../generated/documents.ts';
import { Away } from '../parts/away.tsx';
import { Coded } from '../parts/coded.tsx';
import { Ask } from '../parts/ask.tsx';
import { Loading } from '../parts/empty.tsx';
import { useOrder } from '../parts/order.ts';
import { QueryProblem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Took, When } from '../parts/time.tsx';
import { toWords, without } from '../parts/words.ts';
import { commitsOf, wordOf } from './environments.tsx';
import { reasonsByPromotion } from './paint.ts';
import { Steps } from './steps.tsx';
import type { PromotionRead, ReleaseRead } from './use-release.ts';

interface PanelProps {
  release: ReleaseRead;
  promotion: PromotionRead;
  close: () => void;
}

/** One environment of the release: its steps, tries, outputs and logs, and what can be done there. */
export function PromotionPanel({ release, promotion, close }: PanelProps) {
  const [{ data, error }, ask] = useQuery({
    query: PromotionDocument,
    variables: { id: promotion.id, product: release.productName },
  });
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    heading.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  // Each change of it is another object.
  useEffect(() => ask({ requestPolicy: 'network-only' }), [promotion, ask]);
  const node = data?.node;
  const detail = node && 'steps' in node ? (node as PromotionDetail) : undefined;
  const reasons = reasonsByPromotion(release).get(promotion.name) ?? [];
  return (
    <aside className="card panel" aria-label={`Environment ${promotion.name}`}>
      <div className="heading">
        <h2 tabIndex={-1} ref={heading}>
          {promotion.name}
        </h2>
        <Status status={promotion.status} word={wordOf(promotion)} />
        <Button className="icon-button" aria-label="Close" onPress={close}>
          <X size={18} aria-hidden />
        </Button>
      </div>
      {detail && <Actions release={release} promotion={promotion} detail={detail} />}
      <dl className="facts">
        {promotion.startedAt && (
          <div>
            <dt>Started</dt>
            <dd>
              <When at={promotion.startedAt} />
            </dd>
          </div>
        )}
        {promotion.startedAt && (
          <div>
            <dt>Took</dt>
            <dd>
              <Took from={promotion.startedAt} until={promotion.endedAt ?? null} />
            </dd>
          </div>
        )}
        {promotion.planned.environment != null && (
          <div>
            <dt>Environment</dt>
            <dd>
              <EnvironmentLink name={promotion.planned.environment} product={release.productName} />
            </dd>
          </div>
        )}
        {promotion.attempt > 1 && (
          <div>
            <dt>Attempt</dt>
            <dd>{promotion.attempt}</dd>
          </div>
        )}
        {commitsOf(promotion) && (
          <div>
            <dt>Commit</dt>
            <dd className="mono">{commitsOf(promotion)}</dd>
          </div>
        )}
      </dl>
      {promotion.problem && (
        <p className="problem">
          <Coded>{promotion.problem.message}</Coded>
        </p>
      )}
      {promotion.skip && (
        <p className="note">
          Skipped by {promotion.skip.by ?? 'somebody'}: {promotion.skip.reason}
        </p>
      )}
      {reasons.map(({ message }) => (
        <p key={message} className="note">
          <Coded>{without(promotion.name, message)}</Coded>
        </p>
      ))}
      {promotion.pullRequests.map(({ number, url, state }) => (
        <p key={`${number}`} className="note">
          Pull request <Away to={url}>#{number ?? '?'}</Away> <Status status={state} word={toWords(state)} />
        </p>
      ))}
      <QueryProblem error={error} />
      {detail === undefined ? (
        error === undefined && <Loading what="its steps" />
      ) : (
        <>
          <h3>Steps</h3>
          {detail.steps.length === 0 && <p className="hint">It has no steps yet.</p>}
          <Steps
            steps={detail.steps}
            release={release.uuid}
            environment={promotion.name}
            isOver={release.endedAt != null}
          />
          {detail.gateEvidence && detail.gateEvidence.length > 0 && (
            <>
              <h3>Why it could start</h3>
              <ul className="bare">
                {detail.gateEvidence.map(({ gate, reason }) => (
                  <li key={gate}>
                    <strong>{toWords(gate)}</strong>: {reason}
                  </li>
                ))}
              </ul>
            </>
          )}
        </>
      )}
    </aside>
  );
}

const ENDED = ['SUCCEEDED', 'SKIPPED', 'ROLLED_BACK'];

function Actions({ release, promotion, detail }: Omit<PanelProps, 'close'> & { detail: PromotionDetail }) {
  const retry = useOrder(RetryDocument);
  const skip = useOrder(SkipDocument);
  const hold = useOrder(HoldDocument);
  const { name, status } = promotion;
  return (
    <div className="actions">
      {['FAILED', 'TERMINATED'].includes(status) && (
        <Ask
          label="Retry"
          title={`Retry ${name}`}
          icon={<RotateCw size={16} aria-hidden />}
          can={detail.viewerCan.retry}
          onConfirm={() => retry({ input: { releaseId: release.uuid, environment: name } })}
        >
          <p>In this environment alone. What has succeeded in it is not run again.</p>
        </Ask>
      )}
      {!ENDED.includes(status) && release.kind === 'FORWARD' && (
        <Ask
          label="Skip"
          title={`Skip ${name}`}
          icon={<SkipForward size={16} aria-hidden />}
          can={detail.viewerCan.skip}
          text={{ label: 'Reason', required: true }}
          onConfirm={(reason) => skip({ input: { releaseId: release.uuid, environment: name, reason } })}
        >
          <p>It is left out: what depends on it goes on as if it had succeeded.</p>
        </Ask>
      )}
      {detail.environment && (
        <Ask
          label="Hold"
          title={`Put ${name} on hold`}
          icon={<Hand size={16} aria-hidden />}
          can={detail.environment.viewerCan.hold}
          text={{ label: 'Reason', required: true }}
          onConfirm={(reason) => hold({ input: { environment: name, product: release.productName, reason } })}
        >
          <p>
            No promotion of {release.productName} starts in {name} until the hold is lifted. What runs there goes on.
          </p>
        </Ask>
      )}
    </div>
  );
}

type PromotionDetail = Extract<NonNullable<PromotionQuery['node']>, { steps: unknown }>;
