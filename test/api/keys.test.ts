import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { holdEnvironment } from '../../src/commands/hold-environment.ts';
import { markVersionBad } from '../../src/commands/mark-version.ts';
import type { Result } from '../../src/commands/result.ts';
import { pauseTriggers } from '../../src/commands/trigger/pause-triggers.ts';
import type { Parts } from '../../src/parts.ts';
import { openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

// An idempotency key belongs to whoever gave it: the same word of somebody else is another key.

let api: TestApi;
let releaseId: string;
beforeAll(async () => {
  api = await openTestApi();
  await api.saveBilling();
  releaseId = await api.trigger({ product: 'billing', version: '1' });
  await api.startWorker();
  await api.ended(releaseId);
});
afterAll(() => api.close());

interface Keyed {
  field: string;
  type: string;
  /** What ada asks for; bob asks for the same with `other` over it. */
  input: () => Record<string, unknown>;
  other: Record<string, unknown>;
}

const MUTATIONS: Keyed[] = [
  {
    field: 'environmentCreate',
    type: 'EnvironmentCreateInput',
    input: () => ({ name: 'one', kind: 'PRODUCTION' }),
    other: { name: 'two' },
  },
  { field: 'productCreate', type: 'ProductCreateInput', input: () => ({ name: 'one' }), other: { name: 'two' } },
  {
    field: 'environmentHold',
    type: 'EnvironmentHoldInput',
    input: () => ({ product: 'billing', environment: 'eu', reason: 'a' }),
    other: { reason: 'b' },
  },
  {
    field: 'versionMarkBad',
    type: 'VersionMarkBadInput',
    input: () => ({ product: 'billing', version: '1', environment: 'eu', reason: 'a' }),
    other: { reason: 'b' },
  },
  {
    field: 'releaseTrigger',
    type: 'ReleaseTriggerInput',
    input: () => ({ product: 'billing', version: '2' }),
    other: { version: '3' },
  },
  {
    field: 'rolloutReport',
    type: 'RolloutReportInput',
    input: () => ({ product: 'billing', environment: 'dev', status: 'SUCCEEDED', message: 'a' }),
    other: { message: 'b' },
  },
];

const codesOf = async (who: string, { field, type }: Keyed, input: object): Promise<string[]> => {
  const query = `mutation ($input: ${type}!) { ${field}(input: $input) { userErrors { code message } } }`;
  const answer = await api.askAs(who, query, { input });
  return (answer[field].userErrors as { code: string }[]).map(({ code }) => code);
};

describe.each(MUTATIONS)('$field', (each) => {
  test("somebody else's key is not in the way, one's own is", async () => {
    const input = { ...each.input(), idempotencyKey: 'build-77' };
    expect(await codesOf('ada', each, input)).toEqual([]);
    expect(await codesOf('ada', each, input)).toEqual([]);
    expect(await codesOf('bob', each, { ...input, ...each.other })).toEqual([]);
    expect(await codesOf('ada', each, { ...input, ...each.other })).toEqual(['IDEMPOTENCY_MISMATCH']);
  });
});

describe('a call that comes again later than what it asked for lasts', () => {
  const end = new Date(Date.now() + 3_600_000);
  const last = { reason: 'fair week', idempotencyKey: 'fair week' };
  const commands: [name: string, act: (app: Parts) => Promise<Result<{ id: string }>>][] = [
    ['triggerPause', (app) => pauseTriggers(app, { ...last, product: 'billing', until: end }, 'ada')],
    ['environmentHold', (app) => holdEnvironment(app, { ...last, environment: 'asia', until: end }, 'ada')],
    [
      'versionMarkBad',
      (app) => markVersionBad(app, { ...last, product: 'billing', version: '1', expiresAt: end }, 'ada'),
    ],
  ];

  test.each(commands)('%s gives its first result', async (_, act) => {
    const first = await act(api.app);
    const late = { ...api.app, clock: { ...systemClock, now: () => new Date(end.getTime() + 1) } };
    expect(await act(late)).toEqual(first);
    expect(first.value?.id).toBeDefined();
  });
});

test('a definition that was deleted since is not made again by the key that it was made with, nor is that a fault', async () => {
  const [create] = MUTATIONS as [Keyed];
  const input = { name: 'short-lived', kind: 'PRODUCTION', idempotencyKey: 'short-lived' };
  expect(await codesOf('ada', create, input)).toEqual([]);
  await api.askAs('ada', 'mutation { environmentDelete(input: { name: "short-lived" }) { userErrors { code } } }');
  expect(await codesOf('ada', create, input)).toEqual(['NOT_FOUND']);
  expect(await codesOf('ada', create, { ...input, idempotencyKey: 'once more' })).toEqual([]);
});

describe('keys from before callers were kept', () => {
  /** As the version before kept it. */
  const keep = async (key: string, input: object, result: string): Promise<void> => {
    const digest = createHash('sha256').update(JSON.stringify(input)).digest('hex');
    await api.app.pool.query(
      `INSERT INTO idempotency_key (operation, key, input, result) VALUES ('triggerRelease', $1, $2, $3)`,
      [key, digest, result],
    );
  };
  const trigger = async (who: string, input: object) => {
    const query =
      'mutation ($input: ReleaseTriggerInput!) { releaseTrigger(input: $input) { release { id } userErrors { code } } }';
    return (await api.askAs(who, query, { input })).releaseTrigger;
  };

  test('answer the same request, and say nothing about another one', async () => {
    // The keys of the input in their order.
    const asked = { idempotencyKey: 'old', product: 'billing', version: '1' };
    await keep('old', asked, releaseId);
    const same = await trigger('ada', asked);
    const read = await api.ask('query ($id: ID!) { release(id: $id) { id } }', { id: releaseId });
    expect([same.userErrors, same.release.id]).toEqual([[], read.release.id]);
    const other = await trigger('bob', { ...asked, version: '9' });
    expect(other.userErrors).toEqual([]);
    expect(other.release.id).not.toBe(same.release.id);
  });
});
