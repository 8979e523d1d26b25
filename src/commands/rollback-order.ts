import type { Parts } from '../parts.ts';
import { sees } from '../core/access/index.ts';
import type { Visibility } from '../core/access/index.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import { planRollback as decide } from '../core/rollback/plan-rollback.ts';
import type { EnvironmentFacts, RollbackQuestion, RollbackRequest } from '../core/rollback/plan-rollback.ts';
import type { RollbackPlan, VersionRef } from '../core/rollback/rollback.ts';
import { quoteList, Refusals } from '../core/wording.ts';
import { findVersions } from '../store/bad-versions.ts';
import { completeQuestion, loadEnvironmentFacts } from '../store/rollback-question.ts';
import { clientOf } from '../entities/data-source.ts';
import { checkReason } from './hold-environment.ts';
import { refusable } from './result.ts';
import { LiveChecks } from './live-checks.ts';
import type { Result } from './result.ts';

/** What a person asks for. Exactly one of `environments` and `version`. */
export interface RollbackInput {
  product: string;
  environments?: string[] | null;
  /** The label or digest of a version: every environment goes back in which it is live. */
  version?: string | null;
  /** The label or digest of the version to go back to; the last good one of each environment when left out. */
  to?: string | null;
  reason: string;
}

/** A plan, and the question that it answers. */
export interface PlannedRollback {
  question: RollbackQuestion;
  plan: RollbackPlan;
}

/** What `rollbackStart` would do with the same input; nothing is changed. */
export async function planRollback(app: Parts, input: RollbackInput, by: string | null): Promise<Result<RollbackPlan>> {
  const planned = await answerRollback(app, input, by);
  return planned.refusals ? planned : { value: planned.value.plan };
}

/**
 * The same with its question, for what is read of it afterwards.
 * @param visible a refusal suggests environments that are seen, and no others
 */
export function answerRollback(
  app: Parts,
  input: RollbackInput,
  by: string | null,
  visible: Visibility | null = null,
): Promise<Result<PlannedRollback>> {
  return refusable(async () => {
    const checks = new LiveChecks();
    for (;;) {
      const question = await questionOf(app, input, by, { visible, checks });
      const plan = decide(question);
      const unseen = checks.missingFor(question, plan);
      if (unseen.length === 0) return { question, plan };
      await checks.check(app, question, unseen);
    }
  });
}

/**
 * A person's order: of what version, and in which environment and by which release it came. For several environments those of
 * the first one count; each goes back from what is live in it when the rollback starts.
 * @param visible a refusal suggests environments that are seen, and no others
 */
export async function orderRollback(
  app: Parts,
  input: RollbackInput,
  by: string | null,
  visible: Visibility | null,
): Promise<Pick<RollbackQuestion, 'product' | 'cause' | 'definite' | 'version' | 'asked'>> {
  const { product, cause, definite, version, asked } = await questionOf(app, input, by, { visible });
  return { product, cause, definite, version, asked };
}

async function questionOf(
  app: Parts,
  input: RollbackInput,
  by: string | null,
  { visible, checks }: { visible: Visibility | null; checks?: LiveChecks },
): Promise<RollbackQuestion> {
  await checkInput(app, input, visible);
  const { product, environments: names, to, reason } = input;
  const now = app.clock.now().getTime();
  const named = input.version ?? null;
  const version = named === null ? null : await onlyVersion(app, product, named);
  // One moment for all that is read; `startRollback` reads it again, under the product's lock.
  return app.dataSource.transaction('REPEATABLE READ', async (tx) => {
    const client = await clientOf(tx);
    const facts = await loadEnvironmentFacts(client, app.definitions, product, now);
    const first = facts.find((each) => (version === null ? each.name === names?.[0] : runs(each, version)));
    if (!first) {
      const message = `version "${named}" is live in no environment of product "${product}"`;
      throw new RefusedError([refusal('WRONG_STATE', message, ['version'])]);
    }
    const what = taken(first, version);
    const asked: RollbackRequest = {
      environments: version === null ? (names ?? []) : 'EVERYTHING_THAT_RUNS_IT',
      to: to ?? null,
    };
    const cause = { kind: 'MANUAL' as const, environment: first.name, reason, at: now, by, release: what.release };
    const question = { now, product, cause, definite: true, version: what.version, asked };
    const complete = await completeQuestion(client, question, facts);
    return checks ? checks.applyTo(client, complete) : complete;
  });
}

/** What is on its way there, else what is live there. */
function taken(
  { inFlight, history }: EnvironmentFacts,
  version: VersionRef | null,
): { version: VersionRef; release: string | null } {
  const [live] = history;
  const arrives = inFlight !== null && (version === null || live?.version.digest !== version.digest);
  const what = arrives ? inFlight : live;
  return { version: version ?? what?.version ?? { digest: '', label: '' }, release: what?.release ?? null };
}

function runs({ history, inFlight, source }: EnvironmentFacts, { digest }: VersionRef): boolean {
  return !source && (history[0]?.version.digest === digest || inFlight?.version.digest === digest);
}

async function checkInput(
  app: Parts,
  { product, environments = null, version = null, reason }: RollbackInput,
  visible: Visibility | null,
): Promise<void> {
  const snapshot = await app.definitions.current();
  if (!snapshot.products.has(product)) {
    throw new RefusedError([refusal('NOT_FOUND', `there is no product "${product}"`, ['product'])]);
  }
  const wrong = new Refusals();
  for (const each of checkReason(reason)) wrong.add(each.code, each.message, each.path);
  if ((environments === null) === (version === null)) {
    const message = 'name either the environments that go back, or the version that goes back wherever it is live';
    wrong.add('INVALID', message, ['environments']);
  }
  if (environments?.length === 0) wrong.add('INVALID', 'name an environment', ['environments']);
  const places = new Set(snapshot.applicationsOf(product).map((each) => each.spec.environment));
  const seen = [...places].filter((each) => sees(visible, product, each));
  environments?.forEach((name, i) => {
    if (places.has(name)) return;
    const exists = snapshot.known.environments.has(name);
    const what = exists ? `product "${product}" has no application in environment` : 'there is no environment';
    const message = `${what} "${name}"${wrong.hint(name, seen).replace(/^ /, '. ')}`;
    wrong.add(exists ? 'NO_APPLICATION' : 'NOT_FOUND', message, ['environments', i]);
  });
  if (wrong.size > 0) throw new RefusedError(wrong.all());
}

async function onlyVersion(app: Parts, product: string, named: string): Promise<VersionRef> {
  const [only, ...others] = await findVersions(app.pool, product, named);
  if (!only) {
    const message = `product "${product}" has no version "${named}": no release of it has that label or digest`;
    throw new RefusedError([refusal('NOT_FOUND', message, ['version'])]);
  }
  if (others.length === 0) return only;
  const digests = quoteList([only, ...others].map((each) => each.digest));
  const message = `"${named}" is the name of different contents: ${digests}; name one by its digest`;
  throw new RefusedError([refusal('INVALID', message, ['version'])]);
}
