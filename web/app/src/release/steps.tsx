import type { StepStateFragment } from '../generated/documents.ts';
import { Status } from '../parts/status.tsx';
import { Took, When } from '../parts/time.tsx';
import { toWords } from '../parts/words.ts';
import { StepLog } from './step-log.tsx';

interface StepsProps {
  steps: readonly StepStateFragment[];
  release: string;
  /** undefined: they are of the release itself. */
  environment: string | undefined;
  /** The release has ended: what has not run does not run any more. */
  isOver: boolean;
}

/** Steps with their tries, errors, outputs and logs, in the order in which they run. */
export const Steps = ({ steps, ...same }: StepsProps) => (
  <ol className="steps">
    {steps.map((step) => (
      <Step key={`${step.phase} ${step.name} ${step.application ?? ''} ${step.attempt}`} step={step} {...same} />
    ))}
  </ol>
);

function Step({ step, release, environment, isOver }: Omit<StepsProps, 'steps'> & { step: StepStateFragment }) {
  return (
    <li>
      <div className="step">
        <Status status={step.status} word={isOver && step.status === 'PENDING' ? 'Not run' : undefined} />
        <span>
          <strong>{step.action ?? toWords(step.phase)}</strong>{' '}
          <small>{step.action ? toWords(step.phase) : step.application}</small>
        </span>
        {step.startedAt && <Took from={step.startedAt} until={step.endedAt ?? null} />}
      </div>
      {step.tries > 0 && <p className="note">{step.tries === 1 ? '1 try' : `${step.tries} tries`} failed</p>}
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
      {step.startedAt != null && step.action && (
        <StepLog release={release} environment={environment} step={step.name} attempt={step.attempt} />
      )}
    </li>
  );
}
