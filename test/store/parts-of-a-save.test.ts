import { expect, test } from 'vitest';
import type { Stimulus } from '../../src/core/release.ts';
import { saveDecisions } from '../../src/store/save-decisions.ts';
import { advance } from '../core/support/advance.ts';
import { planOf } from '../core/support/builders.ts';
import { Play } from '../core/support/play.ts';

/** The name of the statement that a decision is saved by, and what is sent with it; `of` so many releases at once. */
async function sent(
  release: Play,
  stimulus: Stimulus,
  of = 1,
  handedOver: string[] = [],
): Promise<{ name: string; values: unknown[] }> {
  const before = release.state;
  const decision = advance(release.plan, before, [stimulus], release.facts, release.now);
  if (decision === 'NEEDS_FACTS') throw new Error('facts were given');
  const identity = { id: before.id, product: 'billing', number: 1, version: '1', plan: release.plan, contents: {} };
  let found: { name: string; values: unknown[] } | undefined;
  const client = {
    query: (query: { name: string; values: unknown[] }) => ((found = query), Promise.resolve({ rows: [] })),
  };
  const save = { release: identity, before, expected: 1, decision, audit: [] };
  await saveDecisions(
    client as never,
    Array.from({ length: of }, () => save),
    handedOver,
  );
  release.tell(stimulus);
  return found!;
}

const next = (release: Play, environment: string): Stimulus =>
  release.outcome(environment, release.running(environment)[0]!, { kind: 'succeeded' });

test('a save has the parts that its decision needs', async () => {
  const release = new Play(planOf('dev > eu'));
  const name = async (stimulus: Stimulus): Promise<string> => (await sent(release, stimulus)).name;
  // The release begins to move, the gates of dev were asked, and a job is wanted.
  expect(await name({ kind: 'tick' })).toBe('save-decisions rest evidence outbox');
  // Its last step succeeds, and eu starts.
  expect(await name(next(release, 'dev'))).toBe('save-decisions evidence outbox verified');
  expect(await name(next(release, 'eu'))).toBe('save-decisions became');
  const soon = { kind: 'pending', reason: 'rolling out', recheckAfter: 1_000 } as const;
  expect(await name(release.outcome('eu', release.running('eu')[0]!, soon))).toBe('save-decisions');
});

test('a document that did not change is not sent', async () => {
  const release = new Play(planOf('dev > eu'));
  const texts: string[] = [];
  for (const each of [() => ({ kind: 'tick' }) as const, () => next(release, 'dev'), () => next(release, 'eu')])
    texts.push(JSON.stringify((await sent(release, each())).values));
  // The answers of gates stand in what a start writes.
  expect(texts.map((each) => each.includes('DEPENDENCIES'))).toEqual([true, true, false]);
});

test('many decisions are saved by one statement with all parts, and so is what is seldom', async () => {
  const many = await sent(new Play(planOf('dev > eu')), { kind: 'tick' }, 9);
  expect(many.name).toBe('save-decisions whole');
  const release = new Play(planOf('dev > eu'));
  release.tell({ kind: 'tick' });
  const failed = await sent(
    release,
    release.outcome('dev', release.running('dev')[0]!, { kind: 'failed', message: 'broken' }),
  );
  expect(failed.name).toBe('save-decisions whole');
});

test('what was handed over is deleted by the same statement', async () => {
  const release = new Play(planOf('dev > eu'));
  const { name, values } = await sent(release, { kind: 'tick' }, 1, ['r-0-dispatch']);
  expect(name).toBe('save-decisions rest evidence outbox handed');
  expect(values.at(-1)).toEqual(['r-0-dispatch']);
});
