import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Specs } from '../../src/core/definitions.ts';
import { windowState } from '../../src/core/windows/index.ts';
import { WaitingForWindowResolver } from '../../src/resolvers/window-state.ts';
import { createContext } from '../../src/schema/context.ts';
import { ERRORS, openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const weeknights = { expression: '0 22 * * MON-FRI', duration: '8h' };
const valid = { name: 'w', kind: 'ALLOW', timeZone: 'America/New_York', times: { cron: weeknights } };
const TIMES = 'times { type cron { expression duration end } rrule { rule start duration end } once { from to } }';

const create = `mutation ($input: ReleaseWindowCreateInput!) {
  payload: releaseWindowCreate(input: $input) { releaseWindow {
    name kind holds onClose jitter runway selector { environments { names } groups products { names } } ${TIMES} } ${ERRORS} } }`;
const update = `mutation ($input: ReleaseWindowUpdateInput!) {
  payload: releaseWindowUpdate(input: $input) { releaseWindow { timeZone ${TIMES} manifest } ${ERRORS} } }`;
const remove = (name: string) =>
  api.ask(`mutation { releaseWindowDelete(input: { name: "${name}" }) { userErrors { message } } }`);

describe('a window', () => {
  const cron = (more: object) => ({ times: { cron: { ...weeknights, ...more } } });
  const rrule = { rule: 'FREQ=WEEKLY;BYDAY=SA', start: '2026-01-03T08:00', duration: '2h' };

  test.each<[string, object, string]>([
    ['an unknown zone', { timeZone: 'America/New_Yrok' }, 'timeZone'],
    ['a cron expression that is none', cron({ expression: '0 25 * * *' }), 'times cron expression'],
    ['one that never fires', cron({ expression: '0 0 30 2 *' }), 'times cron expression'],
    ['no length', cron({ duration: '0s' }), 'times cron duration'],
    ['neither duration nor end', cron({ duration: null }), 'times cron'],
    ['both', cron({ end: '06:00' }), 'times cron end'],
    ['an end that is no time of day', cron({ duration: null, end: '6' }), 'times cron end'],
    ['a rule that is none', { times: { rrule: { ...rrule, rule: 'FREQ=WEEKLY;BYDAYS=SA' } } }, 'times rrule rule'],
    ['a start that is not local', { times: { rrule: { ...rrule, start: '2026-01-03' } } }, 'times rrule start'],
    [
      'an end before the start',
      { times: { once: { from: '2026-12-24T18:00', to: '2026-12-24T17:00' } } },
      'times once to',
    ],
    ['a moment that is none', { times: { once: { from: 'Christmas', to: '2026-12-27T17:00' } } }, 'times once from'],
    ['nothing held', { holds: [] }, 'holds'],
    ['a group that cannot be', { selector: { groups: ['eu', 'E U'] } }, 'selector groups 1'],
    ['an environment that cannot be', { selector: { environments: { names: [''] } } }, 'selector environments names 0'],
    [
      'a label twice',
      { selector: { products: { matchLabels: [1, 2].map((each) => ({ key: 'a', value: `${each}` })) } } },
      'selector products matchLabels 1 key',
    ],
  ])('with %s is refused where that stands', async (_title, wrong, path) => {
    const { payload } = await api.ask(create, { input: { ...valid, ...wrong } });
    expect(payload.releaseWindow).toBeNull();
    expect(payload.userErrors.map((each: { path: string[] }) => each.path)).toEqual([['input', ...path.split(' ')]]);
  });

  test('has exactly one form: anything else is no valid request', async () => {
    const once = { from: '2026-12-24T18:00', to: '2026-12-27T06:00' };
    for (const times of [{}, { cron: weeknights, once }, { cron: null }]) {
      const [error] = await api.errorsOf(create, { input: { ...valid, times } });
      expect(error?.message).toMatch(/input\.times.*(exactly one|Exactly one|must be non-null)/);
    }
  });

  test('what is left out has the same meaning as in a manifest', async () => {
    const { payload } = await api.ask(create, { input: { ...valid, name: 'short', selector: { groups: ['eu'] } } });
    expect(payload.releaseWindow).toEqual({
      name: 'short',
      kind: 'ALLOW',
      holds: ['PROMOTE'],
      onClose: 'FINISH',
      jitter: null,
      runway: false,
      selector: { environments: { names: null }, groups: ['eu'], products: { names: null } },
      times: { type: 'CRON', cron: { ...weeknights, end: null }, rrule: null, once: null },
    });
    await remove('short');
  });

  test('new times leave nothing of the old ones, and nothing else touches them', async () => {
    await api.ask(create, { input: valid });
    const change = async (more: object) => (await api.ask(update, { input: { name: 'w', ...more } })).payload;
    const end = { cron: { expression: '0 22 * * *', end: '06:00' } };
    expect((await change({ times: end })).releaseWindow.times.cron).toEqual({ ...end.cron, duration: null });
    expect((await change({ timeZone: 'Europe/Berlin' })).releaseWindow).toMatchObject({
      timeZone: 'Europe/Berlin',
      times: end,
    });
    const { releaseWindow } = await change({ times: { rrule } });
    expect(releaseWindow.times).toEqual({ type: 'RRULE', cron: null, rrule: { ...rrule, end: null }, once: null });
    expect(releaseWindow.manifest).not.toMatch(/cron|end:/);
    expect((await change({ times: null })).userErrors).toMatchObject([{ code: 'INVALID', path: ['input', 'times'] }]);
    await remove('w');
  });

  test('of a manifest is the same; lists take a selector', async () => {
    const text = `apiVersion: sluice.dev/v1
kind: ReleaseWindow
metadata: { name: christmas, labels: { team: ops } }
spec: { kind: DENY, timeZone: Europe/Berlin, from: "2026-12-24T18:00", to: "2026-12-27T06:00" }
`;
    await api.ask('mutation ($text: String!) { manifestsApply(input: { text: $text }) { userErrors { message } } }', {
      text,
    });
    await api.ask(create, { input: valid });
    const { releaseWindows } =
      await api.ask(`{ releaseWindows(selector: { matchLabels: [{ key: "team", value: "ops" }] }) {
      nodes { name ${TIMES} } pageInfo { hasNextPage } } }`);
    expect(releaseWindows).toMatchObject({
      nodes: [
        { name: 'christmas', times: { type: 'ONCE', once: { from: '2026-12-24T18:00', to: '2026-12-27T06:00' } } },
      ],
      pageInfo: { hasNextPage: false },
    });
    await remove('w');
    await remove('christmas');
  });
});

describe('windowState', () => {
  const save = (name: string, spec: Partial<Specs['ReleaseWindow']>) =>
    api.save('ReleaseWindow', name, {
      kind: 'ALLOW',
      timeZone: 'America/New_York',
      selector: { environments: { names: ['ny-*'] }, products: {} },
      holds: ['PROMOTE'],
      onClose: 'FINISH',
      runway: false,
      ...spec,
    });
  const ask = async (args: string) =>
    (
      await api.ask(`{ windowState(environment: ${args}) { at closed reason windows { name kind } nextOpen nextClose jitter startsBy
        schedule { window { name } occurrences { start end localStart localEnd clockChange } } } }`)
    ).windowState;

  beforeAll(async () => {
    await api.save('Environment', 'ny-1', { kind: 'PRODUCTION' });
    await api.save('Environment', 'tokyo', { kind: 'PRODUCTION' });
    for (const name of ['till', 'ledger']) {
      await api.save('Product', name, { promotionFlows: [], concurrency: 'QUEUE', queueLimit: 50 });
    }
    await save('nights', { cron: '0 22 * * *', duration: 8 * 3_600_000 });
    await save('audit', {
      kind: 'DENY',
      from: '2026-03-09T03:00:00Z',
      to: '2026-03-09T05:00:00Z',
      jitter: 120_000,
      selector: { environments: { names: ['ny-*'] }, products: { names: ['ledger'] } },
    });
    await save('no-way-back', { kind: 'DENY', cron: '0 0 * * *', duration: 24 * 3_600_000, holds: ['ROLLBACK'] });
  });

  test('closed or open, why, until when, and the next ten times with the clock change marked', async () => {
    const state = await ask('"ny-1", product: "till", at: "2026-03-08T02:00:00Z"');
    expect(state).toMatchObject({
      at: '2026-03-08T02:00:00.000Z',
      closed: true,
      reason: 'outside the ALLOW window nights',
      windows: [{ name: 'nights', kind: 'ALLOW' }],
      nextOpen: '2026-03-08T03:00:00.000Z',
      nextClose: '2026-03-08T10:00:00.000Z',
      jitter: null,
      startsBy: '2026-03-08T03:00:00.000Z',
      schedule: [{ window: { name: 'nights' } }],
    });
    const [{ occurrences }] = state.schedule;
    expect(occurrences).toHaveLength(10);
    expect(occurrences[0]).toEqual({
      start: '2026-03-08T03:00:00.000Z',
      end: '2026-03-08T10:00:00.000Z',
      localStart: '2026-03-07T22:00:00-05:00',
      localEnd: '2026-03-08T06:00:00-04:00',
      clockChange: true,
    });
    expect(occurrences.map((each: { clockChange: boolean }) => each.clockChange).lastIndexOf(true)).toBe(1);
  });

  test.each([
    ['a DENY closes its product', '"ny-1", product: "ledger", at: "2026-03-09T04:00:00Z"', true, ['audit']],
    ['and no other', '"ny-1", product: "till", at: "2026-03-09T04:00:00Z"', false, ['nights']],
    ['without a product every window counts', '"ny-1", at: "2026-03-09T04:00:00Z"', true, ['audit']],
    ['another action has other windows', '"ny-1", at: "2026-03-09T04:00:00Z", action: ROLLBACK', true, ['no-way-back']],
    ['what no window holds is open', '"ny-1", at: "2026-03-09T04:00:00Z", action: APPROVE', false, []],
    ['what no window selects is open', '"tokyo"', false, []],
  ])('%s', async (_title, args, closed, names) => {
    const state = await ask(args);
    expect(state).toMatchObject({ closed, windows: names.map((name) => ({ name })) });
  });

  test('until when what waits for an opening has started, where a window has a jitter', async () => {
    const before = await ask('"ny-1", product: "ledger", at: "2026-03-09T04:00:00Z"');
    const there = { nextOpen: '2026-03-09T05:00:00.000Z', jitter: '2m', startsBy: '2026-03-09T05:02:00.000Z' };
    expect(before).toMatchObject({ closed: true, ...there });
    const after = await ask('"ny-1", product: "ledger", at: "2026-03-09T05:01:00Z"');
    expect(after).toMatchObject({ closed: false, startsBy: there.startsBy });
    const later = await ask('"ny-1", product: "ledger", at: "2026-03-09T05:02:00Z"');
    expect(later).toMatchObject({ closed: false, startsBy: null });
  });

  test('says what the engine says, now', async () => {
    const { definitions } = api.app;
    const windows = (await definitions.current()).windowsFor('till', 'ny-1');
    const { at, closed, reason, nextOpen, nextClose } = await ask('"ny-1", product: "till"');
    const expected = windowState(windows, Date.parse(at), 'PROMOTE');
    expect({ closed, reason, nextOpen: Date.parse(nextOpen), nextClose: Date.parse(nextClose) }).toEqual({
      closed: expected.closed,
      reason: expected.reason,
      nextOpen: expected.nextOpen,
      nextClose: expected.nextClose,
    });
  });

  test.each([
    ['"nowhere"', 'there is no environment "nowhere"'],
    ['"ny-1", product: "nothing"', 'there is no product "nothing"'],
    ['"ny-1", product: ""', 'there is no product ""'],
  ])('of %s: %s', async (args, message) => {
    const [error] = await api.errorsOf(`{ windowState(environment: ${args}) { closed } }`);
    expect(error).toMatchObject({ message, extensions: { code: 'NOT_FOUND' } });
  });

  test.each(['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z'])('is answered for %s, too', async (at) => {
    expect((await ask(`"ny-1", at: "${at}"`)).schedule).toHaveLength(2);
  });
});

test('a runway is what the product has taken there so far; without a product there is none', async () => {
  await api.startWorker();
  await api.saveBilling('measured');
  await api.ended(await api.trigger({ product: 'measured', version: '1' }));
  const once = { from: '2026-01-01T00:00:00Z', to: '2099-01-01T00:00:00Z' };
  const selector = { environments: { names: ['eu'] } };
  await api.ask(create, { input: { ...valid, name: 'strict', times: { once }, selector, runway: true } });
  const state = (args: string) =>
    `windowState(environment: "eu", at: "2098-12-31T23:59:59.999Z"${args}) { closed reason }`;
  const answer = await api.ask(`{ of: ${state(', product: "measured"')} all: ${state('')} }`);
  expect(answer).toEqual({
    of: { closed: true, reason: expect.stringContaining('would not finish before the ALLOW window strict closes') },
    all: { closed: false, reason: 'inside the ALLOW window strict' },
  });
  await remove('strict');
});

describe('a calendar of windows', () => {
  const OCCURRENCES = 'occurrences { start end localStart clockChange } cutAt clockChanges { at before after }';
  const span = { from: '2026-03-06T00:00:00Z', to: '2026-03-10T00:00:00Z' };
  const inYork = [
    ['2026-03-05T22:00:00-05:00', false],
    ['2026-03-06T22:00:00-05:00', false],
    ['2026-03-09T22:00:00-04:00', false],
  ];
  const york = [{ at: '2026-03-08T07:00:00.000Z', before: '-05:00', after: '-04:00' }];
  const localsOf = ({ occurrences }: { occurrences: { localStart: string; clockChange: boolean }[] }) =>
    occurrences.map(({ localStart, clockChange }) => [localStart, clockChange]);

  test('of a window that is not saved is that of the saved one, and nothing is saved for it', async () => {
    const preview = `query ($input: ReleaseWindowCreateInput!, $from: DateTime!, $to: DateTime!) {
      windowPreview(input: $input, from: $from, to: $to) { ${OCCURRENCES} ${ERRORS} } }`;
    const input = { ...valid, name: 'drafted' };
    const { windowPreview: drafted } = await api.ask(preview, { input, ...span });
    expect(localsOf(drafted)).toEqual(inYork.slice(0, 2));
    expect(drafted).toMatchObject({ cutAt: null, clockChanges: york, userErrors: [] });
    const saved = `query ($from: DateTime!, $to: DateTime!) { releaseWindow(name: "drafted") {
      occurrences(from: $from, to: $to) { ${OCCURRENCES} } } }`;
    expect((await api.ask(saved, span)).releaseWindow).toBeNull();
    await api.ask(create, { input });
    expect((await api.ask(saved, span)).releaseWindow.occurrences).toEqual({
      occurrences: drafted.occurrences,
      cutAt: null,
      clockChanges: york,
    });
    await remove('drafted');

    const wrong = await api.ask(preview, { input: { ...input, timeZone: 'America/New_Yrok' }, ...span });
    const refused = await api.ask(create, { input: { ...input, timeZone: 'America/New_Yrok' } });
    expect(wrong.windowPreview.occurrences).toEqual([]);
    expect(wrong.windowPreview.userErrors).toMatchObject([{ path: ['input', 'timeZone'] }]);
    expect(wrong.windowPreview.userErrors).toEqual(refused.payload.userErrors);

    const minutely = { ...valid, times: { cron: { expression: '* * * * *', duration: '1m' } } };
    const { windowPreview: long } = await api.ask(preview, { input: minutely, ...span });
    expect(long.occurrences).toHaveLength(1_000);
    expect(long.cutAt).toBe('2026-03-06T16:40:00.000Z');
  });

  test('of environments and products says when each is closed, as the engine would say, also in the past', async () => {
    await api.saveBilling('calendar');
    const times = { from: '2020-05-01T10:00', to: '2020-05-01T12:00' };
    const input = {
      name: 'old-freeze',
      kind: 'DENY',
      timeZone: 'Europe/Berlin',
      times: { once: times },
      selector: { environments: { names: ['eu'] }, products: { names: ['calendar'] } },
    };
    expect((await api.ask(create, { input })).payload.userErrors).toEqual([]);
    const ask = `query ($environments: [String!]!, $products: [String!], $from: DateTime!, $to: DateTime!) {
      windowCalendar(from: $from, to: $to, environments: $environments, products: $products) {
        rows { environment { name } product { name } cutAt stretches { from to closed windowNames } }
        windows { window { name } ${OCCURRENCES} } } }`;
    const day = { from: '2020-05-01T00:00:00Z', to: '2020-05-02T00:00:00Z' };
    const of = { environments: ['eu', 'staging'], products: ['calendar'] };
    const { rows, windows } = (await api.ask(ask, { ...of, ...day })).windowCalendar;
    const [opens, closes] = ['2020-05-01T10:00:00.000Z', '2020-05-01T08:00:00.000Z'];
    const midnight = '2020-05-01T00:00:00.000Z';
    const end = '2020-05-02T00:00:00.000Z';
    expect(rows).toEqual([
      {
        environment: { name: 'eu' },
        product: { name: 'calendar' },
        cutAt: null,
        stretches: [
          { from: midnight, to: closes, closed: false, windowNames: [] },
          { from: closes, to: opens, closed: true, windowNames: ['old-freeze'] },
          { from: opens, to: end, closed: false, windowNames: [] },
        ],
      },
      {
        environment: { name: 'staging' },
        product: { name: 'calendar' },
        cutAt: null,
        stretches: [{ from: midnight, to: end, closed: false, windowNames: [] }],
      },
    ]);
    expect(windows).toMatchObject([{ window: { name: 'old-freeze' }, occurrences: [{ start: closes, end: opens }] }]);
    await remove('old-freeze');
    const errors = async (variables: object): Promise<string> =>
      (await api.errorsOf(ask, { ...of, ...day, ...variables }))[0]!.message;
    expect(await errors({ to: day.from })).toBe('`to` is not after `from`');
    expect(await errors({ to: '2022-05-01T00:00:00Z' })).toBe(
      'from `from` to `to` are 730 days; at most 366 are answered',
    );
    expect(await errors({ environments: ['nowhere'] })).toBe('there is no environment "nowhere"');
    expect(await errors({ products: ['nothing'] })).toBe('there is no product "nothing"');
    const names = Array.from({ length: 101 }, (_, index) => `e${index}`);
    expect(await errors({ environments: names })).toBe('environments times products are 101; at most 100 are answered');
  });
});

describe('what a release waits for', () => {
  const query = `query ($first: Int!) { releases(first: $first) { nodes { waitingFor { __typename
    ... on WaitingForWindow { message earliest windowNames windows { name kind ${TIMES} } } } } } }`;
  const christmas = { from: '2026-01-01T00:00:00Z', to: new Date(Date.now() + 86_400_000).toISOString() };

  beforeAll(async () => {
    await api.ask(create, {
      input: {
        name: 'freeze',
        kind: 'DENY',
        timeZone: 'UTC',
        times: { once: christmas },
        selector: { environments: { names: ['dev'] } },
      },
    });
    for (const product of ['billing', 'books', 'bonus']) {
      await api.saveBilling(product);
      const id = await api.trigger({ product, version: '1' });
      await api.reached(id, (state) => state.status === 'SUSPENDED');
    }
  });

  test('is the window itself, with its name', async () => {
    const { releases } = await api.ask(query, { first: 1 });
    const reason = releases.nodes[0].waitingFor.find(
      (each: { __typename: string }) => each.__typename === 'WaitingForWindow',
    );
    expect(reason).toMatchObject({
      message: expect.stringContaining('inside the DENY window freeze'),
      earliest: christmas.to,
      windowNames: ['freeze'],
      windows: [{ name: 'freeze', kind: 'DENY', times: { type: 'ONCE', once: christmas } }],
    });
  });

  test('costs as many statements for three releases as for one', async () => {
    // The least of a few: the worker's own statements are counted, too, when it looks around meanwhile.
    const cost = async (first: number): Promise<number> => {
      const counts: number[] = [];
      for (let round = 0; round < 20; round += 1) {
        counts.push(await api.statements(() => api.ask(query, { first })));
      }
      return Math.min(...counts);
    };
    expect(await cost(3)).toBe(await cost(1));
  });

  test('a window that was deleted meanwhile is a name alone', async () => {
    const context = createContext({ app: api.app, log: null as never });
    const root = { windowNames: ['deleted', 'freeze'] } as never;
    const windows = await new WaitingForWindowResolver().windows(context, root);
    expect(windows.map(({ name }) => name)).toEqual(['freeze']);
  });
});
