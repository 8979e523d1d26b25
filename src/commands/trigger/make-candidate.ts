import { createHash, randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import type { StoredDefinition } from '../../core/definitions.ts';
import { arrive, asksForRefs } from '../../core/trigger/arrive.ts';
import type { Arrived } from '../../core/trigger/arrive.ts';
import { candidateKey } from '../../core/trigger/candidate.ts';
import type { TriggerState } from '../../core/trigger/candidate.ts';
import type { CommitNote, NewsKind } from '../../core/trigger/change.ts';
import { EXPIRY, READ_AHEAD } from '../../core/trigger/next-step.ts';
import { clientOf } from '../../entities/data-source.ts';
import { reach } from '../../faults.ts';
import type { Parts } from '../../parts.ts';
import { candidateByKey, insertCandidate, lockNewest, supersede } from '../../store/candidates.ts';
import type { KeptCandidate } from '../../store/candidates.ts';
import type { DefinitionSnapshot } from '../../store/definition-snapshot.ts';
import { lockCursors, moveCursors, readCursors } from '../../store/triggers.ts';
import type { KeptCursor } from '../../store/triggers.ts';
import { moveOf } from './looked.ts';
import type { HeadsSeen, Looked } from './looked.ts';

/** What a change in a trigger environment became. */
export interface Made {
  /** In words. */
  outcome: string;
  candidate?: string;
}

/**
 * All that moved in one trigger environment of a product becomes one candidate, or nothing, in one transaction with the cursors; null:
 * another look moved one of them meanwhile, and nothing was done.
 */
export async function makeCandidate(
  app: Parts,
  definitions: DefinitionSnapshot,
  looked: readonly Looked[],
  { via, deliveries, at }: Pick<HeadsSeen, 'via' | 'deliveries'> & { at: number },
): Promise<Made | null> {
  const { product: name, environment, driver } = looked[0]!.source;
  const product = definitions.products.get(name)!;
  const changed = looked.filter(({ verdict }) => verdict.kind === 'CHANGED');
  const arrived = arrive({
    product,
    flows: definitions.flows,
    environment,
    changed: changed.map(({ source, verdict }) => ({
      application: source.application,
      branch: source.driver.branch,
      verdict,
    })),
    refs: await refsOf(app, product, changed),
  });
  const others = await unknownOthers(app, definitions, looked);
  const since = Math.max(
    ...changed.map(({ cursor }) => cursor?.lookedAt.getTime() ?? 0),
    arrived.kind === 'CANDIDATE' ? madeBy(arrived.newest.date, at) : 0,
  );
  reach('before-effect', 'arrival');
  const made = await app.dataSource
    .transaction(async (tx) => {
      const client = await clientOf(tx);
      const now = app.clock.now();
      const here = definitions.applicationsOf(name).filter(({ spec }) => spec.environment === environment);
      const names = here.map(({ metadata }) => metadata.name);
      const before = await lockCursors(client, names);
      const said = (each: Looked): string =>
        each.verdict.kind === 'CHANGED' && arrived.kind === 'NOTHING'
          ? `${each.verdict.outcome}: ${arrived.why}`
          : each.verdict.outcome;
      const moves = looked.map((each) => ({ ...moveOf(each), outcome: said(each) }));
      const moved = await moveCursors(client, moves, now);
      if (moved.size < moves.length) throw new MovedMeanwhile();
      reach('in-transaction', 'arrival');
      if (arrived.kind === 'NOTHING') return { outcome: arrived.why };
      const cursors = new Map<string, Pick<KeptCursor, 'commit' | 'version' | 'epoch'>>(
        [...before, ...moves].map((each) => [each.application, each]),
      );
      const state = stateOf(names, cursors, others);
      const { newest } = arrived;
      return insertArrived(client, arrived, {
        product: name,
        environment,
        state,
        kind: via,
        now,
        facts: {
          commit: newest.commit,
          author: newest.author,
          ...(newest.email && { email: newest.email }),
          message: newest.message.slice(0, 2_000),
          branch: arrived.branch,
          repository: driver.repoURL,
          since: Math.min(since, at),
          deliveries: deliveries.slice(0, 100),
          explanation: arrived.explanation.slice(0, 100),
          ...(arrived.chain > 0 && { chain: arrived.chain }),
        },
      });
    })
    .catch((error: unknown) => {
      if (error instanceof MovedMeanwhile) return null;
      throw error;
    });
  reach('after-record', 'arrival');
  return made;
}

/**
 * By when a commit was there for certain, in milliseconds. Git dates it by the second: a report of that second may be about the version
 * before. 0: its clock is ahead, and only the last look without it is known.
 * @param at when its branch was seen to have it
 */
function madeBy(date: string, at: number): number {
  const second = Date.parse(date);
  return second > at ? 0 : Math.min(second + 1_000, at);
}

/** Rolls the transaction back. */
class MovedMeanwhile extends Error {}

/** A candidate as it arrives, without what the database says of those before it. */
export interface NewCandidate {
  product: string;
  environment: string;
  state: TriggerState;
  kind: NewsKind;
  now: Date;
  facts: Omit<KeptCandidate['facts'], 'commits'>;
}

/** In the caller's transaction, which holds the cursors of the environment: a newer state takes the place of those that wait. */
export async function insertArrived(
  client: PoolClient,
  { flow, coalesce, notes }: Pick<Extract<Arrived, { kind: 'CANDIDATE' }>, 'flow' | 'coalesce' | 'notes'>,
  { product, environment, state, kind, now, facts }: NewCandidate,
): Promise<Made> {
  const key = createHash('sha256').update(candidateKey({ product, flow, state })).digest('hex');
  const last = await lockNewest(client, product, environment);
  // The pushes that belong together are those after the first one: a branch that never rests is released all the same.
  const open = last?.status === 'COALESCING' ? last.coalescedAt.getTime() : Infinity;
  const coalescedAt = new Date(Math.min(now.getTime() + coalesce, open));
  const commits = merged(notes, last && last.status !== 'RELEASED' ? last.facts.commits : []);
  const id = randomUUID();
  const inserted = await insertCandidate(client, {
    id,
    key,
    product,
    flow,
    environment,
    state,
    kind,
    status: 'COALESCING',
    reason: 'further pushes may belong to it',
    facts: { ...facts, commits },
    createdAt: now,
    dueAt: new Date(Math.max(coalescedAt.getTime() - READ_AHEAD, now.getTime())),
    coalescedAt,
    expiresAt: new Date(now.getTime() + EXPIRY),
  });
  if (!inserted) {
    const known = (await candidateByKey(client, key))!;
    return { outcome: `this state was a candidate before, and is ${known.status}`, candidate: known.id };
  }
  const by = `superseded by a newer change${facts.commit === undefined ? '' : `, ${facts.commit.slice(0, 9)}`}`;
  const over = await supersede(client, { product, environment, by: id, reason: by, now });
  const more = over.length > 0 ? ', in place of an older one that waited' : '';
  return { outcome: `a candidate of flow "${flow}"${more}`, candidate: id };
}

/** Newest first, each once. */
function merged(newer: readonly CommitNote[], older: readonly CommitNote[]): CommitNote[] {
  const all = new Map<string, CommitNote>();
  for (const each of [...newer, ...older]) {
    const key = `${each.application} ${each.commit}`;
    if (!all.has(key)) all.set(key, each);
  }
  return [...all.values()].slice(0, MOST_NOTES);
}

/** Of what came between, so many commits are told. */
const MOST_NOTES = 100;

/** Of every application in the environment: what changed now, and what the others have. */
export function stateOf(
  names: readonly string[],
  cursors: ReadonlyMap<string, Pick<KeptCursor, 'commit' | 'version' | 'epoch'>>,
  others: Readonly<Record<string, string | undefined>>,
): TriggerState {
  const state: TriggerState = {};
  for (const name of names) {
    const cursor = cursors.get(name);
    const commit = cursor?.commit ?? others[name];
    const { version, epoch = 0 } = cursor ?? {};
    state[name] = { ...(commit && { commit }), ...(version && { version }), ...(epoch > 0 && { epoch }) };
  }
  return state;
}

/**
 * Of applications beside those that changed, the commit where no look has found it out yet: the first look does not ask. One that cannot
 * be read now is read with the release.
 */
async function unknownOthers(
  app: Parts,
  definitions: DefinitionSnapshot,
  looked: readonly Looked[],
): Promise<Record<string, string | undefined>> {
  const { product, environment } = looked[0]!.source;
  const here = definitions.applicationsOf(product).filter(({ spec }) => spec.environment === environment);
  const cursors = await readCursors(
    app.pool,
    here.map(({ metadata }) => metadata.name),
  );
  const known = new Set(cursors.filter(({ commit }) => commit !== null).map(({ application }) => application));
  for (const { source, verdict } of looked) if (verdict.next?.commit) known.add(source.application);
  const signal = app.clock.limit('trigger', LIMIT);
  const unknown = here.filter(({ metadata }) => !known.has(metadata.name));
  const answers = unknown.map(async ({ metadata, spec: { driver } }) => {
    const { commit } = await app.drivers
      .driver(driver)
      .revision(driver, {}, signal)
      .catch(() => ({ commit: undefined }));
    return [metadata.name, commit] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}

/** Branches and tags at the newest commit, where the product's choice depends on them. */
export async function refsOf(
  app: Parts,
  product: StoredDefinition<'Product'>,
  changed: readonly Looked[],
): Promise<{ branches: string[]; tags: string[] } | undefined> {
  if (!asksForRefs(product)) return undefined;
  const signal = app.clock.limit('trigger', LIMIT);
  const answers = changed.map(({ source: { driver }, verdict }) =>
    app.drivers.driver(driver).refs(driver, verdict.commits[0]!.commit, signal),
  );
  const all = await Promise.all(answers);
  return { branches: all.flatMap((each) => each.branches), tags: all.flatMap((each) => each.tags) };
}

/** In milliseconds. */
const LIMIT = 60_000;
