import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Lists } from '../../src/events/lists.ts';
import { ERRORS, openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
  await api.startWorker();
  await api.saveBilling();
});
afterAll(() => api?.close());

const HOLD = 'holds { id productName environmentName reason by until active liftedBy liftReason rollback { id } }';
const hold = `mutation ($input: EnvironmentHoldInput!) { environmentHold(input: $input) { ${HOLD} ${ERRORS} } }`;
const lift = `mutation ($input: EnvironmentReleaseInput!) { environmentRelease(input: $input) { ${HOLD} ${ERRORS} } }`;
const MARK =
  'badVersions { id productName label digest scope groupName environmentNames reason by active unmarkReason }';
const mark = `mutation ($input: VersionMarkBadInput!) { versionMarkBad(input: $input) { ${MARK} ${ERRORS} } }`;
const unmark = `mutation ($input: VersionUnmarkBadInput!) { versionUnmarkBad(input: $input) { ${MARK} ${ERRORS} } }`;

describe('holds', () => {
  test('are made, listed, found by id, and lifted; lifted they are history', async () => {
    const input = { environment: 'asia', product: 'billing', reason: 'audit' };
    const made = (await api.ask(hold, { input })).environmentHold;
    expect(made).toMatchObject({
      holds: [{ environmentName: 'asia', by: 'ada', active: true, until: null }],
      userErrors: [],
    });
    const { id } = made.holds[0];
    const filter = 'filter: { environment: "asia", product: "billing", active: true }';
    const list = `{ environmentHolds(${filter}) { nodes { id } } node(id: "${id}") { ... on EnvironmentHold { reason } } }`;
    expect(await api.ask(list)).toEqual({ environmentHolds: { nodes: [{ id }] }, node: { reason: 'audit' } });
    const lifted = await api.ask(lift, {
      input: { environment: 'asia', product: 'billing', holdId: id, reason: 'done' },
    });
    expect(lifted.environmentRelease.holds).toMatchObject([{ id, active: false, liftedBy: 'ada', liftReason: 'done' }]);
    expect((await api.ask(list)).environmentHolds.nodes).toEqual([]);
    expect((await api.ask('{ environmentHolds { nodes { id } } }')).environmentHolds.nodes).toEqual([{ id }]);
  });

  test('the same key makes one hold', async () => {
    const input = { environment: 'dev', reason: 'once', idempotencyKey: 'k-1' };
    const [first, second] = await Promise.all([api.ask(hold, { input }), api.ask(hold, { input })]);
    expect(first.environmentHold.holds[0].id).toBe(second.environmentHold.holds[0].id);
    await api.ask(lift, { input: { environment: 'dev' } });
  });

  test('pages do not lose or repeat one', async () => {
    const many = ['a', 'b', 'c'].map((reason) => api.ask(hold, { input: { environment: 'asia-2', reason } }));
    await Promise.all(many);
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const query = `query ($after: String) { environmentHolds(first: 1, after: $after, filter: { environment: "asia-2" }) {
        nodes { reason } pageInfo { hasNextPage endCursor } } }`;
      const page: { nodes: { reason: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } = (
        await api.ask(query, { after })
      ).environmentHolds;
      seen.push(...page.nodes.map(({ reason }) => reason));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen.sort()).toEqual(['a', 'b', 'c']);
    const { environmentRelease } = await api.ask(lift, { input: { environment: 'asia-2' } });
    expect(environmentRelease.holds).toHaveLength(3);
  });

  test.each([
    ['an environment that is not there', { environment: 'mars', reason: 'x' }, 'NOT_FOUND', 'environment'],
    ['a product that is not there', { environment: 'eu', product: 'mars', reason: 'x' }, 'NOT_FOUND', 'product'],
    ['no reason', { environment: 'eu', reason: ' ' }, 'INVALID', 'reason'],
    ['an end that is over', { environment: 'eu', reason: 'x', until: '2020-01-01T00:00:00Z' }, 'INVALID', 'until'],
  ])('of %s is refused', async (_, input, code, field) => {
    const { environmentHold } = await api.ask(hold, { input });
    expect(environmentHold).toMatchObject({ holds: [], userErrors: [{ code, path: ['input', field] }] });
  });

  test('lifting what is not there says what there is', async () => {
    await api.ask(hold, { input: { environment: 'eu', product: 'billing', reason: 'x' } });
    const { userErrors } = (await api.ask(lift, { input: { environment: 'eu' } })).environmentRelease;
    expect(userErrors).toMatchObject([{ code: 'NOT_FOUND' }]);
    expect(userErrors[0].message).toContain('has no hold for all products now: it is on hold for "billing"');
  });
});

describe('bad versions', () => {
  test('are marked by label, listed, and taken back; what waits says for what', async () => {
    await api.ask(lift, { input: { environment: 'eu', product: 'billing' } });
    await api.ended(await api.trigger({ product: 'billing', version: '1.0.0' }));
    const input = { product: 'billing', version: '1.0.0', group: 'regions', reason: 'leaks' };
    const made = (await api.ask(mark, { input })).versionMarkBad;
    expect(made.badVersions).toMatchObject([
      { label: '1.0.0', scope: 'GROUP', groupName: 'regions', environmentNames: ['asia', 'eu', 'us-east'], by: 'ada' },
    ]);
    const trigger = `mutation ($input: ReleaseTriggerInput!) { releaseTrigger(input: $input) { release { uuid } ${ERRORS} } }`;
    const again = { product: 'billing', version: '1.0.0' };
    expect((await api.ask(trigger, { input: again })).releaseTrigger.userErrors).toMatchObject([
      { code: 'VERSION_MARKED_BAD', path: ['input', 'acknowledgeBadVersion'] },
    ]);
    const known = await api.ask(trigger, { input: { ...again, acknowledgeBadVersion: true } });
    const { uuid } = known.releaseTrigger.release;
    await api.reached(uuid, (state) => state.status === 'SUSPENDED');
    const { release } = await api.ask(`{ release(id: "${uuid}") { waitingFor { __typename who
      ... on WaitingForVersion { badVersions { reason } } } } }`);
    expect(release.waitingFor.slice(0, 3)).toEqual(
      Array(3).fill({
        __typename: 'WaitingForVersion',
        who: 'a person who may take the mark back',
        badVersions: [{ reason: 'leaks' }],
      }),
    );
    const back = { product: 'billing', version: made.badVersions[0].digest, reason: 'no' };
    expect((await api.ask(unmark, { input: back })).versionUnmarkBad.badVersions).toMatchObject([
      { active: false, unmarkReason: 'no' },
    ]);
    await api.ended(uuid);
  });

  test.each([
    ['a version that was never released', { product: 'billing', version: '9', reason: 'x' }, 'NOT_FOUND', 'version'],
    [
      'two scopes',
      { product: 'billing', version: '1.0.0', reason: 'x', environment: 'eu', group: 'regions' },
      'INVALID',
      'group',
    ],
    [
      'a group that is not there',
      { product: 'billing', version: '1.0.0', reason: 'x', group: 'moons' },
      'NOT_FOUND',
      'group',
    ],
  ])('of %s is refused', async (_, input, code, field) => {
    const { versionMarkBad } = await api.ask(mark, { input });
    expect(versionMarkBad).toMatchObject({ badVersions: [], userErrors: [{ code, path: ['input', field] }] });
  });
});

describe('windows overridden', () => {
  const run = `mutation ($input: WindowOverrideInput!) { windowOverride(input: $input) {
    promotion { name overrides { windows reason by } waitingFor { message } gateEvidence { gate reason } } ${ERRORS} } }`;

  test('one release goes through; an unknown window is named with those that hold', async () => {
    await api.save('ReleaseWindow', 'freeze', {
      kind: 'DENY',
      timeZone: 'UTC',
      from: new Date(Date.now() - 1_000).toISOString(),
      to: new Date(Date.now() + 3_600_000).toISOString(),
      selector: { environments: { names: ['eu'] }, products: {} },
      holds: ['PROMOTE'],
      onClose: 'FINISH',
      runway: false,
    });
    const releaseId = await api.trigger({ product: 'billing', version: '2.0.0' });
    await api.reached(releaseId, (state) => state.status === 'SUSPENDED');
    const input = {
      releaseId,
      environment: 'eu',
      reason: 'outage',
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    };
    const wrong = await api.ask(run, { input: { ...input, windows: ['frozen'] } });
    expect(wrong.windowOverride.userErrors).toMatchObject([{ code: 'NOT_FOUND', path: ['input', 'windows', '0'] }]);
    expect(wrong.windowOverride.userErrors[0].message).toContain('those that do: freeze');
    const { windowOverride } = await api.ask(run, { input: { ...input, windows: ['freeze'] } });
    expect(windowOverride).toMatchObject({
      promotion: { overrides: [{ windows: ['freeze'], reason: 'outage', by: 'ada' }], waitingFor: [] },
      userErrors: [],
    });
    expect((await api.ended(releaseId)).status).toBe('SUCCEEDED');
    const late = await api.ask(run, { input: { ...input, windows: ['freeze'] } });
    expect(late.windowOverride.userErrors).toMatchObject([{ code: 'WRONG_STATE' }]);
  });
});

describe('changes of lists without events', () => {
  const watched = `subscription ($lists: [WatchedList!]!, $after: String) {
    listChanged(lists: $lists, after: $after) { cursor lists } }`;
  const lists = ['ENVIRONMENT_HOLDS', 'BAD_VERSIONS', 'CANDIDATES', 'TRIGGERS', 'WEBHOOK_DELIVERIES'];
  type Watching = Awaited<ReturnType<TestApi['follow']>>;
  const next = async (watching: Watching): Promise<{ cursor: string; lists: string[] }> =>
    (await watching.next()).value.listChanged;

  test('each list is told at once, then those that change, and after a cut what changed meanwhile', async () => {
    const watching = await api.follow('ada', watched, { lists, after: '' });
    expect((await next(watching)).lists).toEqual(lists);
    await api.ask(hold, { input: { environment: 'eu', reason: 'told' } });
    const held = await next(watching);
    expect(held.lists).toEqual(['ENVIRONMENT_HOLDS']);
    await api.ask(mark, { input: { product: 'billing', version: '1.0.0', reason: 'told' } });
    await watching.return?.();
    await api.ask(lift, { input: { environment: 'eu', reason: 'told' } });
    const resumed = await api.follow('ada', watched, { lists, after: held.cursor });
    // One of the lists may have been read a moment before the last change of it.
    const told = new Set<string>();
    while (told.size < 2) for (const each of (await next(resumed)).lists) told.add(each);
    expect([...told].sort()).toEqual(['BAD_VERSIONS', 'ENVIRONMENT_HOLDS']);
    await api.app.pool.query(
      `INSERT INTO environment_hold (id, environment, reason, since, until) VALUES (gen_random_uuid(), 'eu', 'short', now(), now() + interval '6 seconds')`,
    );
    for (const what of ['it holds', 'it is over'])
      expect([what, (await next(resumed)).lists]).toEqual([what, ['ENVIRONMENT_HOLDS']]);
    await resumed.return?.();
    await expect(api.follow('ada', watched, { lists, after: 'x' })).rejects.toThrow('cursor');
    await expect(api.follow('ada', watched, { lists: [] })).rejects.toThrow('empty');
  });

  test('what a caller does not see is not told either when there is so much of it that it pushes out what was there before', async () => {
    const where = { products: { names: ['billing'] }, environments: { names: ['eu'] } };
    const watching = await api.follow('vera', watched, { lists }, where);
    for (const order of [hold, lift]) {
      await api.ask(order, { input: { environment: 'eu', product: 'billing', reason: 'old' } });
      expect((await next(watching)).lists).toEqual(['ENVIRONMENT_HOLDS']);
    }
    await api.app.pool.query(
      `INSERT INTO environment_hold (id, environment, product, reason, since, lifted_at)
       SELECT gen_random_uuid(), 'us-east', 'billing', 'unseen', now(), now() FROM generate_series(1, 300)`,
    );
    const all = await api.follow('ada', watched, { lists: ['ENVIRONMENT_HOLDS'], after: '' });
    await next(all);
    await api.ask(mark, { input: { product: 'billing', version: '1.0.0', environment: 'eu', reason: 'seen' } });
    expect((await next(watching)).lists).toEqual(['BAD_VERSIONS']);
    for (const each of [watching, all]) await each.return?.();
    await api.app.pool.query(`DELETE FROM environment_hold WHERE reason = 'unseen'`);
  });

  test('however many read, each list is read once, and what it says to them is worked out once while it stays the same', async () => {
    const asked: string[] = [];
    const pool = {
      query: (statement: { name: string }) => (asked.push(statement.name), api.app.pool.query(statement as never)),
    };
    const read = new Lists(pool as never);
    const readers = Array.from({ length: 1_000 }, (_, at) => ({
      products: new Map([['billing', new Set(['eu', `own-${at}`])]]),
      environments: new Set(['eu', `own-${at}`]),
    }));
    const said = await Promise.all(readers.map((each) => read.digest('ENVIRONMENT_HOLDS', each)));
    expect([new Set(said).size, asked]).toEqual([1, ['list-ENVIRONMENT_HOLDS']]);
  });

  test('a caller is told of what the caller sees alone', async () => {
    const where = { products: { names: ['billing'] }, environments: { names: ['eu'] } };
    const watching = await api.follow('vera', watched, { lists }, where);
    await api.app.pool.query(
      `INSERT INTO webhook_delivery (id, source, webhook_id, headers, body, received_at, verified_by, status, due_at)
       VALUES (gen_random_uuid(), 'github', 'unseen', '{}', '', now(), 'github', 'PENDING', now())`,
    );
    await api.ask(hold, { input: { environment: 'us-east', product: 'billing', reason: 'unseen' } });
    await api.ask(hold, { input: { environment: 'eu', product: 'billing', reason: 'seen' } });
    const { cursor, lists: told } = await next(watching);
    expect(told).toEqual(['ENVIRONMENT_HOLDS']);
    await api.ask(lift, { input: { environment: 'us-east', product: 'billing', reason: 'unseen' } });
    const resumed = await api.follow('vera', watched, { lists, after: cursor }, where);
    await api.ask(lift, { input: { environment: 'eu', product: 'billing', reason: 'seen' } });
    expect((await next(resumed)).lists).toEqual(['ENVIRONMENT_HOLDS']);
    for (const each of [watching, resumed]) await each.return?.();
  });
});
