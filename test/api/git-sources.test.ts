import { getNamedType, isObjectType } from 'graphql';
import type { GraphQLObjectType, GraphQLOutputType } from 'graphql';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setSecret } from '../../src/commands/set-secret.ts';
import { syncSource } from '../../src/commands/sync-source.ts';
import { KINDS } from '../../src/core/definitions.ts';
import type { Kind } from '../../src/core/definitions.ts';
import { fieldOf } from '../../src/core/kinds/index.ts';
import { TransientError } from '../../src/drivers/driver.ts';
import { RepositoryWatch } from '../../src/jobs/repository-watch.ts';
import { buildApiSchema } from '../../src/schema/build.ts';
import { startServer } from '../../src/server.ts';
import { addHints } from '../../src/store/news.ts';
import { sluice } from '../cli/served.ts';
import { startForge } from '../peers/forges.ts';
import type { TestForge } from '../peers/forges.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

let api: TestApi;
let host: GitHost;
let forge: TestForge;
let watch: RepositoryWatch;
beforeAll(async () => {
  host = await startGitHost();
  forge = await startForge('github', host);
  api = await openTestApi({
    SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SLUICE_GIT_CREDENTIALS: JSON.stringify({ [`${host.url}/`]: forge.gitLogin }),
    SLUICE_DATA_DIR: `${host.root}/data`,
    SLUICE_GIT_PROTOCOLS: 'http',
    SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
    LOG_LEVEL: 'fatal',
  });
  const use = { kind: 'FORGE' as const, forge: 'github' as const, url: `${host.url}/`, apiUrl: forge.apiUrl };
  await setSecret(api.app, { name: 'forge', value: forge.token, description: null, use }, 'ada');
  watch = new RepositoryWatch(api.app);
});
afterAll(async () => {
  await watch.close();
  await api.close();
  await forge.close();
  await host.close();
});

const head = (kind: Kind, name: string) => `apiVersion: sluice.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\n`;
const environment = (name: string, description = 'as it is') =>
  `${head('Environment', name)}spec: { kind: NON_PRODUCTION, description: ${description} }\n`;
const group = (name: string, ...members: string[]) =>
  `${head('EnvironmentGroup', name)}spec: { environments: { names: [${members.join(', ')}] } }\n`;
const flow = (name: string, from: string, ...to: string[]) =>
  `${head('PromotionFlow', name)}spec:\n  triggerEnvironment: ${from}\n  steps:\n` +
  to.map((each) => `    - environment: ${each}\n      dependsOn: [${from}]\n`).join('');

/** One of each kind that a source can bring, with the prefix `p`. */
const ofEachKind = (p: string): string =>
  [
    ...['dev', 'eu', 'us', 'asia'].map((each) => environment(`${p}-${each}`)),
    group(`${p}-all`, `${p}-eu`),
    `${head('PromotionTemplate', `${p}-values`)}spec: { versionSource: { file: values.yaml } }\n`,
    `${head('PromotionWorkflow', `${p}-scan`)}spec: { actions: [{ name: run, type: simulate }] }\n`,
    `${head('PromotionPolicy', `${p}-policy`)}spec: { priority: 1, selector: { product: { names: [${p}] } }, policy: { action: commit } }\n`,
    flow(`${p}-flow`, `${p}-dev`, `${p}-eu`, `${p}-us`),
    `${head('Product', p)}spec: { promotionFlows: [{ name: ${p}-flow }] }\n`,
    `${head('Application', `${p}-app`)}spec: { product: ${p}, environment: ${p}-eu, driver: { type: simulate }, health: { type: none } }\n`,
    `${head('ReleaseWindow', `${p}-nights`)}spec: { kind: ALLOW, cron: '0 22 * * *', duration: 8h, timeZone: UTC, selector: { environments: { names: [${p}-eu] } } }\n`,
  ].join('---\n');

/** A repository with a source of its name for the folder `sluice` of it. */
async function source(name: string, files: Record<string, string>, more = ''): Promise<HostedRepository> {
  const repository = await host.repository(name);
  await repository.commit(files, 'First');
  const text = `${head('GitSource', name)}spec: { repoURL: '${repository.url}', path: sluice, interval: 1h${more} }\n`;
  expect(await apply(text)).toMatchObject({ userErrors: [] });
  return repository;
}

const apply = async (text: string, more: object = {}) =>
  (
    await api.ask(
      `mutation ($input: ManifestsApplyInput!) { manifestsApply(input: $input) { changes { kind name change } userErrors { code message } } }`,
      { input: { text, ...more } },
    )
  ).manifestsApply;

/** All looks that are due: at one host a few at a time. */
async function look(): Promise<void> {
  do {
    await watch.round();
    await watch.settled();
  } while (await isLooking());
}

const isLooking = async (): Promise<boolean> => {
  const { rows } = await api.app.pool.query(
    'SELECT FROM watched_repository WHERE next_look_at <= now() OR claimed_until IS NOT NULL',
  );
  return rows.length > 0;
};

/** A message of its host came. */
const pushed = (repository: HostedRepository): Promise<void> =>
  addHints(api.app.pool, [{ repository: repository.url, kind: 'PUSH', via: 'PUSH' }]);

const STATUS = `state syncedCommit seenCommit errors { file line column manifestPath message } drift { kind name how } driftAt`;
const statusOf = async (name: string) =>
  (await api.ask(`query ($name: String!) { gitSource(name: $name) { status { ${STATUS} } } }`, { name })).gitSource
    .status;
const sync = async (name: string) =>
  (
    await api.ask(
      `mutation ($name: String!) { gitSourceSync(input: { name: $name }) { changed gitSource { status { ${STATUS} } } userErrors { code message path } } }`,
      { name },
    )
  ).gitSourceSync;
const environmentNamed = async (name: string) =>
  (
    await api.ask(
      `query ($name: String!) { environment(name: $name) { description revision syncedFrom { source file } } }`,
      { name },
    )
  ).environment;

test('the manifests of a folder are applied, and say where they come from; a push brings the next commit', async () => {
  const repository = await source('platform', {
    // What is named stands in a file that comes later.
    'sluice/a/group.yaml': group('plat-all', 'plat-eu'),
    'sluice/b.yml': environment('plat-eu'),
    'sluice/.hidden/c.yaml': 'no manifest',
    'sluice/readme.md': 'no manifest',
    'other/d.yaml': 'no manifest',
  });
  expect(await statusOf('platform')).toMatchObject({ state: 'OUT_OF_SYNC', syncedCommit: null });
  await look();
  const first = await repository.head();
  expect(await statusOf('platform')).toMatchObject({
    state: 'SYNCED',
    syncedCommit: first,
    seenCommit: first,
    errors: [],
  });
  const found = await environmentNamed('plat-eu');
  expect(found).toEqual({
    description: 'as it is',
    revision: 1,
    syncedFrom: { source: 'platform', file: 'sluice/b.yml' },
  });

  const second = await repository.commit({ 'sluice/b.yml': environment('plat-eu', 'changed') }, 'Second');
  await pushed(repository);
  await look();
  expect(await statusOf('platform')).toMatchObject({ state: 'SYNCED', syncedCommit: second });
  expect(await environmentNamed('plat-eu')).toMatchObject({ description: 'changed', revision: 2 });

  const { rows } = await api.app.pool.query<{ actor: string; outcome: string; input: object; objects: object[] }>(
    `SELECT actor, outcome, input, objects FROM audit_log WHERE actor = 'git-source/platform' ORDER BY id`,
  );
  expect(rows).toMatchObject([
    { outcome: 'DONE', input: { commit: first } },
    {
      outcome: 'DONE',
      input: { commit: second },
      objects: [{ kind: 'GitSource' }, { kind: 'Environment', name: 'plat-eu' }],
    },
  ]);
  expect(await sync('platform')).toMatchObject({ changed: 0, userErrors: [] });
  expect(await environmentNamed('plat-eu')).toMatchObject({ revision: 2 });
});

test('a commit with a fault changes nothing, and each fault is told with its file, line and column', async () => {
  const repository = await source('faulty', { 'sluice/one.yaml': environment('faulty-one') });
  await look();
  const good = await repository.head();
  const bad = await repository.commit(
    {
      'sluice/one.yaml': environment('faulty-one', 'changed'),
      'sluice/two.yaml': environment('faulty-two').replace('description', 'discription'),
      'sluice/three.yaml': `${environment('faulty-three')}---\n${flow('faulty-flow', 'faulty-one', 'nowhere')}`,
    },
    'Bad',
  );
  await pushed(repository);
  await look();
  const read = await statusOf('faulty');
  expect(read).toMatchObject({ state: 'FAILED', syncedCommit: good, seenCommit: bad });
  expect(read.errors).toMatchObject([
    { file: 'sluice/two.yaml', line: 4, column: 31, manifestPath: ['spec', 'discription'] },
  ]);
  await repository.commit({ 'sluice/two.yaml': environment('faulty-two') }, 'Still bad');
  expect((await sync('faulty')).gitSource.status.errors).toMatchObject([
    { file: 'sluice/three.yaml', line: 12, column: 20, message: expect.stringContaining('"nowhere"') },
  ]);
  expect(await environmentNamed('faulty-one')).toMatchObject({ description: 'as it is', revision: 1 });
  expect(await environmentNamed('faulty-two')).toBe(null);

  const mended = await repository.commit({ 'sluice/three.yaml': null }, 'Good');
  expect(await sync('faulty')).toMatchObject({
    changed: 2,
    gitSource: { status: { state: 'SYNCED', syncedCommit: mended, errors: [] } },
  });
  expect(await environmentNamed('faulty-one')).toMatchObject({ description: 'changed' });
});

test('what is missing for a commit can be made here: then it is applied', async () => {
  await source('waiting', { 'sluice/flow.yaml': flow('waiting-flow', 'waiting-dev', 'waiting-eu') });
  await look();
  expect(await statusOf('waiting')).toMatchObject({ state: 'FAILED', syncedCommit: null });
  await apply(`${environment('waiting-dev')}---\n${environment('waiting-eu')}`);
  await look();
  expect(await statusOf('waiting')).toMatchObject({ state: 'SYNCED' });
});

/** They answer a definition and save none that can be synced. */
const HARMLESS = new Set(['gitSourceUpdate', 'gitSourceDelete', 'gitSourceSync', 'healthReport', 'deploymentReport']);

test('what is synced is read-only for every mutation that saves, edits or deletes a definition', async () => {
  await source('fixed', { 'sluice/all.yaml': ofEachKind('fixed') });
  await look();
  expect(await statusOf('fixed')).toMatchObject({ state: 'SYNCED' });
  const named: Partial<Record<Kind, string>> = {
    Environment: 'fixed-eu',
    EnvironmentGroup: 'fixed-all',
    PromotionTemplate: 'fixed-values',
    PromotionWorkflow: 'fixed-scan',
    PromotionPolicy: 'fixed-policy',
    PromotionFlow: 'fixed-flow',
    Product: 'fixed',
    Application: 'fixed-app',
    ReleaseWindow: 'fixed-nights',
  };
  // A kind that is new needs a line here; sources themselves are not synced.
  expect(Object.keys(named).sort()).toEqual(KINDS.filter((kind) => kind !== 'GitSource').sort());
  const manifestOf = async (kind: Kind, name: string): Promise<string> =>
    (await api.ask(`query ($name: String!) { read: ${fieldOf(kind)}(name: $name) { manifest } }`, { name })).read
      .manifest;
  const before = new Map<Kind, string>();
  for (const [kind, name] of Object.entries(named)) before.set(kind as Kind, await manifestOf(kind as Kind, name));

  const refusing = new Map<string, object>();
  for (const [kind, name] of Object.entries(named) as [Kind, string][]) {
    refusing.set(`${fieldOf(kind)}Update`, { name, annotations: [{ key: 'by', value: 'hand' }] });
    refusing.set(`${fieldOf(kind)}Delete`, { name });
  }
  const ofFlow = { name: 'fixed-flow' };
  refusing.set('promotionFlowAddEnvironments', { ...ofFlow, environments: ['fixed-asia'], after: ['fixed-eu'] });
  refusing.set('promotionFlowRemoveEnvironment', { ...ofFlow, environment: 'fixed-us' });
  refusing.set('promotionFlowApplyEdits', { ...ofFlow, edits: [{ removeStep: { step: 'fixed-us' } }] });
  const steps = [{ environment: 'fixed-eu', dependsOn: ['fixed-dev'] }];
  refusing.set('promotionFlowSave', { ...ofFlow, triggerEnvironment: 'fixed-dev', steps });
  const text = before.get('Environment')!.replace('as it is', 'by hand');
  refusing.set('manifestsApply', { text });
  // Whatever answers a definition may have changed it.
  const answersDefinition = ({ type }: { type: GraphQLOutputType }): boolean =>
    Object.values((getNamedType(type) as GraphQLObjectType).getFields()).some((each) => {
      const shown = getNamedType(each.type);
      return isObjectType(shown) && shown.getInterfaces().some(({ name }) => name === 'Definition');
    });
  const fields = Object.values(buildApiSchema().getMutationType()!.getFields());
  const made = new Set<string>(KINDS.map((kind) => `${fieldOf(kind)}Create`));
  const saving = fields.filter((each) => answersDefinition(each) && !made.has(each.name) && !HARMLESS.has(each.name));
  expect([...refusing.keys()].sort()).toEqual([...saving.map(({ name }) => name), 'manifestsApply'].sort());
  for (const [name, input] of refusing) {
    const field = fields.find((each) => each.name === name)!;
    const type = String(field.args[0]!.type);
    const payload = (
      await api.ask(`mutation ($input: ${type}) { done: ${name}(input: $input) { userErrors { code message } } }`, {
        input,
      })
    ).done;
    expect(payload.userErrors, name).toMatchObject([
      {
        code: 'READ_ONLY',
        message: expect.stringContaining('git source "fixed", file "sluice/all.yaml"'),
      },
    ]);
  }
  const dry = await apply(text, { dryRun: true });
  expect(dry.userErrors).toMatchObject([{ code: 'READ_ONLY', message: expect.stringContaining('git source "fixed"') }]);
  for (const [kind, name] of Object.entries(named))
    expect(await manifestOf(kind as Kind, name)).toBe(before.get(kind as Kind));
  // What says the same changes nothing, and is no fault.
  expect(await apply(before.get('Product')!)).toMatchObject({ changes: [{ change: 'UNCHANGED' }], userErrors: [] });
});

test('what leaves the folder is deleted, and without prune it stays and can be edited', async () => {
  const pruned = await source('pruned', {
    'sluice/one.yaml': environment('pruned-one'),
    'sluice/two.yaml': environment('pruned-two'),
  });
  const kept = await source(
    'kept',
    { 'sluice/one.yaml': environment('kept-one'), 'sluice/two.yaml': environment('kept-two') },
    ', prune: false',
  );
  await look();
  await pruned.commit({ 'sluice/two.yaml': null }, 'Less');
  await kept.commit({ 'sluice/two.yaml': null }, 'Less');
  // One that others name is not deleted, and nothing else of the commit is done.
  await apply(group('pruned-all', 'pruned-two').replace('names: [pruned-two]', 'names: ["pruned-*"]'));
  await apply(flow('pruned-flow', 'pruned-one', 'pruned-two'));
  expect((await sync('pruned')).gitSource.status).toMatchObject({
    state: 'FAILED',
    errors: [{ file: null, message: expect.stringContaining('is used by PromotionFlow "pruned-flow"') }],
  });
  await api.ask(`mutation { promotionFlowDelete(input: { name: "pruned-flow" }) { userErrors { message } } }`);
  expect(await sync('pruned')).toMatchObject({ changed: 1, gitSource: { status: { state: 'SYNCED' } } });
  expect(await environmentNamed('pruned-two')).toBe(null);
  expect(await sync('kept')).toMatchObject({ changed: 0, gitSource: { status: { state: 'SYNCED' } } });
  expect(await environmentNamed('kept-two')).toMatchObject({ revision: 1, syncedFrom: null });
  expect(await apply(environment('kept-two', 'by hand'))).toMatchObject({ userErrors: [] });
  // By labels, too, only what can be edited is deleted.
  const labelled = environment('kept-one').replace('name: kept-one', 'name: kept-one, labels: { app: kept }');
  await kept.commit({ 'sluice/one.yaml': labelled }, 'Labels');
  await sync('kept');
  expect((await apply(environment('kept-two'), { prune: [{ key: 'app', value: 'kept' }] })).userErrors).toMatchObject([
    { message: expect.stringContaining('git source "kept"') },
  ]);
});

test('the text of a flow is in its repository, and one from before is not shown', async () => {
  const main = flow('worded', 'worded-dev', 'worded-eu');
  await apply([environment('worded-dev'), environment('worded-eu'), `# By hand\n${main}`].join('---\n'));
  const textOf = async () => (await api.ask('{ it: promotionFlow(name: "worded") { text } }')).it.text;
  expect(await textOf()).toContain('# By hand');
  await source('worded', { 'sluice/main.yaml': `# In the repository\n${main}` });
  expect((await sync('worded')).gitSource.status).toMatchObject({ state: 'SYNCED' });
  expect(await textOf()).toBe(null);
});

test('a folder without manifests, a definition of two sources and a source in a source are faults', async () => {
  const one = await source('first', { 'sluice/a.yaml': environment('shared') });
  await source('second', { 'sluice/b.yaml': environment('shared') });
  const nested = `${head('GitSource', 'inner')}spec: { repoURL: '${one.url}' }\n`;
  await source('outer', {
    'sluice/c.yaml': nested,
    'sluice/d.yaml': environment('outer-eu'),
    'sluice/e.yaml': environment('outer-eu'),
  });
  await source('empty', { 'sluice/readme.md': 'nothing' });
  await source('folderless', { 'other/a.yaml': environment('nobody') });
  await look();
  const errors = async (name: string) => (await statusOf(name)).errors;
  expect((await errors('first')).length + (await errors('second')).length).toBe(1);
  const [taken] = [...(await errors('first')), ...(await errors('second'))];
  expect(taken.message).toContain('Environment "shared" comes from git source');
  expect(await errors('outer')).toMatchObject([
    { file: 'sluice/c.yaml', line: 1, message: expect.stringContaining('is not synced from a git source') },
    { file: 'sluice/e.yaml', line: 1, message: 'Environment "outer-eu" stands in "sluice/d.yaml" already; remove one' },
  ]);
  expect(await errors('empty')).toMatchObject([{ file: null, message: expect.stringContaining('holds no manifests') }]);
  expect(await errors('folderless')).toMatchObject([
    { message: expect.stringContaining('there is no folder "sluice"') },
  ]);
  // What was there is not deleted with the folder.
  await one.commit({ 'sluice/a.yaml': null, 'sluice/readme.md': 'gone' }, 'Gone');
  await sync('first');
  expect(await environmentNamed('shared')).not.toBe(null);
});

test('what a source brought stays when the source is deleted, and can be edited', async () => {
  await source('leaving', { 'sluice/a.yaml': environment('leaving-eu') });
  await look();
  expect((await apply(environment('leaving-eu', 'by hand'))).userErrors).toMatchObject([{ code: 'READ_ONLY' }]);
  await api.ask(`mutation { gitSourceDelete(input: { name: "leaving" }) { userErrors { message } } }`);
  await look();
  expect(await environmentNamed('leaving-eu')).toMatchObject({ description: 'as it is', syncedFrom: null });
  expect(await apply(environment('leaving-eu', 'by hand'))).toMatchObject({ userErrors: [] });
  expect(await sync('leaving')).toMatchObject({ gitSource: null, userErrors: [{ code: 'NOT_FOUND' }] });
});

test('a source can be deleted with all that it brought, when nothing else names it', async () => {
  await source('ending', { 'sluice/all.yaml': ofEachKind('ending') });
  await look();
  const end = async () =>
    (
      await api.ask(
        `mutation { gitSourceDelete(input: { name: "ending", prune: true }) { userErrors { code message path } } }`,
      )
    ).gitSourceDelete.userErrors;
  await apply(flow('ending-other', 'ending-dev', 'ending-us'));
  expect(await end()).toMatchObject([
    { code: 'IN_USE', path: ['input', 'prune'], message: expect.stringContaining('PromotionFlow "ending-other"') },
    { code: 'IN_USE' },
  ]);
  expect(await environmentNamed('ending-eu')).not.toBe(null);
  await api.ask(`mutation { promotionFlowDelete(input: { name: "ending-other" }) { userErrors { message } } }`);
  expect(await end()).toEqual([]);
  expect(await environmentNamed('ending-eu')).toBe(null);
  expect(await api.ask(`{ product(name: "ending") { name } gitSource(name: "ending") { name } }`)).toEqual({
    product: null,
    gitSource: null,
  });
});

test('what was changed by another way is found, told and set back', async () => {
  const repository = await source('drifting', {
    'sluice/a.yaml': `${environment('drifting-one')}---\n${environment('drifting-two')}`,
  });
  await look();
  // As somebody does who repairs the tables by hand.
  await api.app.pool.query(`UPDATE environment SET spec = '{"kind": "PRODUCTION"}' WHERE name = 'drifting-one'`);
  await api.app.pool.query(`DELETE FROM environment WHERE name = 'drifting-two'`);
  await api.app.pool.query('UPDATE definition_clock SET revision = revision + 1');
  await pushed(repository);
  await look();
  expect(await environmentNamed('drifting-one')).toMatchObject({ description: 'as it is' });
  expect(await environmentNamed('drifting-two')).toMatchObject({ description: 'as it is' });
  const status = await statusOf('drifting');
  expect(status).toMatchObject({ state: 'SYNCED', driftAt: expect.any(String) });
  expect(status.drift).toEqual([
    { kind: 'Environment', name: 'drifting-one', how: 'CHANGED' },
    { kind: 'Environment', name: 'drifting-two', how: 'DELETED' },
  ]);
});

test('two servers that sync one source at once make one revision, and none goes back to an older commit', async () => {
  const repository = await source('raced', { 'sluice/a.yaml': environment('raced-eu') });
  const other = await api.another();
  const signal = AbortSignal.timeout(20_000);
  const both = await Promise.all([api.app, other].map((app) => syncSource(app, 'raced', undefined, signal)));
  expect(both.filter(({ changed }) => changed === 1)).toHaveLength(1);
  expect(await environmentNamed('raced-eu')).toMatchObject({ revision: 1 });

  // One of them has read the older commit when the other one has applied the newer one.
  const second = await repository.commit({ 'sluice/a.yaml': environment('raced-eu', 'second') }, 'Second');
  const { drivers } = api.app;
  let late = 0;
  const slow: typeof drivers.driver = (spec) => {
    const driver = drivers.driver(spec);
    return {
      ...driver,
      read: async (...asked) => {
        const read = await driver.read(...asked);
        if (late++ > 0) return read;
        await repository.commit({ 'sluice/a.yaml': environment('raced-eu', 'third') }, 'Third');
        await syncSource(other, 'raced', undefined, signal);
        return read;
      },
    };
  };
  const slowly = { ...api.app, drivers: Object.assign(Object.create(drivers) as typeof drivers, { driver: slow }) };
  const third = await syncSource(slowly, 'raced', second, signal);
  expect(third).toMatchObject({ commit: await repository.head(), changed: 0 });
  expect(late).toBe(2);
  expect(await environmentNamed('raced-eu')).toMatchObject({ description: 'third', revision: 2 });
});

test('why a source cannot be read is not told of another one of its name, nor of one that was changed meanwhile', async () => {
  const { drivers } = api.app;
  const signal = AbortSignal.timeout(20_000);
  /** Its first read ends without an answer, after `meanwhile`. */
  const unread = (name: string, meanwhile: () => Promise<unknown>) => {
    let isFirst = true;
    const driver: typeof drivers.driver = (spec) => ({
      ...drivers.driver(spec),
      read: async (...asked) => {
        if (!isFirst) return drivers.driver(spec).read(...asked);
        isFirst = false;
        await meanwhile();
        throw new TransientError('no answer from the address of before');
      },
    });
    const app = { ...api.app, drivers: Object.assign(Object.create(drivers) as typeof drivers, { driver }) };
    return syncSource(app, name, undefined, signal);
  };

  const { url } = await source('short-lived', { 'sluice/a.yaml': environment('short-lived') });
  const deleted = (): Promise<unknown> =>
    api.ask('mutation { gitSourceDelete(input: { name: "short-lived" }) { userErrors { message } } }');
  expect(await unread('short-lived', deleted)).toMatchObject({ kind: 'GONE' });
  const { rows } = await api.app.pool.query(`SELECT FROM git_source_status WHERE source = 'short-lived'`);
  expect(rows).toEqual([]);

  await source('corrected', { 'sluice/a.yaml': environment('corrected') });
  const text = `${head('GitSource', 'corrected')}spec: { repoURL: '${url}', path: sluice, interval: 2h }\n`;
  expect(await unread('corrected', () => apply(text))).toMatchObject({ kind: 'SYNCED', changed: 1 });
});

test('only who may edit all definitions may make, sync or delete a source', async () => {
  const where = { products: { names: ['fixed'] }, environments: {} };
  for (const [name, input] of [
    ['gitSourceCreate', { name: 'mine', repoURL: 'https://git.example.com/a.git' }],
    ['gitSourceSync', { name: 'fixed' }],
    ['gitSourceDelete', { name: 'fixed' }],
  ] as const) {
    const type = `${name.replace('git', 'Git')}Input`;
    const asked = api.askAs(
      'eve',
      `mutation ($input: ${type}!) { ${name}(input: $input) { userErrors { message } } }`,
      { input },
      'ADMIN',
      where,
    );
    await expect(asked, name).rejects.toThrow('eve is not allowed to EDIT_DEFINITIONS');
  }
});

const propose = async (input: object) =>
  (
    await api.ask(
      `mutation ($input: ManifestsProposeInput!) { manifestsPropose(input: $input) {
         proposal { source number url state branch commit diff }
         userErrors { code message path ... on ManifestError { line column } } } }`,
      { input },
    )
  ).manifestsPropose;

test('a change of what is synced is proposed as a pull request that edits its file in place; merged, it is applied', async () => {
  const eu = `${head('Environment', 'prop-eu')}spec:\n  kind: NON_PRODUCTION\n  description: old # the first one\n`;
  const written = `# Where we deploy to\n${eu}---\n${environment('prop-us')}`;
  const repository = await source('prop', { 'sluice/envs.yaml': written });
  await look();
  const text = environment('prop-eu', 'new');
  const refused = (await apply(text)).userErrors;
  expect(refused).toMatchObject([
    { message: expect.stringContaining('`manifestsPropose` (`sluice propose -f FILE`)') },
  ]);

  const first = await propose({ text, title: 'Europe is new' });
  expect(first).toMatchObject({ userErrors: [], proposal: { source: 'prop', state: 'OPEN' } });
  const { number, branch, diff, url } = first.proposal;
  expect(diff).toContain('-  description: old # the first one\n+  description: new # the first one\n');
  expect(await repository.read('sluice/envs.yaml', branch)).toBe(written.replace('old #', 'new #'));
  // The same again is the same pull request.
  expect((await propose({ text, title: 'Europe is new' })).proposal).toMatchObject({ number, branch, url });
  const [opened, ...others] = await forge.pullRequests(repository.name);
  expect(others).toEqual([]);
  expect(opened).toMatchObject({ title: 'Europe is new' });
  expect(await environmentNamed('prop-eu')).toMatchObject({ revision: 1 });

  await forge.merge(repository.name, number);
  await pushed(repository);
  await look();
  expect(await environmentNamed('prop-eu')).toMatchObject({ description: 'new', revision: 2 });
  expect(await statusOf('prop')).toMatchObject({ state: 'SYNCED', syncedCommit: await repository.head() });
});

test('what is new gets a file of its own, what is removed leaves its file, and one key is one change', async () => {
  const repository = await source('moves', {
    'sluice/envs.yaml': `${environment('moves-eu')}---\n${environment('moves-us')}`,
  });
  await look();
  const input = {
    text: environment('moves-asia'),
    source: 'moves',
    removals: [{ kind: 'Environment', name: 'moves-us' }],
  };
  const { proposal } = await propose({ ...input, idempotencyKey: 'once' });
  expect(await repository.read('sluice/moves-asia.environment.yaml', proposal.branch)).toContain('name: moves-asia');
  expect(await repository.read('sluice/envs.yaml', proposal.branch)).toBe(environment('moves-eu'));
  expect((await propose({ ...input, idempotencyKey: 'once' })).proposal).toMatchObject({ number: proposal.number });
  expect(await propose({ text: environment('moves-eu', 'other'), idempotencyKey: 'once' })).toMatchObject({
    proposal: null,
    userErrors: [{ code: 'IDEMPOTENCY_MISMATCH', path: ['input', 'idempotencyKey'] }],
  });
  // Merged and applied, there is nothing left to propose; the answer to the key is the one that may have been lost.
  await forge.merge(repository.name, proposal.number);
  await pushed(repository);
  await look();
  expect(await propose(input)).toMatchObject({ proposal: null });
  expect(await propose({ ...input, idempotencyKey: 'once' })).toEqual({ proposal, userErrors: [] });
});

test('what could not be applied is not proposed, nor what no source has', async () => {
  await source('strict', { 'sluice/all.yaml': ofEachKind('strict') });
  await look();
  const errorsOf = async (input: object) => (await propose(input)).userErrors;
  expect(await errorsOf({ text: flow('strict-flow', 'strict-dev', 'nowhere') })).toMatchObject([
    { code: 'UNKNOWN_REFERENCE', line: 7, message: expect.stringContaining('"nowhere"') },
  ]);
  expect(await errorsOf({ removals: [{ kind: 'Environment', name: 'strict-eu' }] })).toMatchObject([
    { message: expect.stringContaining('is used by') },
  ]);
  expect(await errorsOf({ text: environment('nobodys') })).toMatchObject([{ path: ['input', 'source'] }]);
  expect(await errorsOf({})).toMatchObject([{ message: expect.stringContaining('nothing is proposed') }]);
  expect(await errorsOf({ text: environment('strict-eu') })).toMatchObject([
    { message: 'everything is defined like this already' },
  ]);
});

test('the command lists sources, syncs one, tells each fault with its place, and proposes', async () => {
  const repository = await source('typed', { 'sluice/eu.yaml': environment('typed-eu') });
  const server = await startServer(api.app);
  const type = (...args: string[]) => sluice({ SLUICE_SERVER: server.url }, ...args);
  try {
    expect((await type('sync', 'typed')).out).toMatch(/^typed +SYNCED +[0-9a-f]{9} +\d+$/m);
    expect((await type('get', 'sources')).out).toMatch(
      /^typed +SYNCED +[0-9a-f]{9} +http:.*acme\/typed\.git +main +sluice /m,
    );
    const taken = await type('delete', 'environment', 'typed-eu');
    expect(taken).toMatchObject({ code: 1, err: expect.stringContaining('git source "typed", file "sluice/eu.yaml"') });
    const file = `${host.root}/eu.yaml`;
    writeFileSync(file, environment('typed-eu', 'other'));
    const proposed = await type('propose', '-f', file);
    expect(proposed.out).toMatch(/^\+spec: \{ kind: NON_PRODUCTION, description: other \}$/m);
    expect(proposed.out).toMatch(/^typed +\d+ +OPEN +http/m);
    expect(await type('propose')).toMatchObject({ code: 2, err: expect.stringContaining('Name what is proposed') });
    expect((await type('propose', '--remove', 'Environment/nothing')).err).toContain(
      'no git source has Environment "nothing"',
    );
    await repository.commit({ 'sluice/eu.yaml': environment('typed-eu').replace('description', 'discription') }, 'Bad');
    const failed = await type('sync', 'typed');
    expect(failed).toMatchObject({ code: 1, err: expect.stringContaining('sluice/eu.yaml:4:31: ') });
    expect(failed.err).toMatch(/typed was not synced: commit [0-9a-f]{9} stays applied/);
    expect((await type('get', 'sources')).out).toMatch(/^typed +FAILED .* sluice\/eu\.yaml:4:31: /m);
  } finally {
    await server.close();
  }
});
