import { createHash } from 'node:crypto';
import type { PoolClient } from 'pg';
import type { EntityManager } from 'typeorm';
import type { App } from '../app.ts';
import type { PlannedPromotion } from '../core/plan.ts';
import { createRollback } from '../core/rollback/create.ts';
import type { TargetParts } from '../core/rollback/create.ts';
import { planRollback } from '../core/rollback/plan-rollback.ts';
import type { RollbackQuestion, RollbackRequest } from '../core/rollback/plan-rollback.ts';
import type { RollbackCause, RollbackPlan, RollbackTarget, VersionRef } from '../core/rollback/rollback.ts';
import type { PinnedContent } from '../drivers/driver.ts';
import { reach } from '../faults.ts';
import { insertRelease } from '../store/insert-release.ts';
import { loadFrozen } from '../store/load-releases.ts';
import type { FrozenRelease } from '../store/load-releases.ts';
import { lockProductsStatement } from '../store/product-locks.ts';
import { loadRollbackQuestion } from '../store/rollback-question.ts';
import { clientOf } from './hold-environment.ts';
import { followUp } from './mark-taken-back.ts';
import { bringersOf, commitsOf, insertRollback, liveIn, rollbackAtWork, rollbackExists } from '../store/rollbacks.ts';

type Parts = Pick<App, 'dataSource' | 'definitions' | 'mover' | 'clock'>;

/** Why a rollback is to start, and of what. */
export interface RollbackOrder {
  /** The same order has the same id: see `rollbackId`. */
  id: string;
  product: string;
  cause: RollbackCause;
  /** False: nobody could tell whether it failed. */
  definite: boolean;
  version: VersionRef;
  /** What a person asked for; null when Sluice starts it by itself. */
  asked: RollbackRequest | null;
  /** The outbox row that asked for it: gone once the rollback is there. */
  outboxKey?: string;
}

/** STARTED: there is a rollback of this order (made now, or before). JOINED: another one takes the environment back already. */
export type Started =
  | { kind: 'STARTED'; rollbackId: string }
  | { kind: 'JOINED'; rollbackId: string }
  | { kind: 'NOTHING'; plan: RollbackPlan };

/** Always the same uuid for the same words, so that what is asked for twice is made once. */
export function rollbackId(...words: (string | number)[]): string {
  const hex = createHash('sha256').update(words.join(' ')).digest('hex');
  const variant = ((parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}

/**
 * Starts a rollback, once: whoever asks again with the same id finds it. In one transaction under the product's lock what is
 * live is read, what goes back is decided, and the rollback is made, as a release of its own. A second failure in an
 * environment that is going back already joins that rollback.
 */
export async function startRollback(app: Parts, order: RollbackOrder): Promise<Started> {
  const made = await app.dataSource.transaction(async (tx) => {
    const client = await clientOf(tx);
    await client.query(lockProductsStatement([order.product]));
    const done = await startOnce(app, tx, client, order);
    if (order.outboxKey !== undefined && done.kind !== 'JOINED')
      await client.query('DELETE FROM outbox WHERE key = $1', [order.outboxKey]);
    reach('in-rollback');
    return done;
  });
  reach('after-rollback');
  if (made.kind === 'JOINED') {
    const { environment, kind, reason, release } = order.cause;
    await app.mover.move(made.rollbackId, { kind: 'rollback-joined', environment, cause: kind, reason, release });
    if (order.outboxKey !== undefined)
      await app.dataSource.query('DELETE FROM outbox WHERE key = $1', [order.outboxKey]);
  }
  // It is there, and the sweep starts it if this process dies right here.
  if (made.kind === 'STARTED') await app.mover.move(made.rollbackId, { kind: 'tick' });
  return made;
}

async function startOnce(app: Parts, tx: EntityManager, client: PoolClient, order: RollbackOrder): Promise<Started> {
  const { id, product, cause, version } = order;
  if (await rollbackExists(client, id)) return { kind: 'STARTED', rollbackId: id };
  if (order.asked === null) {
    const other = await rollbackAtWork(client, product, version.digest, cause.environment);
    if (other !== null) return { kind: 'JOINED', rollbackId: other };
  }
  const now = app.clock.now().getTime();
  const question = await loadRollbackQuestion(client, app.definitions, { ...order, now });
  const plan = planRollback(question);
  if (plan.targets.every((each) => each.decision === 'LEFT_ALONE') && isOldNews(question)) {
    return { kind: 'NOTHING', plan };
  }
  await makeRollback(app, tx, client, order, question, plan);
  return { kind: 'STARTED', rollbackId: id };
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
  { id, product, cause }: RollbackOrder,
  question: RollbackQuestion,
  plan: RollbackPlan,
): Promise<void> {
  const going = plan.targets.filter((each) => each.decision === 'INCLUDED' || each.decision === 'PROPOSED');
  const { targets, frozen } = await partsOf(client, product, question, going);
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
  const { state, events, plan: frozenPlan, contents } = createRollback<PinnedContent>(parts);
  const release = {
    state,
    events,
    plan: frozenPlan,
    contents,
    kind: 'ROLLBACK' as const,
    product,
    version: plan.version.label,
    digest: plan.version.digest,
    concurrency: known?.concurrency ?? ('QUEUE' as const),
    trigger: { kind: 'ROLLBACK' as const, actor },
  };
  await insertRelease(tx, release);
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

interface Collected {
  /** By environment. */
  targets: Record<string, TargetParts<PinnedContent>>;
  frozen: Map<string, FrozenRelease>;
}

/** What each target's release had planned there, what its earlier version had pinned, and what came in between. */
async function partsOf(
  client: PoolClient,
  product: string,
  question: RollbackQuestion,
  going: RollbackTarget[],
): Promise<Collected> {
  const since = new Map(going.map((target) => [target.environment, releasesSince(question, target)]));
  const earlier = going.flatMap((each) => each.to?.release ?? []);
  const { release } = question.cause;
  const ids = new Set([...[...since.values()].flat(), ...earlier, ...(release === null ? [] : [release])]);
  const frozen = new Map((await loadFrozen(client, [...ids])).map((each) => [each.id, each]));
  const live = await liveIn(
    client,
    product,
    going.map((each) => each.environment),
  );
  const commits = await commitsOf(client, product, earlier);
  const targets: Collected['targets'] = {};
  for (const { environment, to } of going) {
    const later = (since.get(environment) ?? []).flatMap((each) => frozen.get(each) ?? []);
    const [origin] = later;
    const from = origin && promotionIn(origin, environment);
    const before = frozen.get(to?.release ?? '');
    const good = before && promotionIn(before, environment);
    if (!origin || !from || !before || !good) continue;
    const parts: TargetParts<PinnedContent> = {
      origin: { release: origin.id, promotion: from },
      contents: {},
      expects: {},
      undo: {},
    };
    for (const { name } of from.applications) {
      const content = contentIn(before, good, name);
      if (!content) continue;
      parts.contents[name] = content;
      const bad = contentIn(origin, from, name);
      const digests = bad ? [bad.digest] : [];
      parts.expects[name] = { deployment: live[environment]?.[name]?.id ?? null, digests };
      const at = commits.find(
        (each) => each.release === before.id && each.environment === environment && each.application === name,
      );
      parts.undo[name] = {
        commit: at?.commit ?? null,
        files: filesOnlyIn(later, environment, name, content, 'whole'),
        edited: filesOnlyIn(later, environment, name, content, 'values'),
      };
    }
    targets[environment] = parts;
  }
  return { targets, frozen };
}

function factsOf(
  question: RollbackQuestion,
  environment: string,
): RollbackQuestion['environments'][number] | undefined {
  return question.environments.find((each) => each.name === environment);
}

/** The releases that reached the environment after the version that it goes back to; the one that is taken back first. */
function releasesSince(question: RollbackQuestion, target: RollbackTarget): string[] {
  const facts = factsOf(question, target.environment);
  const { cause } = question;
  const found: string[] = [];
  const { inFlight, history = [] } = facts ?? {};
  const [live] = history;
  const arrives = inFlight !== null && inFlight !== undefined && live?.version.digest !== target.from?.digest;
  if (arrives) found.push(inFlight.release);
  for (const { release } of history) {
    if (release === target.to?.release) break;
    found.push(release);
  }
  // Its change may have been made although nobody could record it.
  if (cause.environment === target.environment && cause.release !== null) found.push(cause.release);
  return [...new Set(found)].slice(0, MOST_LOOKED_AT);
}

const MOST_LOOKED_AT = 50;

function promotionIn({ plan }: FrozenRelease, environment: string): PlannedPromotion | undefined {
  return plan.promotions.find((each) => each.environment === environment);
}

function contentIn(
  release: FrozenRelease,
  promotion: PlannedPromotion,
  application: string,
): PinnedContent | undefined {
  const planned = promotion.applications.find((each) => each.name === application);
  return planned && release.contents[planned.content];
}

function filesOnlyIn(
  later: FrozenRelease[],
  environment: string,
  application: string,
  good: PinnedContent,
  how: 'whole' | 'values',
): string[] {
  const files = later.flatMap((release) => {
    const promotion = promotionIn(release, environment);
    const content = promotion && contentIn(release, promotion, application);
    return Object.entries(content?.files ?? {}).flatMap(([file, { kind }]) => (kind === how ? [file] : []));
  });
  return [...new Set(files)].filter((file) => !(file in good.files)).sort();
}
