import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holdEnvironment } from '../../src/commands/hold-environment.ts';
import { markVersionBad } from '../../src/commands/mark-version.ts';
import { approvalOf } from '../core/support/builders.ts';
import { git, makeFolder, Repository } from '../drivers/repository.ts';
import { ENVIRONMENTS } from '../support/engine.ts';
import { openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

/** An opening that is further away than five years is not looked for. */
const NEXT_YEAR = new Date().getUTCFullYear() + 1;

let api: TestApi;
const folder = makeFolder();
let repository: Repository;

const PREVIEW = `query ($input: ReleaseTriggerInput!) { payload: releasePreview(input: $input) {
  preview { version { label digest } explanation waitingFor { message } plan { flow warnings }
    promotions { name environmentName action workflows windowNames settings { setting workflow action origin policy policyRevision locked } approval { rules { count } } earliestStart
      waitingFor { message who earliest }
      changes { applicationName files { path kind diff reason } more skipped reason } } }
  userErrors { code message path } } }`;

// oxlint-disable-next-line typescript/no-explicit-any -- promotions as they come
type Shown = any;
const preview = async (input: object): Promise<Shown> => {
  const { payload } = await api.ask(PREVIEW, { input });
  expect(payload.userErrors).toEqual([]);
  const { promotions, ...rest } = payload.preview;
  return { ...rest, at: Object.fromEntries(promotions.map((each: { name: string }) => [each.name, each])) };
};

const values = (environment: string, tag: string): string => `# ${environment}\nimage:\n  tag: ${tag}\nreplicas: 2\n`;

beforeAll(async () => {
  repository = new Repository(
    folder,
    'config',
    Object.fromEntries(
      ENVIRONMENTS.map((each) => [`${each}/values.yaml`, values(each, each === 'dev' ? '1.1.0' : '1.0.0')]),
    ),
  );
  api = await openTestApi({ SLUICE_DATA_DIR: folder.path('data'), SLUICE_GIT_PROTOCOLS: 'file' });
  await api.saveBilling('billing', {
    driver: (path) => ({ type: 'git', repoURL: repository.url, branch: 'main', path }),
    approvals: { 'asia-2': approvalOf('1') },
  });
  await api.save('Product', 'billing', {
    promotionFlows: [],
    concurrency: 'QUEUE',
    queueLimit: 50,
    promotionTemplate: {
      versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' },
      promotion: { 'values.yaml': { jsonPaths: ['$.image.tag'] } },
    },
  });
  await api.save('ReleaseWindow', 'never', {
    kind: 'DENY',
    timeZone: 'UTC',
    from: '2020-01-01T00:00',
    to: `${NEXT_YEAR}-12-31T00:00`,
    selector: { environments: { names: ['asia'] }, products: {} },
    holds: ['PROMOTE'],
    onClose: 'FINISH',
    runway: false,
  });
  await api.saveBilling('simulated', { approvals: { 'asia-2': approvalOf('1') } });
});
afterAll(async () => {
  await api?.close();
  folder.remove();
});

describe('before anything is triggered', () => {
  test('the flow is there with its reason, the version, and of each promotion how it would be made', async () => {
    const found = await preview({ product: 'billing' });
    expect(found).toMatchObject({ version: { label: '1.1.0' }, plan: { flow: 'to-production' }, waitingFor: [] });
    expect(found.explanation.join(' ')).toContain('to-production');
    expect(Object.keys(found.at).sort()).toEqual([...ENVIRONMENTS].sort());
    expect(found.at.staging).toMatchObject({ action: 'commit', workflows: ['checks'], approval: null });
    expect(found.at['asia-2'].approval.rules).toHaveLength(1);
  });

  test('of several templates that match an application, it says what each gives', async () => {
    const applicationSourceSelector = { matchLabels: { 'codefresh.io/product': 'simulated' } };
    const promotion = { 'values.yaml': {}, 'Chart.yaml': {} };
    await api.save('PromotionTemplate', 'base', { applicationSourceSelector, promotion });
    await api.save('PromotionTemplate', 'more', {
      applicationSourceSelector,
      priority: 1,
      promotion: { 'Chart.yaml': {} },
    });
    const { explanation } = await preview({ product: 'simulated', version: '1.0.0' });
    expect(explanation.at(-1)).toContain(
      ': of its templates "base" (priority 0) gives "values.yaml"; "more" (priority 1) gives "Chart.yaml"',
    );
  });

  test('the diff of every file is what the promotion then commits, byte for byte', async () => {
    const { at } = await preview({ product: 'billing' });
    const [change] = at.staging.changes;
    expect(change).toMatchObject({ applicationName: 'billing-staging', more: 0, skipped: [], reason: null });
    expect(change.files).toMatchObject([{ path: 'staging/values.yaml', kind: 'CHANGED', reason: null }]);
    const { diff } = change.files[0];
    expect(diff).toContain('-  tag: 1.0.0\n+  tag: 1.1.0\n');
    // Where the version begins nothing changes.
    expect(at.dev.changes).toEqual([]);
    const { rows } = await api.app.pool.query('SELECT id FROM release');
    expect(rows).toEqual([]);
    const before = repository.head();
    const worker = await api.startWorker();
    const id = await api.trigger({ product: 'billing' });
    await api.reached(id, ({ promotions }) => promotions[1]?.status === 'SUCCEEDED');
    await worker.close();
    const made = git(repository.url, ['diff', '--no-prefix', before, 'main', '--', 'staging/values.yaml']);
    const body = (text: string): string => text.slice(text.indexOf('@@')).replace(/@@ .* @@.*\n/, '');
    expect(body(diff).trimEnd()).toBe(body(made).trimEnd());
    // Another one would wait for its turn, and change nothing in staging.
    const next = await preview({ product: 'billing' });
    expect(next.waitingFor).toMatchObject([{ message: expect.stringMatching(/^release billing#\d+ goes first$/) }]);
    expect(next.at.staging.changes).toMatchObject([{ files: [] }]);
    await api.app.pool.query(`UPDATE release SET ended_at = now(), status = 'TERMINATED' WHERE id = $1`, [id]);
    await api.app.pool.query(
      `UPDATE promotion SET ended_at = now(), status = 'TERMINATED', holds = false WHERE release_id = $1 AND ended_at IS NULL`,
      [id],
    );
  });

  test('a promotion between two environments is seen before, and goes where it says, without a flow', async () => {
    repository.commit({ 'staging/values.yaml': values('staging', '1.2.0') }, 'A hotfix');
    const input = { product: 'billing', from: 'staging', to: 'us-east' };
    const found = await preview(input);
    expect(found).toMatchObject({ version: { label: '1.2.0' }, plan: { flow: 'staging to us-east' } });
    expect(found.explanation).toEqual(['it travels no flow: us-east gets what is in staging']);
    expect(Object.keys(found.at)).toEqual(['staging', 'us-east']);
    expect(found.at.staging.changes).toEqual([]);
    expect(found.at['us-east'].changes[0].files).toMatchObject([{ path: 'us-east/values.yaml', kind: 'CHANGED' }]);
    const worker = await api.startWorker();
    const trigger = `mutation ($input: ReleaseTriggerInput!) { payload: releaseTrigger(input: $input) {
      release { uuid flowName trigger { kind } flow { name } } userErrors { code path } } }`;
    const { release, userErrors } = (await api.ask(trigger, { input })).payload;
    expect(userErrors).toEqual([]);
    expect(release).toMatchObject({ flowName: 'staging to us-east', trigger: { kind: 'MANUAL' }, flow: null });
    await api.reached(release.uuid, ({ status }) => status === 'SUCCEEDED');
    await worker.close();
    expect((await preview(input)).at['us-east'].changes).toMatchObject([{ files: [] }]);
    const refused = { product: 'billing', from: 'staging', to: 'mars' };
    expect((await api.ask(trigger, { input: refused })).payload.userErrors).toEqual([
      { code: 'NOT_FOUND', path: ['input', 'to'] },
    ]);
  });

  test('windows, approvals, holds and marks say what it would wait for, and when it can start at the earliest', async () => {
    await holdEnvironment(api.app, { environment: 'eu', product: 'billing', reason: 'an audit' }, 'ada');
    await markVersionBad(
      api.app,
      { product: 'billing', version: '1.1.0', environment: 'us-east', reason: 'leaks' },
      'ada',
    );
    const { at } = await preview({ product: 'billing' });
    const of = (name: string): string =>
      at[name].waitingFor.map((each: { message: string }) => each.message).join('; ');
    expect(of('eu')).toContain('an audit');
    expect(of('us-east')).toContain('leaks');
    expect(of('asia')).toContain('never');
    expect(of('asia-2')).toMatch(/approv/);
    expect(at.asia.windowNames).toEqual(['never']);
    expect(at.asia.earliestStart).toBe(`${NEXT_YEAR}-12-31T00:00:00.000Z`);
    expect(at.eu.earliestStart).toBeNull();
    expect(Date.parse(at.staging.earliestStart)).toBeLessThanOrEqual(Date.now() + 5_000);
  });

  test('the plan of a rollback has the diff of every file that goes back, and nothing where nothing does', async () => {
    repository.commit({ 'dev/values.yaml': values('dev', '1.2.0') }, 'Next');
    const worker = await api.startWorker();
    const id = await api.trigger({ product: 'billing' });
    await api.reached(id, ({ promotions }) => promotions[1]?.status === 'SUCCEEDED');
    await worker.close();
    const asked = `query ($input: RollbackInput!) { payload: planRollback(input: $input) { plan { targets {
      environment to { label } changes { applicationName reason files { path kind diff } } } } userErrors { message } } }`;
    const input = { product: 'billing', environments: ['staging'], reason: 'a plan' };
    const { payload } = await api.ask(asked, { input });
    expect(payload.userErrors).toEqual([]);
    const [target] = payload.plan.targets;
    expect(target).toMatchObject({ environment: 'staging', to: { label: '1.1.0' } });
    expect(target.changes).toMatchObject([
      { applicationName: 'billing-staging', reason: null, files: [{ path: 'staging/values.yaml', kind: 'CHANGED' }] },
    ]);
    expect(target.changes[0].files[0].diff).toContain('-  tag: 1.2.0\n+  tag: 1.1.0\n');
    expect(repository.read('staging/values.yaml')).toContain('1.2.0');
  });

  test('what would be refused is refused in the same words, and a target without files says so', async () => {
    const { payload } = await api.ask(PREVIEW, { input: { product: 'nope' } });
    expect(payload).toMatchObject({ preview: null, userErrors: [{ code: 'NOT_FOUND', path: ['input', 'product'] }] });
    const { at } = await preview({ product: 'simulated', version: '7', flow: 'to-production' });
    expect(at.eu.changes).toMatchObject([
      { applicationName: 'simulated-eu', files: [], reason: 'its target has no files' },
    ]);
  });

  test('every setting is told with who says it: the flow, a policy with its revision, or neither', async () => {
    await api.save('PromotionPolicy', 'eu-is-smoked', {
      selector: { product: { names: ['simulated'] }, targetEnvironment: { names: ['eu'] } },
      priority: 5,
      policy: { postAction: 'checks' },
      locked: ['postAction'],
    });
    const { at } = await preview({ product: 'simulated', version: '7', flow: 'to-production' });
    const said = { origin: 'POLICY', policy: 'eu-is-smoked', policyRevision: 1, locked: true };
    expect(at.eu.settings).toContainEqual({ setting: 'POST_ACTION', workflow: 'checks', action: null, ...said });
    expect(at.staging.settings).toContainEqual(
      expect.objectContaining({ setting: 'PRE_ACTION', workflow: 'checks', origin: 'FLOW', policy: null }),
    );
    const origins = Object.values<Shown>(at).flatMap((each) => each.settings.map((one: Shown) => one.origin));
    expect(new Set(origins)).toContain('DEFAULT');
  });

  test('a file that cannot be promoted into is told, as the promotion would fail', async () => {
    repository.commit({ 'eu/values.yaml': 'image: [\n' }, 'Broken by hand');
    const { at } = await preview({ product: 'billing' });
    expect(at.eu.changes).toMatchObject([{ files: [], reason: expect.stringContaining('values.yaml') }]);
    expect(at['us-east'].changes[0].reason).toBeNull();
  });

  test('a viewer who does not see all of its environments gets none of it', async () => {
    const where = { products: { names: ['billing'] }, environments: { names: ['eu'] } };
    const asked = api.askAs('vera', PREVIEW, { input: { product: 'billing' } }, 'VIEWER', where);
    await expect(asked).rejects.toThrow(/not allowed to VIEW/);
  });
});

describe('a forecast', () => {
  const FORECAST = `query ($input: ReleaseForecastInput!) { payload: releaseForecast(input: $input) {
    forecast { flowName at earliestEnd endsBy warnings notes work { name duration isMeasured } groups { name required earliestGate }
      promotions { name environmentName groupName dependenciesMet earliestStart soaksFrom soaksUntil earliestEnd waits { kind message who from until windowNames isAssumed } } }
    userErrors { code message path } } }`;
  const MOMENT = `${NEXT_YEAR + 2}-01-03T12:00:00.000Z`;
  const ask = async (input: object): Promise<Shown> => (await api.ask(FORECAST, { input })).payload;

  test('of a draft: soaks, people and measured work from a moment on, without the releases of now', async () => {
    const manifest = [
      'apiVersion: sluice.dev/v1',
      'kind: PromotionFlow',
      'metadata: { name: draft }',
      'spec:',
      '  triggerEnvironment: dev',
      '  steps:',
      '    - { environment: staging, dependsOn: [dev], soak: 30m }',
      '    - { environment: eu, dependsOn: [staging], approval: { rules: [{ count: 1 }] } }',
    ].join('\n');
    const assume = { people: '15m', measured: false, work: [{ name: 'staging', duration: '10m' }] };
    const { forecast, userErrors } = await ask({ product: 'simulated', draft: { manifest }, at: MOMENT, assume });
    expect(userErrors).toEqual([]);
    const time = (minutes: number): string => new Date(Date.parse(MOMENT) + minutes * 60_000).toISOString();
    expect(forecast).toMatchObject({
      flowName: 'draft',
      at: MOMENT,
      earliestEnd: time(55),
      notes: [expect.stringMatching(/^Other releases/)],
    });
    expect(forecast.work).toEqual([{ name: 'staging', duration: '10m', isMeasured: false }]);
    expect(forecast.promotions).toMatchObject([
      { name: 'dev', earliestStart: MOMENT, earliestEnd: MOMENT },
      { name: 'staging', soaksFrom: time(10), soaksUntil: time(40), earliestEnd: time(40) },
      {
        name: 'eu',
        dependenciesMet: time(40),
        earliestStart: time(55),
        waits: [
          { kind: 'DEPENDENCIES', until: time(40), isAssumed: false },
          { kind: 'APPROVAL', from: time(40), until: time(55), isAssumed: true },
        ],
      },
    ]);
  });

  test('of a saved flow: its groups, and a window that is closed until next year', async () => {
    const { forecast, userErrors } = await ask({ product: 'simulated', flow: 'to-production' });
    expect(userErrors).toEqual([]);
    expect(forecast.groups).toMatchObject([{ name: 'regions', earliestGate: null }]);
    const asia = forecast.promotions.find(({ name }: { name: string }) => name === 'asia');
    expect(asia).toMatchObject({
      groupName: 'regions',
      waits: [
        { kind: 'WINDOW', windowNames: ['never'] },
        { kind: 'MAX_AGE', until: null },
      ],
    });
    expect(forecast.warnings.join(' ')).toContain('maxAge');
  });

  test('what is wrong is said where it is', async () => {
    const path = async (input: object): Promise<unknown> =>
      (await ask(input)).userErrors.map((each: Shown) => [each.code, each.path]);
    expect(await path({ product: 'nothing', flow: 'to-production' })).toEqual([['NOT_FOUND', ['input', 'product']]]);
    expect(await path({ product: 'simulated', flow: 'nothing' })).toEqual([['NOT_FOUND', ['input', 'flow']]]);
    expect(await path({ product: 'simulated' })).toEqual([['INVALID', ['input', 'flow']]]);
    const work = [{ name: 'mars', duration: '1m' }];
    expect(await path({ product: 'simulated', flow: 'to-production', assume: { work } })).toEqual([
      ['UNKNOWN_REFERENCE', ['input', 'assume', 'work', '0', 'name']],
    ]);
    const flow = { name: 'x', triggerEnvironment: 'dev', steps: [{ environment: 'mars', dependsOn: ['dev'] }] };
    expect(await path({ product: 'simulated', draft: { flow } })).toEqual([
      ['UNKNOWN_REFERENCE', ['input', 'draft', 'spec', 'steps', '0', 'environment']],
    ]);
  });
});
