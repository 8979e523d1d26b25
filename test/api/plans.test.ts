import { createHash, randomBytes } from 'node:crypto';
import { getNamedType, isInputObjectType, isObjectType } from 'graphql';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inTransaction } from '../../src/connections.ts';
import { buildApiSchema } from '../../src/schema/build.ts';
import { setSecret } from '../../src/commands/set-secret.ts';
import { claimDue, lockNewest, newerCandidate, wakeCandidates } from '../../src/store/candidates.ts';
import { claimDueStatuses, followedReleases } from '../../src/store/commit-statuses.ts';
import { requestsFor } from '../../src/store/merge-groups.ts';
import { dueForJudgement } from '../../src/store/merge-requests.ts';
import { dueRepositories, hintsOf, pullRequestHints } from '../../src/store/news.ts';
import {
  abandonedPullRequests,
  awaitedPlaces,
  openPullRequests,
  outdatedPullRequests,
  requestedRepositories,
} from '../../src/store/pull-requests.ts';
import { activePauses } from '../../src/store/triggers.ts';
import { RARE } from '../../src/store/event-rows.ts';
import { READ_SETTINGS } from '../../src/store/reads.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost } from '../peers/git-host.ts';
import { fillHistory, GROWING, PRODUCTS } from '../support/history.ts';
import { openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';
import { planOf, statementsOf } from './support/plans.ts';
import type { Plan } from './support/plans.ts';
import { CASES, DEFINED, ENTRIES, FEW, MOST, RELEASES } from './support/questions.ts';
import type { Case } from './support/questions.ts';

// Every list, every filter and every query of the log reads by an index a number of rows that depends on its page and not on the
// history: the plans of the statements that the API really sends, on a history that would show it.

let api: TestApi;
let host: GitHost;
let client: pg.Client;
/** A session as the pool has it that reads lists. */
let reader: pg.Client;
const ids: Record<string, string> = {};

beforeAll(async () => {
  host = await startGitHost();
  const repository = await host.repository('config');
  await repository.commit({ 'dev/a.yaml': 'v: 1\n' }, 'First');
  const settings = {
    SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SLUICE_GIT_PROTOCOLS: 'http',
    SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
  };
  api = await openTestApi(settings, { entriesPerPage: ENTRIES });
  await api.saveBilling();
  const worker = await api.startWorker();
  for (const version of ['1', '2']) await api.ended(await api.trigger({ product: 'billing', version }));
  for (const name of PRODUCTS)
    await api.save('Product', name, { promotionFlows: [], concurrency: 'PIPELINE', queueLimit: 50 });
  // What is open below waits for nobody.
  await worker.close();
  const simulated = { driver: { type: 'simulate' as const }, health: { type: 'none' as const } };
  await api.save('Application', 'billing-eu-of-product-1', { product: 'product-1', environment: 'eu', ...simulated });
  await api.saveBilling('news', {
    driver: (environment) => ({ type: 'git', repoURL: repository.url, branch: 'main', path: environment }),
  });
  const use = { kind: 'WEBHOOK' as const, source: 'github', products: [], scheme: 'GITHUB' as const };
  await setSecret(api.app, { name: 'github', value: 'a-secret-of-the-host', description: null, use }, 'ada');
  client = new pg.Client({ connectionString: api.databaseUrl });
  await client.connect();
  reader = new pg.Client({ connectionString: api.databaseUrl });
  await reader.connect();
  await reader.query(READ_SETTINGS);
  await fillHistory(client, { releases: RELEASES, entries: RELEASES });
  const one = async (text: string): Promise<string> => (await client.query<{ id: string }>(text)).rows[0]!.id;
  const { rows } = await client.query<{ index: string; first: string }>(
    'SELECT indexrelid::regclass::text AS index, pg_get_indexdef(indexrelid, 1, true) AS first FROM pg_index',
  );
  for (const { index, first } of rows) begins.set(index.replaceAll('"', ''), first);
  await client.query(
    `INSERT INTO watched_repository (repository, host, branches) VALUES ($1, '127.0.0.1', '["main"]')`,
    [repository.url],
  );
  await client.query(
    `INSERT INTO trigger_pause (id, product, reason, since) VALUES (gen_random_uuid(), 'news', 'so', now())`,
  );
  ids['repository'] = repository.url;
  ids['release'] = await one(`SELECT id FROM release WHERE number = 1000 + ${RELEASES / 2}`);
  ids['open'] = await one('SELECT id FROM release WHERE ended_at IS NULL ORDER BY number LIMIT 1');
  ids['rollback'] = await one('SELECT id FROM rollback ORDER BY created_at LIMIT 1');
  ids['origin'] = await one('SELECT origins[1] AS id FROM rollback ORDER BY created_at LIMIT 1');
}, 120_000);
afterAll(async () => {
  await reader?.end();
  await client?.end();
  await api?.close();
  await host?.close();
});

const OWN = ['PK_', 'release_event_pkey', 'IDX_'];

/**
 * Lists that begin at one end and are read until the page is full: entries that a filter leaves out count as read. Every other
 * index is entered by a condition on what it begins with, so that nothing before and behind is looked at.
 */
const IN_ORDER = [
  'IDX_f19642ecab2a425967958e4392',
  'PK_07fefa57f7f5ab8fc3f52b3ed0b',
  'bad_version_current',
  'bad_version_newest',
  'candidate_newest',
  'environment_hold_current',
  'environment_hold_newest',
  'rollback_newest',
  'webhook_delivery_newest',
];
/** Indexes of what is not over alone: all in them is what is asked for. */
const OPEN = [
  'promotion_holds',
  'pull_request_open',
  'pull_request_due',
  'commit_status_follows',
  'hint_of_pull_request',
];
/** Index → the column or expression that it begins with, as PostgreSQL writes it. */
const begins = new Map<string, string>();

/** What processes ask again and again, or whenever news comes, whether or not there is anything to do. */
const ASKED: { name: string; ask: () => Promise<unknown>; by: string[]; most?: number }[] = [
  {
    name: 'due candidates',
    ask: () => claimDue(api.app.pool, new Date(), new Date(), { limit: 10, but: [] }),
    by: ['candidate_due'],
  },
  {
    name: 'the newest candidate of an environment that has few',
    ask: () => inTransaction(api.app.pool, 'BEGIN', (one) => lockNewest(one, 'product-11', 'seldom')),
    by: ['candidate_of_environment'],
    most: 10,
  },
  {
    name: 'whether a candidate is the newest',
    ask: () =>
      newerCandidate(api.app.pool, {
        product: 'product-1',
        environment: 'dev',
        createdAt: new Date(0),
        id: ids['release']!,
      }),
    by: ['candidate_of_environment'],
    most: 10,
  },
  {
    name: 'candidates that wait',
    ask: () => wakeCandidates(api.app.pool, new Date(), { product: 'product-1', environment: 'dev' }),
    by: ['candidate_open'],
    most: 10,
  },
  {
    name: 'pauses of a product',
    ask: () => activePauses(api.app.pool, new Date(), 'news'),
    by: ['trigger_pause_holds'],
    most: 10,
  },
  { name: 'due repositories', ask: () => dueRepositories(api.app.pool, 10), by: ['hint_repository'], most: 10 },
  {
    name: 'hints of a repository with few',
    ask: () => hintsOf(api.app.pool, ['https://git.example.com/rare'], 'PUSH'),
    by: ['hint_repository'],
    most: 10,
  },
  {
    name: 'hints about pull requests',
    ask: () => pullRequestHints(api.app.pool, 10),
    by: ['hint_of_pull_request'],
    most: 10,
  },
  {
    name: 'pull requests to be judged',
    ask: () => dueForJudgement(api.app.pool, 10, 1_000),
    by: ['pull_request_due'],
    most: 10,
  },
  {
    name: 'open pull requests of a repository',
    ask: () => openPullRequests(api.app.pool, 'https://git.example.com/product-1'),
    by: ['pull_request_open'],
    most: 10,
  },
  { name: 'open pull requests', ask: () => awaitedPlaces(api.app.pool), by: ['pull_request_open'], most: 10 },
  {
    name: 'abandoned pull requests',
    ask: () => abandonedPullRequests(api.app.pool, 60, 10, undefined),
    by: ['pull_request_open'],
    most: 10,
  },
  {
    name: 'outdated pull requests',
    ask: () => outdatedPullRequests(api.app.pool, 10, undefined),
    by: ['pull_request_open', 'pull_request_due', 'release_open', 'promotion_ahead'],
    most: 10,
  },
  {
    name: 'repositories of pull requests',
    ask: () => requestedRepositories(api.app.pool),
    by: ['pull_request_of_branch'],
    most: 100,
  },
  {
    name: 'pull requests for a branch that has few',
    ask: () => requestsFor(api.app.pool, 'https://git.example.com/rare', 'main'),
    by: ['pull_request_of_branch'],
    most: 100,
  },
  {
    name: 'due commit statuses',
    ask: () => claimDueStatuses(api.app.pool, { limit: 10, lease: 1_000, pause: 1_000, onlyUrgent: false }),
    by: ['commit_status_due'],
    most: 10,
  },
  {
    name: 'commit statuses that follow a release',
    ask: () => followedReleases(api.app.pool),
    by: ['commit_status_follows'],
    most: 10,
  },
];

const written = ({ field, query }: Pick<Case, 'field' | 'query'>): string => {
  const node = Buffer.from(`Release:${ids['release']}`).toString('base64url');
  const text = query.replace('$releaseNode', node).replaceAll(/\$(\w+)/g, (_, name: string) => ids[name] ?? `$${name}`);
  return `{ ${field}${text} }`;
};

async function plansOf(each: Pick<Case, 'field' | 'query' | 'sees'>): Promise<Plan[]> {
  const { sees } = each;
  const where = sees && {
    products: { names: sees.products },
    environments: sees.environments ? { names: sees.environments } : {},
  };
  const ask = () =>
    where ? api.askAs('vera', written(each), {}, 'VIEWER', where) : api.askAs('ada', written(each), {}, 'ADMIN');
  // Once before: what a process keeps of definitions is not the question's.
  await ask();
  return plansIn(ask);
}

async function plansIn(ask: () => Promise<unknown>): Promise<Plan[]> {
  const statements = await statementsOf(ask);
  const plans: Plan[] = [];
  for (const statement of statements) plans.push(await planOf(statement.isRead ? reader : client, statement));
  return plans;
}

/** Lists are read backwards by the same indexes, and no more of them. */
const FROM_THE_END = CASES.filter(({ query }) => /^\(.*\bfirst: \d+/.test(query) && /edges|nodes/.test(query)).map(
  (each) => ({
    ...each,
    query: each.query.replace(/\bfirst: (\d+)/, 'last: $1').replace(/\bafter: "/, 'before: "'),
  }),
);

const grows = (table: string): boolean => (GROWING as readonly string[]).includes(table);

/** An expression in a plan has parentheses that it has not where its index is defined. */
const bare = (expression: string): string => expression.replaceAll(/[()]/g, '');

/** What is wrong with how it was read. */
function faultsOf(plans: Plan[], { by, most = MOST }: Pick<Case, 'by' | 'most'>): string[] {
  return plans.flatMap(({ scans, statement }) => {
    const growing = scans.filter(({ table }) => grows(table));
    const rows = growing.reduce((sum, each) => sum + each.rows, 0);
    const faults = growing.flatMap((scan) => {
      if (scan.node === 'Seq Scan') return [`${scan.table} is read from end to end`];
      if (scan.index === null) return [];
      const allowed = [...OWN, ...by].some((name) => scan.index!.startsWith(name));
      if (!allowed) return [`${scan.table} is read by ${scan.index}`];
      const first = begins.get(scan.index) ?? 'what no index begins with';
      if ([...IN_ORDER, ...OPEN].includes(scan.index) || bare(scan.condition ?? '').includes(bare(first))) return [];
      return [`${scan.table} is read by ${scan.index} without a condition on ${first} (${scan.condition})`];
    });
    if (rows > most) faults.push(`${rows} rows are read`);
    return faults.map((fault) => `${fault}: ${statement.text.slice(0, 3_000)}\n${JSON.stringify(scans)}`);
  });
}

test('a page of releases with their versions and counts reads no plan of them', async () => {
  const query =
    '{ releases(first: 100) { nodes { id version { label commit } sources { application } counts { total succeeded } } } }';
  const sent = await statementsOf(() => api.ask(query));
  expect(sent.map(({ text }) => text).filter((text) => /\bl\.plan\b/.test(text))).toEqual([]);
  // The page, what they pinned, and the counts.
  expect(sent).toHaveLength(3);
});

describe('every field of Query has its plans here', () => {
  const fields = Object.values(buildApiSchema().getQueryType()!.getFields());

  test('and a new one needs a case', () => {
    const covered = new Set([...CASES, ...DEFINED].map(({ field }) => field));
    expect(fields.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([]);
  });

  test('so does a new field of a filter', () => {
    const missing = fields.flatMap((field) => {
      const texts = CASES.filter((each) => each.field === field.name).map(({ query }) => query);
      if (texts.length === 0) return [];
      return field.args.flatMap((arg) => {
        const type = getNamedType(arg.type);
        const names = isInputObjectType(type) && /filter|selector/.test(arg.name) ? Object.keys(type.getFields()) : [];
        return names
          .filter((name) => !texts.some((text) => text.includes(`${name}: `)))
          .map((name) => `${field.name}(${arg.name}: { ${name} })`);
      });
    });
    expect(missing).toEqual([]);
  });

  test('the list of rare types is the condition of their index', async () => {
    const { rows } = await client.query<{ definition: string }>(
      `SELECT pg_get_indexdef('release_event_of_type'::regclass) AS definition`,
    );
    const named = [...rows[0]!.definition.matchAll(/'(\w+)'::text/g)].map(([, name]) => name);
    expect(new Set(named.filter((name) => /^[A-Z]/.test(name!)))).toEqual(new Set(RARE));
  });
});

/** Of ten releases of the history. */
const COMMIT = `${createHash('md5').update('commit 77').digest('hex')}abcdef01`;
/** In the middle of the history. */
const DAYS = {
  since: new Date(Date.now() - 2_600 * 60_000).toISOString(),
  until: new Date(Date.now() - 1_000 * 60_000).toISOString(),
};

test('a list is counted as far as one page may look, and says so; its facets are of what was counted', async () => {
  const question = (filter: string): string =>
    `{ releases(first: 1, filter: ${filter}) { totalCount isTotalCapped facets { products { value count } statuses { value count } flows { count } } } }`;
  const [rare] = (await client.query(`SELECT count(*)::int AS count FROM release WHERE product = 'rare'`)).rows;
  const few = (await api.ask(question('{ product: "rare" }'))).releases;
  expect(few).toMatchObject({ totalCount: rare.count, isTotalCapped: false });
  expect(few.facets).toMatchObject({
    products: [{ value: 'rare', count: rare.count }],
    flows: [{ count: rare.count }],
  });
  const many = (await api.ask(question('{}'))).releases;
  expect(many).toMatchObject({ totalCount: ENTRIES, isTotalCapped: true });
  const counted = many.facets.statuses.map(({ count }: { count: number }) => count);
  expect(counted.reduce((sum: number, each: number) => sum + each)).toBe(ENTRIES);
  expect(counted).toEqual([...counted].sort((a, b) => b - a));
  const none = (await api.ask(question('{ actor: "nobody" }'))).releases;
  expect(none).toMatchObject({ totalCount: 0, isTotalCapped: false, facets: { products: [], statuses: [] } });
  const [wrong] = await api.errorsOf('{ releases(filter: { commit: "abc123" }) { nodes { id } } }');
  expect(wrong?.message).toBe("commit is 'abc123': expected its id, or the first 7 hexadecimal digits or more");
});

describe('every connection is read from both of its ends', () => {
  const connections = Object.values(buildApiSchema().getTypeMap()).flatMap((type) =>
    isObjectType(type) && !type.name.startsWith('__')
      ? Object.values(type.getFields())
          .filter((field) => getNamedType(field.type).name.endsWith('Connection'))
          .map((field) => ({ on: type.name, field }))
      : [],
  );

  test('by the same arguments', () => {
    expect(connections.length).toBeGreaterThan(20);
    for (const { on, field } of connections) {
      const names = field.args.map(({ name }) => name);
      expect([on, field.name, ...names]).toEqual(expect.arrayContaining(['first', 'after', 'last', 'before']));
    }
  });

  const ofQuery = connections.filter(({ on }) => on === 'Query').map(({ field }) => field.name);
  test.each(ofQuery)(
    '%s: a page is found again from the one behind it, and the last one from the one before',
    async (field) => {
      const known = [...CASES, ...DEFINED].find((each) => each.field === field && each.query.startsWith('('))!;
      const args = /^\(([^{]*?)\) /
        .exec(known.query)![1]!
        .replaceAll(/(first: \d+|after: "[^"]*"),? ?/g, '')
        .replace(/, $/, '');
      interface Page {
        edges: { cursor: string }[];
        pageInfo: {
          hasNextPage: boolean;
          hasPreviousPage: boolean;
          startCursor: string | null;
          endCursor: string | null;
        };
      }
      const page = async (which: string): Promise<Page> => {
        const query = `(${[which, args].filter(Boolean).join(', ')}) { edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`;
        return (await api.askAs('ada', written({ field, query }), {}, 'ADMIN'))[field] as Page;
      };
      const begin = await page('first: 3');
      const next =
        begin.pageInfo.endCursor === null ? null : await page(`first: 3, after: "${begin.pageInfo.endCursor}"`);
      if (next && next.edges.length > 0) {
        const again = await page(`last: 3, before: "${next.edges[0]!.cursor}"`);
        expect(again.edges).toEqual(begin.edges);
        expect(again.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
        const behind = await page(`last: 1, before: "${next.edges[0]!.cursor}"`);
        expect(behind.edges).toEqual(begin.edges.slice(-1));
        expect(behind.pageInfo.hasPreviousPage).toBe(begin.edges.length > 1);
      }
      const end = await page('last: 3');
      expect(end.pageInfo.hasNextPage).toBe(false);
      if (end.edges.length > 0) {
        const rest = await page(`first: 3, after: "${end.edges[0]!.cursor}"`);
        expect(rest.edges).toEqual(end.edges.slice(1));
        expect(rest.pageInfo.hasNextPage).toBe(false);
      }
    },
  );
});

describe('a list whose pages are cut holds the same as one that is read whole', () => {
  const all = async (text: string): Promise<string[]> =>
    (await client.query<{ key: string }>(text)).rows.map(({ key }) => key);
  const seldom = `EXISTS (SELECT FROM promotion p WHERE p.release_id = r.id AND p.environment = 'seldom')`;

  test.each([
    [
      'releases of a product into an environment',
      'releases',
      'filter: { product: "product-11", environment: "seldom" }',
      'nodes { key: uuid }',
      `SELECT id AS key FROM release r WHERE product = 'product-11' AND ${seldom} ORDER BY number DESC`,
    ],
    [
      'releases into an environment, of a viewer',
      'releases',
      'filter: { environment: "eu" }',
      'nodes { key: uuid }',
      `SELECT r.id AS key FROM release r JOIN promotion p ON p.release_id = r.id AND p.environment = 'eu' WHERE r.product IN ('product-1', 'rare') ORDER BY r.number DESC`,
    ],
    [
      'events of an environment, of a viewer',
      'releaseEventLog',
      'filter: { environment: "eu", types: [PromotionSucceeded] }',
      'nodes: edges { node { key: releaseId } }',
      `SELECT release_id AS key FROM logged_event WHERE product IN ('product-1', 'rare') AND event->>'environment' = 'eu' AND event->>'type' = 'PromotionSucceeded' ORDER BY position, id`,
    ],
    [
      'events of a rare type, of a viewer',
      'releaseEventLog',
      'filter: { types: [PromotionFailed, ReleaseFailed] }',
      'nodes: edges { node { key: releaseId } }',
      `SELECT release_id AS key FROM logged_event WHERE product IN ('product-1', 'rare') AND event->>'type' IN ('PromotionFailed', 'ReleaseFailed') ORDER BY position, id`,
    ],
    [
      'releases with a text',
      'releases',
      'filter: { text: "V77" }',
      'nodes { key: uuid }',
      `SELECT id AS key FROM release WHERE version LIKE 'v77%' ORDER BY number DESC`,
    ],
    [
      'releases of a commit, by its beginning',
      'releases',
      `filter: { commit: "${COMMIT.slice(0, 9).toUpperCase()}" }`,
      'nodes { key: uuid }',
      `SELECT r.id AS key FROM release r JOIN release_commit c ON c.number = r.number WHERE c.commit = '${COMMIT}' ORDER BY r.number DESC`,
    ],
    [
      'releases of some days, of a viewer',
      'releases',
      `filter: { flow: "to-production", since: "${DAYS.since}", until: "${DAYS.until}" }`,
      'nodes { key: uuid }',
      `SELECT id AS key FROM release WHERE product IN ('product-1', 'rare') AND flow = 'to-production'
         AND created_at >= '${DAYS.since}' AND created_at < '${DAYS.until}' ORDER BY number DESC`,
    ],
    [
      'releases of some days into an environment',
      'releases',
      `filter: { environment: "seldom", since: "${DAYS.since}", until: "${DAYS.until}" }`,
      'nodes { key: uuid }',
      `SELECT id AS key FROM release r WHERE ${seldom} AND created_at >= '${DAYS.since}' AND created_at < '${DAYS.until}' ORDER BY number DESC`,
    ],
    [
      'releases that a person should look at',
      'releases',
      'filter: { needsAttention: true }',
      'nodes { key: uuid }',
      `SELECT id AS key FROM release r WHERE (
         (ended_at IS NULL AND EXISTS (SELECT FROM promotion p WHERE p.release_id = r.id AND p.status IN ('SUSPENDED', 'FAILED')))
         OR (status = 'FAILED' AND number = (SELECT max(number) FROM release n WHERE n.product = r.product AND n.flow = r.flow)))
       ORDER BY number DESC`,
    ],
    [
      'marks of a digest',
      'badVersions',
      'filter: { product: "rare" }',
      'nodes { key: digest }',
      `SELECT digest AS key FROM bad_version WHERE product = 'rare' ORDER BY since DESC, id DESC`,
    ],
    [
      'deliveries of a source that failed',
      'webhookDeliveries',
      'filter: { source: "other", status: FAILED }',
      'nodes { key: webhookId }',
      `SELECT webhook_id AS key FROM webhook_delivery WHERE source = 'other' AND status = 'FAILED' ORDER BY received_at DESC, id DESC`,
    ],
  ])('%s', async (name, field, filter, nodes, text) => {
    const where = name.endsWith('of a viewer') ? { products: { names: FEW.products }, environments: {} } : undefined;
    let pages = 0;
    const read = async (page: string, [more, place]: readonly [string, string]): Promise<string[]> => {
      const found: string[] = [];
      for (let cursor: string | null = null, goesOn = true; goesOn && pages < 400; pages += 1) {
        const query = `query ($cursor: String) { list: ${field}(${page}, ${filter}) { ${nodes} pageInfo { goesOn: ${more} place: ${place} } } }`;
        const { list } = await api.askAs('vera', query, { cursor }, where ? 'VIEWER' : 'ADMIN', where);
        const keys = (list.nodes as { key?: string; node?: { key: string } }[]).map(
          (each) => (each.key ?? each.node?.key)!,
        );
        found.splice(more === 'hasNextPage' ? found.length : 0, 0, ...keys);
        cursor = list.pageInfo.place;
        goesOn = list.pageInfo.goesOn;
      }
      return found;
    };
    const back = await read('last: 7, before: $cursor', ['hasPreviousPage', 'startCursor']);
    pages = 0;
    const found = await read('first: 7, after: $cursor', ['hasNextPage', 'endCursor']);
    expect(back).toEqual(found);
    const expected = await all(text);
    const bare = (key: string): string =>
      Buffer.from(key, 'base64url')
        .toString()
        .replace(/^Release:/, '');
    expect(found.map((key) => (field === 'releaseEventLog' ? bare(key) : key))).toEqual(expected);
    expect(expected.length).toBeGreaterThan(2);
    // Some pages held nothing, and were followed all the same.
    expect(pages).toBeGreaterThanOrEqual(Math.ceil(expected.length / 7));
  });
});

describe.each([
  ['as a database is that nobody has analysed yet', null],
  ['with statistics', 'VACUUM ANALYZE'],
])('%s', (_name, before) => {
  beforeAll(async () => {
    if (before) await client.query(before);
  }, 60_000);

  test.each(CASES)('$field $name', async (each) => {
    const plans = await plansOf(each);
    expect(plans.length).toBeGreaterThan(0);
    expect(faultsOf(plans, each)).toEqual([]);
    const used = plans.flatMap(({ scans }) => scans.filter(({ table }) => grows(table)).map(({ index }) => index));
    if (each.by.length > 0) expect(used.some((index) => each.by.some((name) => index?.startsWith(name)))).toBe(true);
  });

  test.each(FROM_THE_END)('$field $name, from its end', async (each) => {
    expect(faultsOf(await plansOf(each), each)).toEqual([]);
  });

  test.each(ASKED)('$name', async ({ ask, by, most }) => {
    const plans = await plansIn(ask);
    expect(plans.length).toBeGreaterThan(0);
    expect(faultsOf(plans, { by, ...(most && { most }) })).toEqual([]);
    const used = plans.flatMap(({ scans }) => scans.map(({ index }) => index));
    expect(used.some((index) => index !== null && by.includes(index))).toBe(true);
  });

  test.each(DEFINED)('$field reads nothing that grows', async (each) => {
    const plans = await plansOf(each);
    const growing = plans.flatMap(({ scans }) => scans.filter(({ table }) => grows(table)));
    expect(growing.filter(({ rows, node }) => rows > 100 || node === 'Seq Scan')).toEqual([]);
  });
});
