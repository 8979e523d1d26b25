import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOCK_DEFINITIONS } from '../../src/entities/locks.ts';
import { fc } from '../core/property.ts';
import { blocksOf, readPage } from '../docs/reader.ts';
import { ERRORS, openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
  const files = ['01-environments', '02-workflows', '03-product', '04-flow'];
  const text = files.map((file) => readFileSync(`examples/billing/${file}.yaml`, 'utf8')).join('\n---\n');
  const { manifestsApply } = await api.ask(
    `mutation ($text: String!) { manifestsApply(input: { text: $text }) { ${ERRORS} } }`,
    { text },
  );
  expect(manifestsApply.userErrors).toEqual([]);
});
afterAll(() => api.close());

const FOUND = `warnings { message path flowPath }
  userErrors { __typename code message path ... on PromotionFlowError { flowPath } ... on ManifestError { line column }
    ... on ConflictError { currentRevision } }`;
const STEPS = 'steps { environment group name dependsOn soak policy { action preAction } }';

async function tried(draft: object, ...edits: object[]) {
  const query = `query ($draft: PromotionFlowDraftInput!, $edits: [PromotionFlowEditInput!]!) {
    promotionFlowEdit(draft: $draft, edits: $edits) { flow { name labels { key value } onFailure timeout ${STEPS} manifest } ${FOUND} } }`;
  return (await api.ask(query, { draft, edits })).promotionFlowEdit;
}

const APPLY = `mutation ($input: PromotionFlowApplyEditsInput!) {
  promotionFlowApplyEdits(input: $input) { promotionFlow { revision ${STEPS} } ${FOUND} } }`;

async function applied(name: string, edits: object[], expectedRevision?: number) {
  return (await api.ask(APPLY, { input: { name, edits, expectedRevision } })).promotionFlowApplyEdits;
}

const LINE = {
  name: 'line',
  labels: [{ key: 'team', value: 'money' }],
  triggerEnvironment: 'dev',
  steps: [
    { environment: 'staging', dependsOn: ['dev'] },
    { environment: 'eu', dependsOn: ['staging'] },
  ],
};
const after = (environment: string, ...names: string[]) => ({ addSteps: { steps: [{ environment }], after: names } });

test('everything on the page about it can be done, from top to bottom', async () => {
  const documents = blocksOf(await readPage('docs/editing-flows.md')).filter(({ language }) => language === 'graphql');
  expect(documents.length).toBeGreaterThanOrEqual(4);
  const answers = [];
  for (const { text } of documents) answers.push(Object.values(await api.ask(text))[0]);
  expect(answers.map((each) => (each as { userErrors: unknown[] }).userErrors)).toEqual(documents.map(() => []));
  expect(answers.at(-1)).toMatchObject({
    promotionFlow: {
      revision: 3,
      steps: [
        { environment: 'staging', dependsOn: ['dev'] },
        { group: 'regions', dependsOn: ['all-tests', 'staging'] },
        { environment: 'asia-2', dependsOn: ['regions', 'all-tests'] },
        { name: 'all-tests', dependsOn: ['staging'] },
      ],
    },
  });
});

describe('a draft', () => {
  test('comes back with its edits, its defaults and its manifest, which is the same draft again', async () => {
    const edits = [after('asia', 'eu'), { changeStep: { step: 'eu', settings: { soak: '10m' } } }];
    const one = await tried({ flow: LINE }, ...edits);
    expect(one).toMatchObject({
      flow: {
        name: 'line',
        labels: LINE.labels,
        onFailure: 'FINISH_RUNNING',
        timeout: null,
        steps: [
          { environment: 'staging', dependsOn: ['dev'], soak: null },
          { environment: 'eu', dependsOn: ['staging'], soak: '10m' },
          { environment: 'asia', dependsOn: ['eu'] },
        ],
      },
      warnings: [],
      userErrors: [],
    });
    expect(await tried({ manifest: one.flow.manifest })).toEqual(one);
    expect((await api.ask('{ promotionFlow(name: "line") { id } }')).promotionFlow).toBeNull();
  });

  test('that is not finished is answered, with each fault at its edit and in the flow', async () => {
    const policy = { action: 'COMMIT', pullRequest: { draft: true } };
    const { flow, userErrors } = await tried(
      { flow: LINE },
      after('mars', 'eu'),
      { removeStep: { step: 'staging', dependents: 'RECONNECT' } },
      { changeStep: { step: 'eu', settings: { policy } } },
    );
    expect(flow.steps.map((each: { environment: string }) => each.environment)).toEqual(['eu', 'mars']);
    expect(userErrors).toMatchObject([
      {
        __typename: 'PromotionFlowError',
        code: 'UNKNOWN_REFERENCE',
        path: ['edits', '0', 'addSteps', 'steps', '0', 'environment'],
        flowPath: ['spec', 'steps', '1', 'environment'],
      },
      {
        path: ['edits', '2', 'changeStep', 'settings', 'policy', 'pullRequest'],
        flowPath: ['spec', 'steps', '0', 'policy', 'pullRequest'],
      },
    ]);
  });

  test('is checked without edits: what it has from before is at no edit', async () => {
    const steps = [{ environment: 'eu', dependsOn: ['nirvana'] }];
    const { flow, userErrors } = await tried({ flow: { ...LINE, steps } });
    expect(flow.manifest).toContain('nirvana');
    expect(userErrors).toMatchObject([{ path: null, flowPath: ['spec', 'steps', '0', 'dependsOn', '0'] }]);
    const idle = [{ environment: 'eu', dependsOn: ['dev'], policy: { action: 'NONE' } }];
    const warned = await tried({ flow: { ...LINE, steps: idle } });
    expect(warned.warnings).toEqual([
      { message: expect.stringContaining('none'), path: null, flowPath: ['spec', 'steps', '0', 'policy', 'action'] },
    ]);
  });

  test('that would open pull requests where none can be has the fault at its step', async () => {
    await api.save('Application', 'billing-eu', {
      product: 'billing',
      environment: 'eu',
      driver: { type: 'simulate' },
      health: { type: 'none' },
    });
    const settings = { policy: { action: 'PR' } };
    const { flow, userErrors } = await tried({ saved: 'billing-flow' }, { changeStep: { step: 'regions', settings } });
    const at = flow.steps.findIndex(({ group }: { group: string | null }) => group === 'regions');
    expect(userErrors).toMatchObject([
      {
        message: expect.stringContaining('application "billing-eu" in "eu" is promoted by pull request'),
        path: ['edits', '0', 'changeStep', 'settings', 'policy', 'action'],
        flowPath: ['spec', 'steps', String(at), 'policy', 'action'],
      },
    ]);
  });

  test('that is too large is not even edited', async () => {
    const steps = Array.from({ length: 1001 }, (_, i) => ({ environment: `e${i}`, dependsOn: ['dev'] }));
    expect(await tried({ flow: { ...LINE, steps } }, after('asia', 'dev'))).toMatchObject({
      flow: null,
      userErrors: [{ message: expect.stringContaining('at most 1000'), path: null, flowPath: ['spec', 'steps'] }],
    });
  });

  test('of which an edit is refused does not come back', async () => {
    expect(await tried({ flow: LINE }, after('asia', 'eu'), after('asia', 'eu'))).toMatchObject({
      flow: null,
      userErrors: [
        {
          code: 'DUPLICATE',
          path: ['edits', '1', 'addSteps', 'steps', '0', 'environment'],
          flowPath: ['spec', 'steps', '2'],
        },
      ],
    });
  });

  test('that cannot be read says where', async () => {
    const broken = await tried({ manifest: 'kind: PromotionFlow\nmetadata: { name: x }\nspec: {' });
    expect(broken).toMatchObject({
      flow: null,
      userErrors: [{ __typename: 'ManifestError', path: ['draft', 'manifest'], line: 3, column: expect.any(Number) }],
    });
    const other = 'apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: lab }\nspec: { kind: PRODUCTION }\n';
    for (const manifest of ['', other, `${other}---\n${other.replace('lab', 'den')}`])
      expect((await tried({ manifest })).userErrors).toMatchObject([
        { path: ['draft', 'manifest'], message: expect.stringContaining('give one manifest') },
      ]);
    expect((await tried({ saved: 'nirvana' })).userErrors).toMatchObject([
      { code: 'NOT_FOUND', path: ['draft', 'saved'] },
    ]);
    const twice = [...LINE.labels, ...LINE.labels];
    expect((await tried({ flow: { ...LINE, labels: twice } })).userErrors).toMatchObject([
      { code: 'DUPLICATE', path: ['draft', 'flow', 'labels', '1', 'key'] },
    ]);
    expect((await tried({ flow: LINE }, after('a\u0000', 'eu'))).userErrors).toMatchObject([
      { path: ['edits', '0', 'addSteps', 'steps', '0', 'environment'] },
    ]);
  });

  test('waits for no save, leaves no entry in the audit log, and takes what a save takes', async () => {
    const query = `query { promotionFlowEdit(draft: { saved: "billing-flow" }, edits: []) { flow { name } ${ERRORS} } }`;
    const count = async (): Promise<unknown> => (await api.app.pool.query('SELECT count(*) FROM audit_log')).rows;
    const before = await count();
    const saving = new pg.Client({ connectionString: api.app.databaseUrl });
    await saving.connect();
    await saving.query(`BEGIN; ${LOCK_DEFINITIONS}`);
    const { promotionFlowEdit } = await api.askAs('grace', query);
    await saving.end();
    expect(promotionFlowEdit).toEqual({ flow: { name: 'billing-flow' }, userErrors: [] });
    expect(await count()).toEqual(before);
    await expect(api.askAs('linus', query, {}, 'VIEWER')).rejects.toThrow(/not allowed to EDIT_DEFINITIONS/);
  });
});

describe('a saved flow', () => {
  beforeAll(async () => {
    const save = `mutation ($input: PromotionFlowSaveInput!) { promotionFlowSave(input: $input) { ${ERRORS} } }`;
    const { promotionFlowSave } = await api.ask(save, { input: LINE });
    expect(promotionFlowSave.userErrors).toEqual([]);
  });

  test('gets all edits as one revision, or none of them', async () => {
    const done = await applied(
      'line',
      [after('asia', 'eu'), after('us-east', 'eu'), after('asia-2', 'asia', 'us-east')],
      1,
    );
    expect(done).toMatchObject({ promotionFlow: { revision: 2 }, warnings: [], userErrors: [] });
    expect(done.promotionFlow.steps.at(-1)).toMatchObject({ environment: 'asia-2', dependsOn: ['asia', 'us-east'] });

    const refused = await applied('line', [{ removeStep: { step: 'asia-2' } }, { removeStep: { step: 'staging' } }]);
    expect(refused).toMatchObject({
      promotionFlow: null,
      userErrors: [
        {
          code: 'INVALID',
          path: ['input', 'edits', '1', 'removeStep', 'dependents'],
          flowPath: ['spec', 'steps', '0'],
        },
      ],
    });
    const unsound = await applied('line', [{ renameStep: { step: 'asia', to: 'mars' } }]);
    expect(unsound).toMatchObject({
      promotionFlow: null,
      userErrors: [
        {
          code: 'UNKNOWN_REFERENCE',
          path: ['input', 'edits', '0', 'renameStep', 'to'],
          flowPath: ['spec', 'steps', '2', 'environment'],
        },
      ],
    });
    const { promotionFlow } = await api.ask('{ promotionFlow(name: "line") { revision steps { environment } } }');
    expect(promotionFlow).toEqual({
      revision: 2,
      steps: done.promotionFlow.steps.map(({ environment }: { environment: string }) => ({ environment })),
    });
  });

  test('that somebody else has changed is a conflict; without an expected revision both get their edits', async () => {
    expect((await applied('line', [after('asia-2', 'eu')], 1)).userErrors).toMatchObject([
      { __typename: 'ConflictError', path: ['input', 'expectedRevision'], currentRevision: 2 },
    ]);
    const steps = (name: string) => ({ steps: [{ workflow: 'smoke-tests', name }], after: ['eu'] });
    const answers = await Promise.all(
      ['one', 'two', 'three'].map((name) => applied('line', [{ addSteps: steps(name) }])),
    );
    expect(answers.map((each) => each.userErrors)).toEqual([[], [], []]);
    const { promotionFlow } = await api.ask('{ promotionFlow(name: "line") { revision steps { name } } }');
    expect(promotionFlow.revision).toBe(5);
    const named = promotionFlow.steps.flatMap(({ name }: { name: string | null }) => name ?? []);
    expect(named.sort()).toEqual(['one', 'three', 'two']);
  });

  test('tells its warnings at their places', async () => {
    const policy = { action: 'NONE' };
    const { warnings } = await applied('line', [{ changeStep: { step: 'eu', settings: { policy } } }]);
    expect(warnings).toEqual([
      {
        message: expect.stringContaining('none'),
        path: ['input', 'edits', '0', 'changeStep', 'settings', 'policy', 'action'],
        flowPath: ['spec', 'steps', '1', 'policy', 'action'],
      },
    ]);
  });

  test('changes with an entry in the audit log that has the flow before and after, and who may not change it does not', async () => {
    const input = { name: 'line', edits: [{ changeFlow: { settings: { timeout: '3h' } } }] };
    await expect(api.askAs('linus', APPLY, { input }, 'VIEWER')).rejects.toThrow(/not allowed to EDIT_DEFINITIONS/);
    expect((await api.askAs('grace', APPLY, { input })).promotionFlowApplyEdits.userErrors).toEqual([]);
    const { rows } = await api.app.pool.query(
      `SELECT outcome, before -> 'spec' -> 'timeout' AS before, after -> 'spec' -> 'timeout' AS after FROM audit_log
         WHERE action = 'promotionFlowApplyEdits' AND actor IN ('linus', 'grace') ORDER BY id`,
    );
    expect(rows).toEqual([
      { outcome: 'FORBIDDEN', before: null, after: null },
      { outcome: 'DONE', before: null, after: 10_800_000 },
    ]);
  });

  test('is another one for releases to come, and the same for those on their way', async () => {
    await api.saveBilling('moving');
    const id = await api.trigger({ product: 'moving', version: '1' });
    const plan = async () =>
      (await api.ask(`{ release(id: "${id}") { promotions { name dependsOn { name } } } }`)).release.promotions;
    const before = await plan();
    expect(before.map(({ name }: { name: string }) => name)).toContain('staging');
    const removed = await applied('to-production', [{ removeStep: { step: 'staging', dependents: 'RECONNECT' } }]);
    expect(removed).toMatchObject({ promotionFlow: { steps: [{ dependsOn: ['dev'] }, {}] }, userErrors: [] });
    expect(await plan()).toEqual(before);
  });
});

test('what cannot be: two edits in one, no draft, two drafts', async () => {
  const errors = async (draft: string, edits: string) =>
    (await api.errorsOf(`{ promotionFlowEdit(draft: ${draft}, edits: ${edits}) { flow { name } } }`)).map(
      (each) => each.message,
    );
  expect(
    await errors('{ saved: "line" }', '[{ renameStep: { step: "a", to: "b" }, changeFlow: { settings: {} } }]'),
  ).toHaveLength(1);
  expect(await errors('{}', '[]')).toHaveLength(1);
  expect(await errors('{ saved: "line", manifest: "" }', '[]')).toHaveLength(1);
});

describe('a check is a dry run that writes nothing, not even that it was asked', () => {
  const files = ['01-environments', '02-workflows', '03-product', '04-flow'];
  const billing = files.map((file) => readFileSync(`examples/billing/${file}.yaml`, 'utf8')).join('\n---\n');
  const ERROR = `userErrors { __typename code message path ... on ManifestError { file document line column manifestPath } }`;
  const CHANGES = 'changes { kind name change diff warnings revision document }';
  const dryRun = `mutation ($text: String!, $prune: [LabelInput!]) {
    answer: manifestsApply(input: { text: $text, fileName: "b.yaml", dryRun: true, prune: $prune }) { ${CHANGES} ${ERROR} } }`;
  const check = `query ($text: String!, $prune: [LabelInput!]) {
    answer: manifestsCheck(input: { text: $text, fileName: "b.yaml", prune: $prune, askHosts: true }) { ${CHANGES} ${ERROR}
      warnings { message file document line column manifestPath } } }`;
  const checkFlow = `query ($manifest: String!) { answer: promotionFlowCheck(draft: { manifest: $manifest }) {
    change diff revision flow { manifest } warnings { message flowPath place { line column } }
    userErrors { message ... on PromotionFlowError { flowPath place { line column } } ... on ManifestError { line column } } } }`;

  /** Mistakes of a hand, and changes that are none. */
  const MISTAKES: [string, (text: string) => string][] = [
    ['a name that is nothing', (text) => text.replace('environment: staging', 'environment: stagin')],
    ['a circle', (text) => text.replace('dependsOn: [dev]', 'dependsOn: [asia]')],
    ['a field that is none', (text) => text.replace('triggerEnvironment:', 'triggerEnvironmen:')],
    ['a broken text', (text) => text.replace('kind: PromotionFlow', 'kind: [PromotionFlow')],
    ['a duration without a unit', (text) => `${text}`.replace(/timeout: \w+/, 'timeout: 30')],
    ['a group that names nothing', (text) => `${text}\n---\n${group('nowhere')}`],
    ['twice the same', (text) => `${text}\n---\n${group('eu')}\n---\n${group('eu')}`],
    ['labels', (text) => text.replaceAll('metadata:\n', 'metadata:\n  labels: { team: money }\n')],
    ['another order', (text) => text.split('\n---\n').reverse().join('\n---\n')],
    ['an empty document before it', (text) => `---\n# nothing\n---\n${text}`],
    ['a flow less', (text) => text.split('\n---\n').slice(0, -2).join('\n---\n')],
  ];
  const group = (environment: string): string =>
    `apiVersion: sluice.dev/v1\nkind: EnvironmentGroup\nmetadata: { name: some }\nspec:\n  environments:\n    names: [eu, ${environment}]`;

  const written = async (): Promise<unknown> => {
    const { rows } = await api.app.pool.query(
      'SELECT (SELECT count(*) FROM audit_log) AS audit, (SELECT revision FROM definition_clock) AS saves',
    );
    return rows[0];
  };

  test('whatever is wrong with manifests, or not, both say the same of it', { timeout: 60_000 }, async () => {
    const before = await written();
    const reached: Record<string, number> = {};
    const mistakes = fc.uniqueArray(fc.nat(MISTAKES.length - 1), { maxLength: 3 });
    const prune = fc.option(fc.constant([{ key: 'team', value: 'money' }]));
    await fc.assert(
      fc.asyncProperty(mistakes, prune, async (chosen, labels) => {
        const text = chosen.reduce((made, index) => MISTAKES[index]![1](made), billing);
        // One after the other: a dry run is a mutation, and writes that it was asked.
        const { answer: dry } = await api.ask(dryRun, { text, prune: labels });
        const held = await written();
        const { answer: checked } = await api.askAs('ada', check, { text, prune: labels });
        expect(await written()).toEqual(held);
        const { warnings, ...same } = checked;
        expect(same).toEqual(dry);
        const told = dry.changes.flatMap((each: { warnings: string[] }) => each.warnings);
        expect(new Set(warnings.map(({ message }: { message: string }) => message))).toEqual(new Set(told));
        for (const { line, column, document } of warnings) {
          expect(document).toBeGreaterThanOrEqual(1);
          expect(text.split('\n')[line - 1]!.length).toBeGreaterThanOrEqual(column - 1);
        }
        const what = dry.userErrors.length > 0 ? 'refused' : warnings.length > 0 ? 'warned' : 'fine';
        reached[what] = (reached[what] ?? 0) + 1;
      }),
      { numRuns: 60 },
    );
    expect(Object.keys(reached).sort()).toEqual(['fine', 'refused', 'warned']);
    expect((await written()) as { saves: string }).toMatchObject({ saves: (before as { saves: string }).saves });
  });

  test('a warning has the place of what it is about, and a change its document', async () => {
    const text = `apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: eu }\nspec: { kind: PRODUCTION }\n---\n${group('nowhere')}`;
    const { answer } = await api.ask(check, { text });
    const message = 'EnvironmentGroup "some" names "nowhere", and there is no such Environment';
    const manifestPath = ['spec', 'environments', 'names', '1'];
    expect(answer.warnings).toEqual([{ message, file: 'b.yaml', document: 2, line: 11, column: 17, manifestPath }]);
    expect(answer.changes.at(-1)).toMatchObject({ name: 'some', change: 'CREATED', document: 2, warnings: [message] });
  });

  test('of a flow it says what a save would do, with places in its manifest, while others save', async () => {
    const { answer: saved } = await api.ask('{ answer: promotionFlow(name: "billing-flow") { manifest revision } }');
    const { answer: same } = await api.ask(checkFlow, { manifest: saved.manifest });
    expect(same).toMatchObject({ change: 'UNCHANGED', diff: null, revision: saved.revision, userErrors: [] });
    expect(same.flow.manifest).toBe(saved.manifest);
    const other = saved.manifest.replace('triggerEnvironment: dev', 'triggerEnvironment: dev\n  maxAge: 3h');
    // Another editor is in the middle of a save: the answer does not wait for it.
    const client = new pg.Client({ connectionString: api.databaseUrl });
    await client.connect();
    await client.query('BEGIN');
    await client.query(LOCK_DEFINITIONS);
    const { answer: updated } = await api.ask(checkFlow, { manifest: other });
    await client.query('ROLLBACK');
    await client.end();
    expect(updated).toMatchObject({ change: 'UPDATED', userErrors: [] });
    expect(updated.diff).toContain('+  maxAge: 3h');
    const fresh = saved.manifest.replace('name: billing-flow', 'name: fresh');
    expect((await api.ask(checkFlow, { manifest: fresh })).answer).toMatchObject({ change: 'CREATED', revision: null });

    const wrong = `# mine\n${saved.manifest.replace('environment: staging', 'environment: stagin')}`;
    const line = wrong.split('\n').findIndex((each: string) => each.includes('stagin')) + 1;
    const { answer: refused } = await api.ask(checkFlow, { manifest: wrong });
    expect(refused.change).toBeNull();
    expect(refused.userErrors[0]).toMatchObject({
      message: expect.stringContaining('stagin'),
      flowPath: ['spec', 'steps', '0', 'environment'],
      place: { line },
    });
  });
});
