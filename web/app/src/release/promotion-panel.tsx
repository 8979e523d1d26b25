import { Hand, RotateCw, SkipForward, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button, Disclosure, DisclosurePanel, Heading } from 'react-aria-components';
import { useQuery } from 'urql';
import {
  HoldDocument,
  type PromotionCardFragment,
  PromotionDocument,
  RetryDocument,
  SkipDocument,
  StepLogDocument,
} from '../generated/documents.ts';
import { Ask } from '../parts/ask.tsx';
import { Loading } from '../parts/empty.tsx';
import { useOrder } from '../parts/order.ts';
import { QueryProblem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { Took, When } from '../parts/time.tsx';
import { toWords, without } from '../parts/words.ts';
import { commitsOf, wordOf } from './environments.tsx';
import type { ReleaseRead } from './use-release.ts';

interface PanelProps {
  release: ReleaseRead;
  promotion: PromotionCardFragment;
  close: () => void;
}

/** One environment of the release: its steps, tries, outputs and logs, and what can be done there. */
export function PromotionPanel({ release, promotion, close }: PanelProps) {
  const [{ data, error }, ask] = useQuery({ query: PromotionDocument, variables: { id: promotion.id } });
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    heading.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  // The release was read again because its log went on: so did perhaps the steps.
  useEffect(() => ask({ requestPolicy: 'network-only' }), [release, ask]);
  const node = data?.node;
  const detail = node && 'steps' in node ? node : undefined;
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
      <Actions release={release} promotion={promotion} />
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
      {promotion.problem && <p className="problem">{promotion.problem.message}</p>}
      {promotion.skip && (
        <p className="note">
          Skipped by {promotion.skip.by ?? 'somebody'}: {promotion.skip.reason}
        </p>
      )}
      {promotion.waitingFor.map(({ message }) => (
        <p key={message} className="note">
          {without(promotion.name, message)}
        </p>
      ))}
      {promotion.pullRequests.map(({ number, url, state }) => (
        <p key={`${number}`} className="note">
          Pull request {url ? <a href={url}>#{number}</a> : `#${number ?? '?'}`}{' '}
          <Status status={state} word={toWords(state)} />
        </p>
      ))}
      <QueryProblem error={error} />
      {detail === undefined ? (
        error === undefined && <Loading what="its steps" />
      ) : (
        <>
          <h3>Steps</h3>
          {detail.steps.length === 0 && <p className="hint">It has no steps yet.</p>}
          <ol className="steps">
            {detail.steps.map((step) => (
              <Step
                key={`${step.phase} ${step.name} ${step.application ?? ''} ${step.attempt}`}
                step={step}
                release={release.uuid}
                environment={promotion.name}
              />
            ))}
          </ol>
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

function Actions({ release, promotion }: Omit<PanelProps, 'close'>) {
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
          text={{ label: 'Reason', required: true }}
          onConfirm={(reason) => skip({ input: { releaseId: release.uuid, environment: name, reason } })}
        >
          <p>It is left out: what depends on it goes on as if it had succeeded.</p>
        </Ask>
      )}
      <Ask
        label="Hold"
        title={`Put ${name} on hold`}
        icon={<Hand size={16} aria-hidden />}
        text={{ label: 'Reason', required: true }}
        onConfirm={(reason) => hold({ input: { environment: name, product: release.productName, reason } })}
      >
        <p>
          No promotion of {release.productName} starts in {name} until the hold is lifted. What runs there goes on.
        </p>
      </Ask>
    </div>
  );
}

type StepRead = Extract<
  NonNullable<import('../generated/documents.ts').PromotionQuery['node']>,
  { steps: unknown }
>['steps'][number];

function Step({ step, release, environment }: { step: StepRead; release: string; environment: string }) {
  const isUnderWay = step.startedAt != null;
  return (
    <li>
      <div className="step">
        <Status status={step.status} />
        <span>
          <strong>{step.action ?? toWords(step.phase)}</strong>{' '}
          <small>{step.action ? toWords(step.phase) : step.application}</small>
        </span>
        {step.startedAt && <Took from={step.startedAt} until={step.endedAt ?? null} />}
      </div>
      {step.tries > 1 && <p className="note">{step.tries} tries</p>}
      {step.reason && <p className="note">{step.reason}</p>}
      {step.lastError && <p className="problem">{step.lastError}</p>}
      {step.firstError && step.firstError !== step.lastError && <p className="note">First: {step.firstError}</p>}
      {step.recheckAt && step.status === 'WAITING' && (
        <p className="note">
          Looks again <When at={step.recheckAt} />
        </p>
      )}
      {step.outputs.length > 0 && (
        <dl className="outputs">
          {step.outputs.map(({ name, value }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="mono">{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {isUnderWay && step.action && (
        <Log release={release} environment={environment} step={step.name} attempt={step.attempt} />
      )}
    </li>
  );
}

interface LogProps {
  release: string;
  environment: string;
  step: string;
  attempt: number;
}

function Log(props: LogProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Disclosure isExpanded={isOpen} onExpandedChange={setOpen}>
      <Heading level={4} className="log-heading">
        <Button slot="trigger" className="link-button">
          {isOpen ? 'Hide the log' : 'Show the log'}
        </Button>
      </Heading>
      <DisclosurePanel>{isOpen && <LogText {...props} />}</DisclosurePanel>
    </Disclosure>
  );
}

function LogText({ release, environment, step, attempt }: LogProps) {
  const [{ data, error }] = useQuery({
    query: StepLogDocument,
    variables: { release, filter: { environment, step, attempt } },
  });
  if (error) return <QueryProblem error={error} />;
  if (!data) return <Loading what="the log" />;
  if (data.actionLog.nodes.length === 0) return <p className="hint">It wrote nothing.</p>;
  return (
    <pre className="log" tabIndex={0} aria-label={`Log of ${step}`}>
      {data.actionLog.nodes.map(({ text }) => text).join('')}
      {data.actionLog.pageInfo.hasNextPage && '\n… more: sluice logs'}
    </pre>
  );
}
