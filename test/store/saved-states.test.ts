import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Decision } from '../../src/core/decision.ts';
import type { ReleasePlan } from '../../src/core/plan.ts';
import { occupiesEnvironment } from '../../src/core/release.ts';
import type { PromotionState, ReleaseState } from '../../src/core/release.ts';
import { insertReleases } from '../../src/store/insert-release.ts';
import { loadStates } from '../../src/store/load-releases.ts';
import { outboxOf } from '../../src/store/outbox.ts';
import { saveDecisions } from '../../src/store/save-decisions.ts';
import type { DecisionToSave, ReleaseIdentity } from '../../src/store/save-decisions.ts';
import { Reached } from '../core/support/reached.ts';
import type { Shell } from '../core/support/shell.ts';
import { World } from '../core/support/world.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

// Whole worlds of the core are played, with failures, retries, approvals and rollbacks. All their decisions are saved, up to twenty at a
// time, some of which have lost the race; each state that is loaded afterwards is the one that was saved.

let database: TestDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** A release of a world as the database knows it. Each has a product to itself: their order among each other does not count. */
interface Played {
  identity: ReleaseIdentity;
  first: ReleaseState;
  decisions: { before: ReleaseState; decision: Decision }[];
}

function play(tape: readonly number[]): Played[] {
  const played = new Map<Shell, Played>();
  class Recorded extends World {
    override saved(...[shell, stimulus, decision, facts, before]: Required<Parameters<World['saved']>>): void {
      const known = played.get(shell) ?? startOf(shell.plan, before);
      played.set(shell, known);
      const { id } = known.identity;
      const named = { ...decision, lifted: [], state: { ...decision.state, id } };
      known.decisions.push({ before: known.decisions.at(-1)?.decision.state ?? known.first, decision: named });
      super.saved(shell, stimulus, decision, facts, before);
    }
  }
  new Recorded(tape, new Reached()).run();
  return [...played.values()];
}

function startOf(plan: ReleasePlan, state: ReleaseState): Played {
  const id = randomUUID();
  const identity = { id, product: `product ${id}`, number: 0, version: '1.4.2', plan, contents: {} };
  return { identity, first: { ...state, id }, decisions: [] };
}

async function insert(all: readonly Played[]): Promise<void> {
  const releases = all.map(({ identity: { plan, product, version, contents }, first }) => ({
    release: {
      state: first,
      events: [],
      plan,
      contents,
      kind: 'FORWARD' as const,
      product,
      version,
      digest: 'd',
      concurrency: 'QUEUE' as const,
      trigger: { kind: 'MANUAL' as const, actor: first.initiator } as never,
    },
    audit: null,
    still: null,
  }));
  await insertReleases(pool, releases);
}

/** Of each application: what its newest deployment must be. */
type Deployed = Map<
  string,
  { at: number; verified_at: number | null; verified_by: string | null; commit_id: string | null }
>;

function deploy(known: Deployed, { identity, decision }: { identity: ReleaseIdentity; decision: Decision }): void {
  for (const { promotion, application, at, commit, verified } of decision.deployments) {
    const key = `${identity.id} ${identity.plan.promotions[promotion]!.applications[application]!.name}`;
    const before = known.get(key);
    if (verified === null)
      known.set(key, { at, verified_at: null, verified_by: null, commit_id: commit ?? before?.commit_id ?? null });
    else {
      const seen = { verified_at: at, verified_by: verified };
      known.set(key, before ? { ...before, ...seen } : { at, ...seen, commit_id: commit });
    }
  }
}

const number = fc.noBias(fc.nat(9999));
const worlds = fc.array(fc.array(number, { minLength: 60, maxLength: 250, size: 'max' }), {
  minLength: 6,
  maxLength: 9,
});

test(
  'each state that is saved is the state that is loaded, and a save that came late writes nothing',
  { timeout: 180_000 },
  async () => {
    const sizes = new Set<number>();
    await fc.assert(
      fc.asyncProperty(worlds, fc.infiniteStream(fc.nat(9999)), async (tapes, draws) => {
        const draw = (count: number): number => (draws.next().value as number) % count;
        const all = tapes.flatMap(play);
        await insert(all);
        const deployed: Deployed = new Map();
        let handedOver: string[] = [];
        const revisions = new Map(all.map(({ identity }) => [identity.id, 0]));
        for (
          let open = all;
          open.length > 0;
          open = open.filter((each) => revisions.get(each.identity.id)! < each.decisions.length)
        ) {
          const chosen = open.filter(() => draw(3) > 0).slice(0, draw(4) === 0 ? 20 : 3);
          sizes.add(chosen.length);
          // Another save was first, as far as this one can tell: nothing of it is written.
          const late = new Set(chosen.filter(() => draw(8) === 0));
          const saves = chosen.map((each): DecisionToSave => {
            const revision = revisions.get(each.identity.id)!;
            const expected = late.has(each) ? revision : revision + 1;
            return { release: each.identity, ...each.decisions[revision]!, expected, audit: [] };
          });
          const saved = await saveDecisions(pool, saves, handedOver);
          const written = saves.filter((_, index) => !late.has(chosen[index]!));
          expect([...saved].sort()).toEqual(written.map(({ release }) => release.id).sort());
          handedOver = written.flatMap(({ decision }) => outboxOf(decision).map((each) => each.key));
          for (const { release, decision } of written) {
            revisions.set(release.id, revisions.get(release.id)! + 1);
            deploy(deployed, { identity: release, decision });
          }
          // What came late is written by a later save of the same release: at the end it could not be told any more.
          const misled = [...late].filter(
            ({ decisions, identity }) => decisions[revisions.get(identity.id)!]!.decision.deployments.length > 0,
          );
          if (misled.length > 0) await claimDeployments(misled, deployed);
          const loaded = new Map(
            (await loadStates(pool, [...saved])).map(({ state, revision }) => [state.id, { state, revision }]),
          );
          for (const { release, decision } of written)
            expect(loaded.get(release.id)).toEqual({ state: decision.state, revision: revisions.get(release.id)! + 1 });
        }
        await claimRows(all, deployed);
      }),
      { numRuns: Number(process.env.SLUICE_SAVE_RUNS ?? 4), seed: 7, endOnFailure: true },
    );
    // Alone, few and many.
    expect([1, 2, 12].filter((each) => !sizes.has(each))).toEqual([]);
  },
);

// Worlds come to few of these: most documents go with a retry.
test.each(['problem', 'evidence', 'approval', 'merge'] as const)(
  'the %s of a promotion that is there no more is gone from its row',
  async (document) => {
    const [played] = fc
      .sample(fc.array(number, { minLength: 100, maxLength: 100 }), { numRuns: 1, seed: 7 })
      .flatMap(play);
    const { identity, first, decisions } = played!;
    await insert([played!]);
    const { decision } = decisions[0]!;
    const withDocument = (state: ReleaseState, value: unknown): ReleaseState => ({
      ...state,
      promotions: state.promotions.map((each, index) => (index === 0 ? { ...each, [document]: value } : each)),
    });
    let before = first;
    for (const [index, value] of [{ there: true }, null, { there: 'again' }].entries()) {
      const state = withDocument(before, value);
      const next: Decision = { ...decision, state, events: [], changed: [0], work: [], deployments: [], lifted: [] };
      await saveDecisions(pool, [{ release: identity, before, expected: index + 1, decision: next, audit: [] }], []);
      const [loaded] = await loadStates(pool, [identity.id]);
      expect(loaded!.state.promotions[0]![document]).toEqual(value);
      before = state;
    }
  },
);

/** Events, deployments and who is at work where. */
async function claimRows(all: readonly Played[], deployed: Deployed): Promise<void> {
  for (const { identity, decisions } of all) {
    const { rows: events } = await pool.query<{ at: Date }>(
      'SELECT sequence, at, release_status, actor, event FROM logged_event WHERE release_id = $1 ORDER BY sequence',
      [identity.id],
    );
    const told = decisions.flatMap(({ decision }) => decision.events);
    const written = told.map(({ releaseStatus, ...same }) => ({ ...same, release_status: releaseStatus }));
    const found = events.map((each) => ({ ...each, at: each.at.getTime() }));
    expect(found).toEqual(JSON.parse(JSON.stringify(written)));
    const { rows: holding } = await pool.query<{ position: number }>(
      'SELECT position FROM promotion WHERE release_id = $1 AND holds ORDER BY position',
      [identity.id],
    );
    const promotions: PromotionState[] = decisions.at(-1)!.decision.state.promotions;
    const atWork = [...promotions.keys()].filter((position) => occupiesEnvironment(promotions[position]!));
    expect(holding.map(({ position }) => position)).toEqual(atWork);
  }
  await claimDeployments(all, deployed);
}

async function claimDeployments(of: readonly Played[], deployed: Deployed): Promise<void> {
  const ids = of.map(({ identity }) => identity.id);
  const { rows } = await pool.query<{ release_id: string; application: string; at: Date; verified_at: Date | null }>(
    'SELECT release_id, application, at, verified_at, verified_by, commit_id FROM deployment WHERE release_id = ANY($1)',
    [ids],
  );
  const found = rows.map(({ release_id, application, at, verified_at, ...same }) => [
    `${release_id} ${application}`,
    { at: at.getTime(), verified_at: verified_at?.getTime() ?? null, ...same },
  ]);
  const expected = [...deployed].filter(([key]) => ids.includes(key.split(' ', 1)[0]!));
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
}
