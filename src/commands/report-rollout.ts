import type { Parts } from '../parts.ts';
import { sees } from '../core/access/index.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import type { RolloutStatus } from '../core/release.ts';
import { isCalled } from '../core/rollback/last-good.ts';
import type { EnvironmentFacts } from '../core/rollback/plan-rollback.ts';
import type { VersionRef } from '../core/rollback/rollback.ts';
import { named } from '../core/rollback/words.ts';
import { loadEnvironmentFacts } from '../store/rollback-question.ts';
import { clientOf } from '../entities/data-source.ts';
import { once } from './idempotency.ts';
import type { KeyedInput } from './idempotency.ts';
import type { Orderer } from './orderer.ts';
import type { ReleaseNow } from './release-engine.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';
import { rollbackId, startRollback } from './start-rollback.ts';

/** How a rollout went, as an outside system saw it. */
export interface RolloutInput {
  product: string;
  environment: string;
  /** Label or digest; what is live there (or on its way there) when left out. */
  version?: string;
  status: RolloutStatus;
  message?: string;
  /** When it was seen; now when left out. */
  at?: Date;
  idempotencyKey?: string;
}

/** What a report of a rollout led to. */
export interface RolloutReported {
  /** The release that brought the version there. */
  releaseId: string;
  /** What the report started or joined; null: nothing goes back. */
  rollbackId: string | null;
  /** What came of it, in words. */
  outcome: string;
}

/**
 * An outside system tells how a rollout went, also long after the release ended. It goes into the log of the release that
 * brought the version; what still waits there for its health is decided by it. A rollout that FAILED or was ROLLED_BACK starts
 * what the policy that the release froze says. The same report again does the same thing: once.
 */
export function reportRollout(
  app: Parts,
  input: RolloutInput,
  by: string | null,
  { makers = [], visible = null }: Orderer = {},
): Promise<Result<RolloutReported>> {
  return refusable(async () => {
    const { idempotencyKey: key, ...told } = input;
    const keyed = { by, operation: 'rolloutReport', key, input: told };
    const before = async (): Promise<RolloutReported> =>
      report(app, input, await aboutWhat(app, keyed, input), { by, makers, visible });
    return once(app, keyed, { before });
  });
}

/** The rollout that a report is about. */
interface About {
  version: VersionRef;
  release: string;
  /** A retry brings the version once more: what is reported then is another rollout. */
  attempt: number;
}

/**
 * Found once for each key: when the same report comes again, because its answer was lost, something else may be live by now, which
 * it has brought about itself.
 */
function aboutWhat(app: Parts, keyed: KeyedInput, input: RolloutInput): Promise<About> {
  const own = { ...keyed, operation: 'rolloutReported' };
  return once(app, own, {
    async before() {
      const { version, release } = await rolloutOf(app, input, app.clock.now().getTime());
      const attempt = attemptIn(await app.releaseEngine.look(release, { fresh: true }), input.environment);
      return { version, release, attempt };
    },
  });
}

async function report(
  app: Parts,
  input: RolloutInput,
  { version, release, attempt }: About,
  { by, makers, visible }: Required<Orderer> & { by: string | null },
): Promise<RolloutReported> {
  const { product, environment, status, idempotencyKey } = input;
  const now = app.clock.now().getTime();
  const message = input.message?.trim() || `the rollout of ${named(version)} ${SAYS[status]}`;
  // Asked again with its idempotency key, after a crash too, it is the same report.
  const key =
    idempotencyKey === undefined ? undefined : rollbackId('TOLD', environment, attempt, by ?? '', idempotencyKey);
  await app.releaseEngine.tellKnown(release, {
    kind: 'rollout-reported',
    environment,
    attempt,
    status,
    message,
    by,
    key,
  });
  const said = { releaseId: release, rollbackId: null };
  if (status === 'SUCCEEDED') return { ...said, outcome: 'noted' };
  const started = await startRollback(app, {
    id: rollbackId(
      'REPORTED',
      release,
      environment,
      attempt,
      idempotencyKey === undefined ? '' : `${by} ${idempotencyKey}`,
    ),
    product,
    cause: { kind: 'REPORTED', environment, reason: message, at: input.at?.getTime() ?? now, by, release },
    definite: status !== 'UNKNOWN',
    version,
    asked: null,
    makers,
  });
  if (started.kind !== 'NOTHING') {
    const outcome = started.kind === 'JOINED' ? 'it is going back already' : 'a rollback was started';
    return { ...said, rollbackId: started.rollbackId, outcome };
  }
  const why = started.plan.targets
    .filter((each) => sees(visible, product, each.environment))
    .map((each) => `${each.environment}: ${each.reason}`);
  return { ...said, outcome: ['nothing goes back', ...(why.length > 0 ? [why.join('; ')] : [])].join('. ') };
}

function attemptIn(to: ReleaseNow | null, environment: string): number {
  const position = to?.release.plan.promotions.findIndex((each) => each.environment === environment) ?? -1;
  return to?.state.promotions[position]?.attempt ?? 0;
}

const SAYS: Record<RolloutStatus, string> = {
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  ROLLED_BACK: 'was rolled back',
  UNKNOWN: 'ended, and its result is not known',
};

/** The version that the report is about, and the release that brought it. */
async function rolloutOf(
  app: Parts,
  { product, environment, version }: RolloutInput,
  now: number,
): Promise<{ version: VersionRef; release: string }> {
  const facts = await app.dataSource.transaction('REPEATABLE READ', async (tx) =>
    loadEnvironmentFacts(await clientOf(tx), app.definitions, product, now),
  );
  const here = facts.find(({ name }) => name === environment);
  if (!here) {
    const message = `product "${product}" has no application in environment "${environment}"`;
    throw new RefusedError([refusal('NOT_FOUND', message, ['environment'])]);
  }
  const found = candidates(here).find((each) => version === undefined || isCalled(each.version, version));
  if (found) return found;
  const message =
    version === undefined
      ? `nothing of product "${product}" was ever promoted to "${environment}"`
      : `version "${version}" of product "${product}" was never promoted to "${environment}"`;
  throw new RefusedError([refusal('NOT_FOUND', message, [version === undefined ? 'environment' : 'version'])]);
}

function candidates({ inFlight, history }: EnvironmentFacts): { version: VersionRef; release: string }[] {
  return inFlight ? [inFlight, ...history] : history;
}
