import { createHash } from 'node:crypto';
import type { PoolClient } from 'pg';
import type { EntityManager } from 'typeorm';
import type { Parts } from '../parts.ts';
import { bounded } from '../core/bounded.ts';
import type { Maker } from '../core/caller.ts';
import { createRollback } from '../core/rollback/create.ts';
import { planRollback } from '../core/rollback/plan-rollback.ts';
import type { RollbackQuestion, RollbackRequest } from '../core/rollback/plan-rollback.ts';
import type { RollbackCause, RollbackPlan, VersionRef } from '../core/rollback/rollback.ts';
import { reach } from '../faults.ts';
import { lockProductsStatement } from '../entities/locks.ts';
import { loadRollbackQuestion } from '../store/rollback-question.ts';
import { insertAudited } from './audit-release.ts';
import { clientOf } from '../entities/data-source.ts';
import { onceIn } from './idempotency.ts';
import type { KeyedInput } from './idempotency.ts';
import { followUp } from './mark-taken-back.ts';
import { wakeWaiting } from './reconsider.ts';
import { factsOf, rollbackParts } from './rollback-parts.ts';
import { LiveChecks } from './live-checks.ts';
import { referToContents } from '../store/contents.ts';
import type { KeptVersion } from '../store/contents.ts';
import { bringersOf, insertRollback, rollbackAtWork, rollbackExists } from '../store/rollbacks.ts';

/** Why a rollback is to start, and of what. */
export interface RollbackOrder {
  /** The same order has the same id: see `rollbackId`. */
  id: string;
  product: string;
  cause: RollbackCause;
  /** False: it is not certain that it failed. */
  definite: boolean;
  version: VersionRef;
  /** What a person asked for; null when Sluice starts it by itself. */
  asked: RollbackRequest | null;
  /** Who made the credential with which it was asked for. */
  makers?: readonly Maker[];
  /** Kept with it: the same key with the same input answers this rollback again. */
  keyed?: KeyedInput;
  /** The outbox row that asked for it: gone once the rollback is there. */
  outboxKey?: string;
}

/** STARTED: there is a rollback of this order (made now, or before). JOINED: another one takes the environment back already. */
export type Started =
  | { kind: 'STARTED'; rollbackId: string }
  | { kind: 'JOINED'; rollbackId: string }
  | { kind: 'NOTHING'; plan: RollbackPlan };

/** UNSEEN: these environments would go back, and what is live in them was not checked yet. Nothing was changed. */
type Tried = Started | { kind: 'UNSEEN'; environments: string[] };

/** Always the same uuid for the same words, so that what is asked for twice is made once. */
export function rollbackId(...words: (string | number)[]): string {
  const hex = createHash('sha256').update(words.join(' ')).digest('hex');
  const variant = ((parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}

/**
 * Starts a rollback, once: a second call with the same id finds it. The targets are asked what is live in them; then, in one
 * transaction under the product's lock, the records are read, what goes back is decided, and the rollback is made, as a
 * release of its own. A second failure in an environment that is going back already joins that rollback.
 */
export async function startRollback(app: Parts, given: RollbackOrder): Promise<Started> {
  const order = { ...given, cause: bounded(given.cause) };
  const checks = new LiveChecks();
  let made = await tryToStart(app, order, checks);
  for (; made.kind === 'UNSEEN'; made = await tryToStart(app, order, checks))
    await checks.check(app, order, made.environments);
  reach('after-rollback');
  if (made.kind === 'JOINED') {
    const { environment, kind, reason, release, by } = order.cause;
    // The order is asked for again until its row is gone: it joins once.
    const joined = { environment, cause: kind, reason, release, by, key: order.id };
    await app.releaseEngine.tellKnown(made.rollbackId, { kind: 'rollback-joined', ...joined });
    if (order.outboxKey !== undefined)
      await app.dataSource.query('DELETE FROM outbox WHERE key = $1', [order.outboxKey]);
  }
  // It is there, and the sweep starts it if this process dies right here.
  if (made.kind === 'STARTED') {
    await app.releaseEngine.tellKnown(made.rollbackId, { kind: 'tick' });
    // Its holds and marks may keep others from merging.
    wakeWaiting(app, { product: order.product });
  }
  return made;
}

function tryToStart(app: Parts, order: RollbackOrder, checks: LiveChecks): Promise<Tried> {
  return app.dataSource.transaction(async (tx) => {
    const client = await clientOf(tx);
    await client.query(lockProductsStatement([order.product]));
    const done = await startOnce(app, tx, client, order, checks);
    if (done.kind === 'UNSEEN') return done;
    if (order.outboxKey !== undefined && done.kind !== 'JOINED')
      await client.query('DELETE FROM outbox WHERE key = $1', [order.outboxKey]);
    reach('in-rollback');
    return done;
  });
}

async function startOnce(
  app: Parts,
  tx: EntityManager,
  client: PoolClient,
  order: RollbackOrder,
  checks: LiveChecks,
): Promise<Tried> {
  const { id, product, cause, version } = order;
  if (await rollbackExists(client, id)) return { kind: 'STARTED', rollbackId: id };
  if (order.asked === null) {
    const other = await rollbackAtWork(client, product, version.digest, cause.environment);
    if (other !== null) return { kind: 'JOINED', rollbackId: other };
  }
  const now = app.clock.now().getTime();
  const question = await checks.applyTo(client, await loadRollbackQuestion(client, app.definitions, { ...order, now }));
  const plan = planRollback(question);
  const environments = checks.missingFor(question, plan);
  if (environments.length > 0) return { kind: 'UNSEEN', environments };
  if (isNothing(order, question, plan)) return { kind: 'NOTHING', plan };
  await makeRollback(app, tx, client, order, question, plan);
  const { keyed } = order;
  if (keyed) await onceIn(tx, keyed, () => Promise.resolve(id));
  return { kind: 'STARTED', rollbackId: id };
}

/**
 * True when no rollback record is needed. A person gets the plan in the answer. When an automatic attempt would leave every target
 * alone, it is recorded only if the failure is certain and new, and a policy applied.
 */
function isNothing({ asked, definite }: RollbackOrder, question: RollbackQuestion, { targets }: RollbackPlan): boolean {
  const idle = targets.every((each) => each.decision === 'LEFT_ALONE');
  if (asked !== null)
    return idle || targets.every((each) => each.decision !== 'INCLUDED' && each.decision !== 'PROPOSED');
  if (!idle) return false;
  // A reporter reads it in the answer; of a failure that Sluice saw itself only the record tells.
  const answered = question.cause.kind === 'REPORTED' && isTooLate(question);
  return !definite || question.policy === null || isOldNews(question) || answered;
}

function isTooLate({ now, cause, policy }: RollbackQuestion): boolean {
  return policy !== null && now - cause.at > policy.maxFailureAge;
}

/** A rollback has taken this version back here before: the news of the failure came later than its cure. */
function isOldNews({ cause, version, environments }: RollbackQuestion): boolean {
  const facts = environments.find((each) => each.name === cause.environment);
  return facts?.automatic.some((each) => each.version.digest === version.digest) ?? false;
}

async function makeRollback(
  app: Parts,
  tx: EntityManager,
  client: PoolClient,
  { id, product, cause, makers = [] }: RollbackOrder,
  question: RollbackQuestion,
  plan: RollbackPlan,
): Promise<void> {
  const going = plan.targets.filter((each) => each.decision === 'INCLUDED' || each.decision === 'PROPOSED');
  const { targets, frozen } = await rollbackParts(client, product, question, going);
  const bringers = await bringersOf(client, product, plan.version.digest);
  const inTheWay = going.flatMap(({ environment }) => factsOf(question, environment)?.inFlight?.release ?? []);
  const taken = Object.values(targets).map((each) => each.origin.release);
  const origins = [
    ...new Set([...taken, ...inTheWay, ...bringers, ...(cause.release === null ? [] : [cause.release])]),
  ];
  const known = frozen.get(cause.release ?? '') ?? frozen.get(origins[0] ?? '');
  const flow = known?.plan.flow ?? { name: '', revision: 0 };
  const actor = cause.by;
  const parts = { id, product, flow, plan, targets, origins, now: question.now, actor };
  const { state, events, plan: frozenPlan, contents } = createRollback<KeptVersion>(parts);
  const release = {
    state: { ...state, ...(makers.length > 0 && { initiatorMakers: makers }) },
    events,
    plan: frozenPlan,
    contents,
    kind: 'ROLLBACK' as const,
    product,
    version: plan.version.label,
    digest: plan.version.digest,
    concurrency: known?.concurrency ?? ('QUEUE' as const),
    trigger: { kind: 'ROLLBACK' as const, actor, ...(makers.length > 0 && { makers }) },
  };
  await referToContents(
    client,
    going.flatMap(({ to }) => to?.release ?? []),
    question.now,
  );
  await insertAudited(tx, release);
  const included = going.filter((each) => each.decision === 'INCLUDED').map((each) => each.environment);
  await insertRollback(client, {
    id,
    product,
    cause,
    digest: plan.version.digest,
    included,
    origins,
    at: question.now,
  });
  await followUp(client, { id, product, question, plan, going });
}
