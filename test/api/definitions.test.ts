import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeCursor } from '../../src/schema/connection.ts';
import { ERRORS, openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
});
afterAll(() => api.close());

const labels = (values: Record<string, string>) => Object.entries(values).map(([key, value]) => ({ key, value }));

/** One of every kind, in the order in which they need each other; everything that an input can say is said. */
const KINDS: { field: string; input: Record<string, unknown>; fields: string; changed: Record<string, unknown> }[] = [
  {
    field: 'environment',
    input: { name: 'dev', kind: 'NON_PRODUCTION', description: 'Where it begins', labels: labels({ tier: 'low' }) },
    fields: 'kind description',
    changed: { description: 'Where it all begins' },
  },
  {
    field: 'environmentGroup',
    input: {
      name: 'europe',
      environments: {
        names: ['eu-*'],
        kinds: ['PRODUCTION'],
        matchLabels: labels({ continent: 'europe' }),
        matchExpressions: [{ key: 'tier', operator: 'NOT_IN', values: ['low'] }],
      },
      gate: { policy: 'AT_LEAST', percent: 50, soak: '10m', freshness: '1m', unknownTimeout: '10m' },
      maxParallel: 2,
      maxFailures: 1,
    },
    fields: `environments { names kinds matchLabels { key value } matchExpressions { key operator values } }
      gate { policy percent soak freshness unknownTimeout } maxParallel maxFailures`,
    changed: { gate: { policy: 'ANY' } },
  },
  {
    field: 'promotionTemplate',
    input: {
      name: 'helm',
      applicationSourceSelector: { matchLabels: labels({ kind: 'helm' }) },
      priority: 5,
      versionSource: { file: 'Chart.yaml', jsonPath: '$.appVersion' },
      promotion: [{ file: '**/values.yaml', jsonPaths: ['$.image.tag'], except: ['own/'] }],
      onMissing: 'SKIP',
      whenAbsent: 'REFUSE',
      whenGone: 'DELETE',
    },
    fields: `applicationSourceSelector { matchLabels { key value } } priority versionSource { file jsonPath }
      promotion { file jsonPaths except } onMissing whenAbsent whenGone`,
    changed: { priority: 4, onMissing: 'ADD' },
  },
  {
    field: 'promotionWorkflow',
    input: {
      name: 'smoke',
      description: 'Does it burn?',
      actions: [
        {
          name: 'ping',
          type: 'HTTP',
          parameters: { url: 'https://example.com/${APP_NAME}', body: { list: [1, null] } },
        },
        {
          name: 'load',
          type: 'SIMULATE',
          dependsOn: ['ping'],
          parameters: {},
          timeout: '5m',
          retry: { limit: 2, backoff: '1s', maxDelay: '1m' },
        },
      ],
    },
    fields: 'description actions { name type dependsOn parameters timeout retry { limit backoff maxDelay } }',
    changed: { actions: [{ name: 'ping', type: 'SIMULATE', parameters: {} }] },
  },
  {
    field: 'promotionPolicy',
    input: {
      name: 'production',
      description: 'What holds in production',
      priority: -100,
      selector: {
        product: { names: ['bill*'] },
        targetEnvironment: { names: ['eu-*'], kinds: ['PRODUCTION'], matchLabels: labels({ tier: 'high' }) },
      },
      policy: { preAction: 'smoke', action: 'COMMIT', postAction: 'smoke' },
      locked: ['PRE_ACTION', 'ACTION'],
    },
    fields: `description priority locked policy { preAction action postAction }
      selector { product { names } targetEnvironment { names kinds matchLabels { key value } } }`,
    changed: { priority: 2, locked: [] },
  },
  {
    field: 'promotionFlow',
    input: {
      name: 'flow',
      description: 'From here to there',
      version: '2026-1',
      triggerEnvironment: 'dev',
      triggerWorkflow: 'smoke',
      productSelector: { names: ['bill*'] },
      steps: [
        {
          environment: 'eu-west',
          dependsOn: ['dev'],
          dependsOnPolicy: { policy: 'ANY' },
          policy: { preAction: 'smoke', action: 'COMMIT', postAction: 'smoke' },
          soak: '1h30m',
          timeout: '4h',
        },
        { workflow: 'smoke', name: 'migrate', dependsOn: ['eu-west'] },
      ],
      timeout: '12h',
      onFailure: 'CONTINUE',
    },
    fields: `description version triggerEnvironment triggerWorkflow productSelector { names }
      steps { environment workflow name dependsOn dependsOnPolicy { policy } policy { preAction action postAction } soak timeout }
      timeout onFailure`,
    changed: { timeout: '13h' },
  },
  {
    field: 'product',
    input: {
      name: 'billing',
      description: 'Sends invoices',
      labels: labels({ team: 'money' }),
      annotations: labels({ 'example.com/owner': 'Ada Lovelace' }),
      promotionTemplate: {
        promotion: [{ file: 'values.yaml', jsonPaths: ['$.tag'] }],
        onMissing: 'ADD',
        whenAbsent: 'WARN',
      },
      promotionFlows: [
        { name: 'flow', gitTriggerSelectors: [{ key: 'COMMIT_MESSAGE', operator: 'NOT_IN', values: ['*wip*'] }] },
      ],
      concurrency: 'PIPELINE',
      queueLimit: 7,
    },
    fields: `description promotionTemplate { promotion { file jsonPaths } onMissing whenAbsent }
      promotionFlows { name gitTriggerSelectors { key operator values } } concurrency queueLimit`,
    changed: { concurrency: 'QUEUE' },
  },
  {
    field: 'releaseWindow',
    input: {
      name: 'weeknights',
      description: 'When nobody looks',
      kind: 'ALLOW',
      timeZone: 'America/New_York',
      times: { cron: { expression: '0 22 * * MON-FRI', duration: '8h', end: null } },
      selector: {
        environments: { names: ['us-*'], kinds: ['PRODUCTION'], matchLabels: labels({ tier: 'high' }) },
        groups: ['europe'],
        products: { names: ['bill*'] },
      },
      holds: ['PROMOTE', 'APPROVE'],
      onClose: 'PAUSE',
      jitter: '2m',
      runway: true,
    },
    fields: `description kind timeZone holds onClose jitter runway
      times { type cron { expression duration end } rrule { rule start duration end } once { from to } }
      selector { environments { names kinds matchLabels { key value } } groups products { names } }`,
    changed: { times: { once: { from: '2026-12-24T18:00', to: '2026-12-27T06:00:00Z' } }, kind: 'DENY' },
  },
  {
    field: 'application',
    input: {
      name: 'billing-dev',
      component: 'web',
      driver: { git: { repoURL: 'https://git.example.com/billing.git', branch: 'main', path: 'dev' } },
      health: {
        http: { url: 'https://billing.example.com/health', interval: '10s', grace: '45s', failureThreshold: 4 },
      },
      sync: {
        http: {
          url: 'https://billing.example.com/version',
          jsonPath: '$.commit',
          headers: [{ key: 'accept', value: 'application/json' }],
          limit: '20m',
        },
      },
      namespace: 'billing',
      runtime: 'cluster-1',
    },
    fields: `component driver { type git { repoURL branch path } simulate { duration } }
      health { type http { url interval timeout grace failureThreshold } simulate { grace failureThreshold } }
      sync { type http { url jsonPath headers { key value } limit } report { limit } } namespace runtime productName environmentName`,
    changed: {
      driver: { simulate: { duration: '2s', failures: 1, failure: 'TRANSIENT' } },
      health: { report: true },
      sync: { report: {} },
    },
  },
];

const common = 'id name revision labels { key value } annotations { key value } manifest updatedAt createdAt';
const more = (field: string) => (field === 'application' ? { product: 'billing', environment: 'dev' } : {});
const Type = (field: string) => field[0]!.toUpperCase() + field.slice(1);

describe('every kind', () => {
  beforeAll(async () => {
    await api.save('Environment', 'eu-west', { kind: 'PRODUCTION' }, { continent: 'europe' });
  });

  test.each(KINDS)(
    '$field: created, read back, changed, found by its id',
    async ({ field, input, fields, changed }) => {
      const create = `mutation ($input: ${Type(field)}CreateInput!) {
      ${field}Create(input: $input) { ${field} { ${common} ${fields} } ${ERRORS} } }`;
      const created = (await api.ask(create, { input: { ...input, ...more(field), idempotencyKey: 'once' } }))[
        `${field}Create`
      ];
      expect(created.userErrors).toEqual([]);
      const object = created[field];
      // What was written is what is read, in the same shape.
      const { driver, health, ...plain } = input;
      expect(object).toMatchObject(plain);
      if (driver) expect(object.driver).toMatchObject({ type: 'GIT', ...driver });
      if (health) expect(object.health).toMatchObject({ type: 'HTTP', ...health });
      expect(object.revision).toBe(1);

      const again = (await api.ask(create, { input: { ...input, ...more(field), idempotencyKey: 'once' } }))[
        `${field}Create`
      ];
      expect(again).toEqual(created);
      const twice = (await api.ask(create, { input: { ...input, ...more(field) } }))[`${field}Create`];
      expect(twice).toMatchObject({
        [field]: null,
        userErrors: [{ code: 'ALREADY_EXISTS', path: ['input', 'name'] }],
      });
      const other = { ...input, ...more(field), labels: labels({ other: 'yes' }), idempotencyKey: 'once' };
      expect((await api.ask(create, { input: other }))[`${field}Create`].userErrors).toMatchObject([
        { code: 'IDEMPOTENCY_MISMATCH', path: ['input', 'idempotencyKey'] },
      ]);

      const update = `mutation ($input: ${Type(field)}UpdateInput!) {
      ${field}Update(input: $input) { ${field} { ${common} ${fields} } ${ERRORS} } }`;
      const change = { name: input['name'], expectedRevision: 1, ...changed };
      const updated = (await api.ask(update, { input: change }))[`${field}Update`];
      expect(updated.userErrors).toEqual([]);
      expect(updated[field]).toMatchObject({ revision: 2, id: object.id, labels: object.labels });
      // Somebody who has not seen that is told, and may read it.
      expect((await api.ask(update, { input: change }))[`${field}Update`].userErrors).toMatchObject([
        { __typename: 'ConflictError', code: 'CONFLICT', path: ['input', 'expectedRevision'], currentRevision: 2 },
      ]);

      const read = await api.ask(
        `query ($name: String!, $id: ID!) {
        ${field}(name: $name) { ${common} ${fields} }
        before: ${field}(name: $name, revision: 1) { ${common} ${fields} }
        node(id: $id) { __typename id ... on Definition { name manifest } } }`,
        { name: input['name'], id: object.id },
      );
      expect(read[field]).toEqual(updated[field]);
      expect(read.before).toMatchObject({ ...plain, revision: 1, createdAt: null, manifest: object.manifest });
      expect(read.node).toMatchObject({ __typename: Type(field), id: object.id, manifest: updated[field].manifest });
      const then = await api.ask('query ($id: ID!) { node(id: $id) { id ... on Definition { revision } } }', {
        id: read.before.id,
      });
      expect(then.node).toEqual({ id: read.before.id, revision: 1 });
    },
  );

  test('null removes what an update names, and leaves alone what it does not', async () => {
    const { productUpdate } = await api.ask(
      `mutation { productUpdate(input: { name: "billing", description: null, labels: null, queueLimit: null }) {
        product { description labels { key } annotations { key } queueLimit promotionFlows { name } } ${ERRORS} } }`,
    );
    expect(productUpdate).toEqual({
      product: {
        description: null,
        labels: [],
        annotations: [{ key: 'example.com/owner' }],
        queueLimit: 50,
        promotionFlows: [{ name: 'flow' }],
      },
      userErrors: [],
    });
  });

  test('they know each other', async () => {
    const answer = await api.ask(`{
      product(name: "billing") { applications { name environment { name } product { name } } }
      environmentGroup(name: "europe") { members { name } }
    }`);
    expect(answer).toEqual({
      product: { applications: [{ name: 'billing-dev', environment: { name: 'dev' }, product: { name: 'billing' } }] },
      environmentGroup: { members: [{ name: 'eu-west' }] },
    });
  });

  test('what others need is not deleted; in the right order everything is', async () => {
    const remove = (field: string, name: string) =>
      api.ask(`mutation { ${field}Delete(input: { name: "${name}" }) { ${field} { name } ${ERRORS} } }`);
    expect((await remove('environment', 'dev')).environmentDelete.userErrors).toMatchObject([
      { code: 'IN_USE', path: ['input', 'name'], message: expect.stringContaining('billing-dev') },
    ]);
    for (const { field, input } of [...KINDS].reverse()) {
      const answer = (await remove(field, input['name'] as string))[`${field}Delete`];
      expect(answer).toEqual({ [field]: { name: input['name'] }, userErrors: [] });
      expect((await remove(field, input['name'] as string))[`${field}Delete`].userErrors[0].code).toBe('NOT_FOUND');
    }
  });
});

describe('lists', () => {
  const names = Array.from({ length: 25 }, (_, index) => `p-${String(index).padStart(2, '0')}`);

  beforeAll(async () => {
    for (const [index, name] of names.entries()) {
      const spec = { promotionFlows: [], concurrency: 'QUEUE' as const, queueLimit: 50 };
      await api.save('Product', name, spec, index % 2 === 0 ? { tier: 'gold', 'example.com/x': 'y' } : { tier: 'tin' });
    }
  });

  const list = `query ($first: Int!, $after: String, $selector: SelectorInput) {
    products(first: $first, after: $after, selector: $selector) {
      edges { cursor node { name } } nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;

  test('page by page, nothing twice and nothing left out, whatever comes and goes meanwhile', async () => {
    const seen: string[] = [];
    let after: string | null = null;
    for (let page = 0; page < 10; page += 1) {
      const { products } = await api.ask(list, { first: 10, after, selector: { names: ['p-*'] } });
      seen.push(...products.nodes.map((each: { name: string }) => each.name));
      expect(products.pageInfo.hasPreviousPage).toBe(page > 0);
      after = products.pageInfo.endCursor;
      if (page === 0) await api.ask('mutation { productDelete(input: { name: "p-03" }) { userErrors { code } } }');
      if (!products.pageInfo.hasNextPage) break;
    }
    expect(seen).toEqual(names);
  });

  test.each([
    [{ names: ['p-1*'] }, 10],
    [{ names: ['p-11', 'p-12', 'none'] }, 2],
    [{ matchLabels: [{ key: 'tier', value: 'gold' }] }, 13],
    [{ matchExpressions: [{ key: 'tier', operator: 'IN', values: ['tin', 'gold'] }] }, 24],
    [{ names: ['p-*'], matchExpressions: [{ key: 'example.com/x', operator: 'DOES_NOT_EXIST' }] }, 11],
    [{ matchExpressions: [{ key: 'tier', operator: 'NOT_IN', values: ['gold'] }], names: ['p-*'] }, 11],
  ])('selected by %j', async (selector, count) => {
    const { products } = await api.ask(list, { first: 100, selector });
    expect(products.nodes).toHaveLength(count);
  });

  test('with what belongs to each of them, in a number of statements that does not grow', async () => {
    const query =
      'query ($first: Int!) { products(first: $first) { nodes { name applications { name environment { name } } } } }';
    const [one, many] = [
      await api.statements(() => api.ask(query, { first: 1 })),
      await api.statements(() => api.ask(query, { first: 24 })),
    ];
    expect(many).toBe(one);
  });
});

describe('the graph of a flow', () => {
  beforeAll(async () => {
    for (const name of ['f-dev', 'f-staging', 'f-eu', 'f-us', 'f-asia'])
      await api.save('Environment', name, { kind: 'PRODUCTION' });
    await api.save('EnvironmentGroup', 'f-more', {
      environments: { names: ['f-more-*'] },
      gate: { policy: 'ALL' },
      maxFailures: 0,
    });
    await api.save('Environment', 'f-more-1', { kind: 'PRODUCTION' });
    await api.ask(`mutation { promotionFlowSave(input: {
      name: "f", triggerEnvironment: "f-dev", steps: [{ environment: "f-staging", dependsOn: ["f-dev"] }] }) { ${ERRORS} } }`);
  });

  const steps = 'promotionFlow { revision steps { environment group dependsOn } warnings }';

  test('an environment added after another one depends on it; several, on all of them', async () => {
    const { promotionFlowAddEnvironments: first } = await api.ask(`mutation { promotionFlowAddEnvironments(input: {
      name: "f", environments: ["f-eu", "f-us"], after: ["f-staging"], expectedRevision: 1 }) { ${steps} ${ERRORS} } }`);
    expect(first.userErrors).toEqual([]);
    const { promotionFlowAddEnvironments: second } = await api.ask(`mutation { promotionFlowAddEnvironments(input: {
      name: "f", environments: ["f-asia"], groups: ["f-more"], after: ["f-eu", "f-us"] }) { ${steps} ${ERRORS} } }`);
    expect(second.userErrors).toEqual([]);
    expect(second.promotionFlow.revision).toBe(3);
    expect(second.promotionFlow.steps.slice(1)).toEqual([
      { environment: 'f-eu', group: null, dependsOn: ['f-staging'] },
      { environment: 'f-us', group: null, dependsOn: ['f-staging'] },
      { environment: 'f-asia', group: null, dependsOn: ['f-eu', 'f-us'] },
      { environment: null, group: 'f-more', dependsOn: ['f-eu', 'f-us'] },
    ]);
  });

  test('what cannot be added is named by its place', async () => {
    const { promotionFlowAddEnvironments } = await api.ask(`mutation { promotionFlowAddEnvironments(input: {
      name: "f", groups: ["f-more"], after: ["f-nowhere"] }) { ${steps} ${ERRORS} } }`);
    expect(promotionFlowAddEnvironments.userErrors.map((each: { path: string[] }) => each.path)).toEqual([
      ['input', 'groups', '0'],
      ['input', 'after', '0'],
    ]);
  });

  test('removing asks what becomes of the dependents', async () => {
    const remove = (rest: string) =>
      api.ask(`mutation { promotionFlowRemoveEnvironment(input: { name: "f", ${rest} }) { ${steps} ${ERRORS} } }`);
    const asked = (await remove('environment: "f-eu"')).promotionFlowRemoveEnvironment;
    expect(asked.userErrors).toMatchObject([{ path: ['input', 'reconnectTo'] }]);
    const done = (await remove('environment: "f-eu", reconnectTo: "f-staging"')).promotionFlowRemoveEnvironment;
    expect(
      done.promotionFlow.steps.find((each: { environment: string }) => each.environment === 'f-asia').dependsOn,
    ).toEqual(['f-staging', 'f-us']);
    const all = (await remove('environment: "f-us", removeDependents: true')).promotionFlowRemoveEnvironment;
    expect(all.promotionFlow.steps.map((each: { environment: string }) => each.environment)).toEqual(['f-staging']);
  });

  test('two people who change it at once both get their change', async () => {
    const add = (environment: string) =>
      api.ask(`mutation { promotionFlowAddEnvironments(input: {
        name: "f", environments: ["${environment}"], after: ["f-staging"] }) { ${ERRORS} } }`);
    const answers = await Promise.all(['f-eu', 'f-us', 'f-asia'].map(add));
    for (const each of answers) expect(each.promotionFlowAddEnvironments.userErrors).toEqual([]);
    const { promotionFlow } = await api.ask('{ promotionFlow(name: "f") { steps { environment } } }');
    expect(promotionFlow.steps.map((each: { environment: string }) => each.environment).sort()).toEqual([
      'f-asia',
      'f-eu',
      'f-staging',
      'f-us',
    ]);
  });

  test('its warnings are told', async () => {
    const none = '{ environment: "f-staging", dependsOn: ["f-dev"], policy: { action: NONE } }';
    const { promotionFlowUpdate } = await api.ask(
      `mutation { promotionFlowUpdate(input: { name: "f", steps: [${none}] }) { ${steps} ${ERRORS} } }`,
    );
    expect(promotionFlowUpdate.promotionFlow.warnings).toEqual([expect.stringContaining('preAction')]);
  });
});

describe('manifests', () => {
  const apply = `mutation ($input: ManifestsApplyInput!) { manifestsApply(input: $input) {
    changes { kind name change diff revision } userErrors { code message } } }`;

  test('a dry run says what would change and changes nothing; applying twice changes nothing the second time', async () => {
    const text =
      'apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: m-dev }\nspec: { kind: PRODUCTION }\n';
    const dry = (await api.ask(apply, { input: { text, dryRun: true } })).manifestsApply;
    expect(dry).toMatchObject({
      changes: [{ kind: 'Environment', name: 'm-dev', change: 'CREATED', revision: 1 }],
      userErrors: [],
    });
    expect(dry.changes[0].diff).toContain('+  kind: PRODUCTION');
    expect((await api.ask('{ environment(name: "m-dev") { name } }')).environment).toBeNull();
    await api.ask(apply, { input: { text } });
    expect((await api.ask(apply, { input: { text } })).manifestsApply.changes).toEqual([
      { kind: 'Environment', name: 'm-dev', change: 'UNCHANGED', diff: null, revision: 1 },
    ]);
  });

  test('what `prune` deletes is deleted at the revision that was seen, and at no other', async () => {
    const written = (name: string, spec: object, labels = { app: 'pruning' }): string =>
      JSON.stringify({ apiVersion: 'sluice.dev/v1', kind: 'Environment', metadata: { name, labels }, spec });
    const stays = written('pruning-stays', { kind: 'PRODUCTION' });
    const goes = (kind: string): string => written('pruning-goes', { kind });
    const prune = [{ key: 'app', value: 'pruning' }];
    const ask = async (text: string, seen?: [name: string, revision: number]) => {
      const expectedRevisions = seen && [{ kind: 'Environment', name: seen[0], revision: seen[1] }];
      const { manifestsApply } = await api.ask(apply, { input: { text, ...(seen && { prune, expectedRevisions }) } });
      return manifestsApply as { changes: object[]; userErrors: object[] };
    };
    const other = written('pruning-other', { kind: 'PRODUCTION' }, { app: 'other' });
    await ask([stays, other, goes('PRODUCTION')].join('\n---\n'));
    await ask(goes('NON_PRODUCTION'));
    expect(await ask(stays, ['pruning-goes', 1])).toMatchObject({
      changes: [],
      userErrors: [{ code: 'CONFLICT', message: expect.stringMatching(/"pruning-goes" is at revision 2, not 1/) }],
    });
    // One that keeps out of it, and one that is gone.
    for (const [seen, code, words] of [
      [['pruning-other', 1], 'INVALID', /no Environment "pruning-other" and does not delete it/],
      [['nowhere', 3], 'CONFLICT', /"nowhere" is at revision 0, not 3/],
    ] as const)
      expect(await ask(stays, [...seen])).toMatchObject({
        changes: [],
        userErrors: [{ code, message: expect.stringMatching(words) }],
      });
    expect(await ask(stays, ['pruning-goes', 2])).toMatchObject({
      changes: [{ name: 'pruning-stays' }, { name: 'pruning-goes', change: 'DELETED' }],
      userErrors: [],
    });
  });

  test('`prune` by two values of one label deletes nothing: no definition carries both', async () => {
    const written = (name: string, labels: object): string =>
      JSON.stringify({
        apiVersion: 'sluice.dev/v1',
        kind: 'Environment',
        metadata: { name, labels },
        spec: { kind: 'PRODUCTION' },
      });
    const text = written('twice-stays', { app: 'twice' });
    await api.ask(apply, { input: { text: `${text}\n---\n${written('twice-other', { app: 'other' })}` } });
    const input = { text, prune: ['twice', 'other'].map((value) => ({ key: 'app', value })) };
    const check = `query ($input: ManifestsCheckInput!) { manifestsCheck(input: $input) {
      changes { kind name change diff revision } userErrors { code message } } }`;
    const refusal = { changes: [], userErrors: [{ code: 'DUPLICATE', message: '"app" is given twice; keep one' }] };
    expect((await api.ask(check, { input })).manifestsCheck).toEqual(refusal);
    expect((await api.ask(apply, { input })).manifestsApply).toEqual(refusal);
    expect((await api.ask('{ environment(name: "twice-other") { name } }')).environment).not.toBeNull();
  });

  describe('a flow and a workflow keep the text that they were written as', () => {
    const workflow = (remark: string): string =>
      `# ${remark}\napiVersion: 'sluice.dev/v1'\nkind: PromotionWorkflow\n\nspec:\n  actions:\n    - { type: wait, name: w, parameters: { duration: 1s } } # ${remark}\nmetadata: { name: by-hand }\n`;
    const environment =
      'apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: m-dev }\nspec: { kind: PRODUCTION }\n';
    const save = async (text: string, seen?: number) => {
      const expectedRevisions =
        seen === undefined ? null : [{ kind: 'PromotionWorkflow', name: 'by-hand', revision: seen }];
      const { changes, userErrors } = (await api.ask(apply, { input: { text, expectedRevisions } })).manifestsApply;
      return [...userErrors, ...changes].at(-1);
    };
    const kept = async () =>
      (await api.ask('{ it: promotionWorkflow(name: "by-hand") { revision text manifest } }')).it as {
        revision: number;
        text: string | null;
        manifest: string;
      };
    const [first, second] = [workflow('As I write'), workflow('In other words')];

    test('byte for byte, each its own document of several; a typed save has none', async () => {
      await save(`# All\n---\n${environment}---\n${first}`);
      expect(await kept()).toMatchObject({ revision: 1, text: first });
      expect(await save(`${environment}---\n${first}`)).toMatchObject({ change: 'UNCHANGED', diff: null, revision: 1 });
      const update = `mutation ($input: PromotionWorkflowUpdateInput!) { answer: promotionWorkflowUpdate(input: $input) { promotionWorkflow { text } ${ERRORS} } }`;
      const same = { name: 'by-hand', description: null };
      expect((await api.ask(update, { input: same })).answer.promotionWorkflow).toEqual({ text: first });
      const other = { name: 'by-hand', description: 'Typed' };
      expect((await api.ask(update, { input: other })).answer).toEqual({
        promotionWorkflow: { text: null },
        userErrors: [],
      });
    });

    test('a revision is restored with its text, and lists it', async () => {
      const restore = `mutation ($input: DefinitionRestoreInput!) { answer: definitionRestore(input: $input) { definition { revision ... on PromotionWorkflow { text } } ${ERRORS} } }`;
      const input = { kind: 'PromotionWorkflow', name: 'by-hand', revision: 1, expectedRevision: 2 };
      expect((await api.ask(restore, { input })).answer).toEqual({
        definition: { revision: 3, text: first },
        userErrors: [],
      });
      const { all } = await api.ask(
        '{ all: definitionRevisions(kind: PromotionWorkflow, name: "by-hand", first: 9) { nodes { revision text } } }',
      );
      expect(all.nodes).toEqual([
        { revision: 3, text: first },
        { revision: 2, text: null },
        { revision: 1, text: first },
      ]);
    });

    test('other words alone are a revision, told with their difference; an export that is applied keeps them', async () => {
      const told = await api.follow(
        'ada',
        `subscription { definitionEvents(kinds: [PromotionWorkflow], names: ["by-hand"]) { revision by definition { ... on PromotionWorkflow { text } } } }`,
      );
      const saved = await save(second, 3);
      expect(saved).toMatchObject({ change: 'UPDATED', revision: 4 });
      expect(saved.diff).toMatch(/^-# As I write$.*^\+# In other words$/ms);
      expect((await told.next()).value.definitionEvents).toEqual({
        revision: 4,
        by: 'ada',
        definition: { text: second },
      });
      await told.return!();
      // Who has not seen them does not save over them.
      expect(await save(first, 3)).toMatchObject({ code: 'CONFLICT' });
      const { manifest } = await kept();
      expect(await save(manifest)).toMatchObject({ change: 'UNCHANGED', revision: 4 });
      expect((await kept()).text).toBe(second);
      // Who has seen them may.
      expect(await save(manifest, 4)).toMatchObject({ change: 'UPDATED', revision: 5 });
      expect(await kept()).toEqual({ revision: 5, text: manifest, manifest });
    });

    test('long texts are compared one at a time, and others are served between', async () => {
      const seen = (await kept()).revision;
      const long = (remark: string): string => `${`# ${remark}\n`.repeat(9_000)}${first}`;
      const remarks = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
      for (const remark of remarks) await save(long(remark));
      let [isDone, longest, all] = [false, 0, 0];
      let before = process.cpuUsage();
      // In processor time: how busy the machine is does not count.
      const watch = (): void => {
        const { user, system } = process.cpuUsage(before);
        before = process.cpuUsage();
        longest = Math.max(longest, user + system);
        all += user + system;
        if (!isDone) setImmediate(watch);
      };
      setImmediate(watch);
      const { it } = await api.ask(
        '{ it: definitionRevisions(kind: PromotionWorkflow, name: "by-hand", first: 8) { nodes { revision diff } } }',
      );
      isDone = true;
      expect(
        it.nodes.map(({ revision, diff }: { revision: number; diff: string }) => [
          revision - seen,
          diff.length > 20_000,
        ]),
      ).toEqual(remarks.map((_, at) => [remarks.length - at, true]));
      // The first of them runs cold, and the collector of all may come in one.
      expect(longest).toBeLessThan(all / 2);
    });

    test('what is too long is refused, and the text stays', async () => {
      const before = await kept();
      expect(await save(`${first}#${'x'.repeat(2 ** 20)}\n`)).toMatchObject({
        message: expect.stringContaining('at most 1048576'),
      });
      expect(await kept()).toEqual(before);
    });
  });
});

test('the viewer is who asks', async () => {
  expect(await api.ask('{ viewer { name kind } }')).toEqual({ viewer: { name: 'ada', kind: 'USER' } });
  expect(await api.ask('{ viewer { name kind } }', {}, null)).toEqual({ viewer: { name: null, kind: 'ANONYMOUS' } });
});

describe('actions of workflows in the form of their type', () => {
  type Action = Record<string, unknown>;
  const save = async (name: string, ...actions: Action[]) => {
    const mutation = `mutation ($input: PromotionWorkflowCreateInput!) { answer: promotionWorkflowCreate(input: $input) {
      promotionWorkflow { actions { name type parameters timeout } } ${ERRORS} } }`;
    const { answer } = await api.ask(mutation, { input: { name, actions } });
    return answer as {
      promotionWorkflow: { actions: Action[] } | null;
      userErrors: { message: string; path: string[] }[];
    };
  };

  test('are the same as in JSON, whatever the type', async () => {
    const typed: Action[] = [
      {
        name: 'smoke',
        timeout: '1m',
        http: {
          url: 'https://ci.example.com/${VERSION}',
          headers: labels({ accept: 'application/json' }),
          body: { version: '${VERSION}' },
          expectStatus: [200, 204],
          outputs: labels({ RUN: '$.id' }),
        },
      },
      { name: 'settle', dependsOn: ['smoke'], wait: { duration: '90s' } },
      { name: 'post', http: { url: 'https://ci.example.com', body: 'a text' } },
      { name: 'sign-off', approval: { question: 'Ready?', rules: [{ groups: ['sre'], count: 2 }], expiry: '4h' } },
      { name: 'tell', notify: { url: '${secrets.hook}', text: 'Hello', required: true } },
      {
        name: 'measure',
        analysis: {
          url: 'https://p.example.com',
          query: 'up',
          success: '== 1',
          interval: '1m',
          count: 3,
          whenInconclusive: { rules: [{ groups: ['sre'] }] },
        },
      },
      { name: 'migrate', command: { program: '/usr/bin/migrate', args: ['--to', '${VERSION}'], idempotent: false } },
      {
        name: 'integrate',
        argoWorkflow: { server: 'https://argo.example.com', namespace: 'ci', template: 'tests', clusterScope: true },
      },
      { name: 'rest', simulate: { duration: '2s', fail: 'TRANSIENT', failures: 1 } },
    ];
    const { promotionWorkflow, userErrors } = await save('typed', ...typed);
    expect(userErrors).toEqual([]);
    const actions = promotionWorkflow!.actions;
    expect(actions.map(({ type }) => type)).toEqual(
      ['http', 'wait', 'http', 'approval', 'notify', 'analysis', 'command', 'argo_workflow', 'simulate'].map((each) =>
        each.toUpperCase(),
      ),
    );
    expect(actions[0]).toMatchObject({
      timeout: '1m',
      parameters: {
        url: 'https://ci.example.com/${VERSION}',
        headers: { accept: 'application/json' },
        body: { version: '${VERSION}' },
        expectStatus: [200, 204],
        outputs: { RUN: '$.id' },
      },
    });
    expect(actions[1]!['parameters']).toEqual({ duration: '1m30s' });
    expect(actions[2]!['parameters']).toEqual({ url: 'https://ci.example.com', body: 'a text' });
    expect(actions[3]!['parameters']).toMatchObject({ rules: [{ groups: ['sre'], count: 2 }], expiry: '4h' });
    expect(actions[8]!['parameters']).toEqual({ duration: '2s', fail: 'TRANSIENT', failures: 1 });
    const inJson = actions.map(({ name, type, parameters }) => ({ name, type, parameters }));
    const again = await save('in-json', ...inJson);
    expect(again.userErrors).toEqual([]);
    expect(again.promotionWorkflow!.actions.map(({ parameters }) => parameters)).toEqual(
      inJson.map(({ parameters }) => parameters),
    );
  });

  test.each<[string, Action, string, string]>([
    [
      'two types',
      { http: { url: 'https://a.example.com' }, wait: { duration: '1m' } },
      'give one of them',
      'input.actions.0',
    ],
    ['JSON as well', { wait: { duration: '1m' }, parameters: {} }, 'beside `wait`', 'input.actions.0.parameters'],
    ['another type', { wait: { duration: '1m' }, type: 'HTTP' }, 'leave it out', 'input.actions.0.type'],
    ['no type at all', { parameters: {} }, 'give `type` with `parameters`', 'input.actions.0'],
    ['what its type forbids', { analysis: { url: 'ftp://a.example.com' } }, 'http', 'input.actions.0.analysis.url'],
  ])('with %s are refused where it stands', async (_what, action, words, path) => {
    const { promotionWorkflow, userErrors } = await save('refused', { name: 'one', ...action });
    expect(promotionWorkflow).toBeNull();
    expect(userErrors[0]?.message).toContain(words);
    expect(userErrors[0]?.path.join('.')).toBe(path);
  });
});

describe('the past of a definition', () => {
  const save = `mutation ($input: PromotionWorkflowUpdateInput!) { promotionWorkflowUpdate(input: $input) { promotionWorkflow { revision } ${ERRORS} } }`;
  const restore = `mutation ($input: DefinitionRestoreInput!) { definitionRestore(input: $input) {
    definition { name revision manifest ... on PromotionWorkflow { description } } ${ERRORS} } }`;
  const revisions = `query ($name: String!, $first: Int!, $after: String) {
    definitionRevisions(kind: PromotionWorkflow, name: $name, first: $first, after: $after) {
      nodes { revision by isDeletion manifest diff } pageInfo { hasNextPage endCursor } } }`;
  const kind = 'PromotionWorkflow';

  beforeAll(async () => {
    const actions = [{ name: 'wait', type: 'wait' as const, parameters: { duration: '1s' } }];
    await api.save('PromotionWorkflow', 'past', { description: 'The first', actions });
    await api.askAs('grace', save, { input: { name: 'past', description: 'The second' } });
    await api.askAs('linus', save, { input: { name: 'past', description: null } });
  });

  test('each revision says who made it and what it changed, the newest first, page by page', async () => {
    const { definitionRevisions: first } = await api.ask(revisions, { name: 'past', first: 2 });
    expect(first.nodes.map(({ revision, by }: { revision: number; by: string }) => [revision, by])).toEqual([
      [3, 'linus'],
      [2, 'grace'],
    ]);
    expect(first.nodes[0].diff).toContain('-  description: The second');
    expect(first.nodes[1].diff).toMatch(/-  description: The first\n.*\+  description: The second/s);
    expect(first.pageInfo.hasNextPage).toBe(true);
    const after = first.pageInfo.endCursor;
    const { definitionRevisions: rest } = await api.ask(revisions, { name: 'past', first: 2, after });
    expect(rest.nodes).toMatchObject([{ revision: 1, isDeletion: false, diff: expect.stringContaining('+kind:') }]);
    expect(rest.pageInfo.hasNextPage).toBe(false);
    const last = `{ definitionRevisions(kind: PromotionWorkflow, name: "past", last: 2) { nodes { revision diff } pageInfo { hasPreviousPage } } }`;
    const { definitionRevisions: end } = await api.ask(last);
    expect(end.nodes.map(({ revision }: { revision: number }) => revision)).toEqual([2, 1]);
    expect(end.nodes[0].diff).toBe(first.nodes[1].diff);
    expect(end.pageInfo.hasPreviousPage).toBe(true);
    const field = `query { promotionWorkflow(name: "past") { diff(from: 1, to: 3) same: diff(from: 2, to: 2)
      revisions(first: 1) { nodes { revision } } } }`;
    const { promotionWorkflow: asked } = await api.ask(field);
    expect(asked.diff).toContain('-  description: The first');
    expect([asked.same, asked.revisions.nodes]).toEqual([null, [{ revision: 3 }]]);
    const [none] = await api.errorsOf('{ promotionWorkflow(name: "past") { diff(from: 1, to: 9) } }');
    expect(none?.message).toBe('PromotionWorkflow "past" was not saved as revision 9');
  });

  test('a revision is restored as a new one, for whoever has seen the newest', async () => {
    const input = { kind, name: 'past', revision: 1, expectedRevision: 2 };
    const late = (await api.ask(restore, { input })).definitionRestore;
    expect(late).toMatchObject({
      definition: null,
      userErrors: [{ __typename: 'ConflictError', path: ['input', 'expectedRevision'], currentRevision: 3 }],
    });
    const now = (await api.ask(restore, { input: { ...input, expectedRevision: 3 } })).definitionRestore;
    expect(now).toMatchObject({ definition: { revision: 4, description: 'The first' }, userErrors: [] });
    const never = (await api.ask(restore, { input: { ...input, revision: 77 } })).definitionRestore;
    expect(never.userErrors).toMatchObject([{ code: 'NOT_FOUND', path: ['input', 'revision'] }]);
  });

  test('manifests are refused as a whole where somebody else saved in between', async () => {
    const apply = `mutation ($input: ManifestsApplyInput!) { manifestsApply(input: $input) {
      changes { name revision } userErrors { code message ... on ManifestError { document } } } }`;
    const text = ['seen', 'unseen']
      .map((name) =>
        JSON.stringify({
          apiVersion: 'sluice.dev/v1',
          kind: 'Environment',
          metadata: { name },
          spec: { kind: 'PRODUCTION' },
        }),
      )
      .join('\n---\n');
    const asked = (revision: number) => ({
      input: { text, expectedRevisions: [{ kind: 'Environment', name: 'unseen', revision }] },
    });
    expect((await api.ask(apply, asked(1))).manifestsApply).toEqual({
      changes: [],
      userErrors: [
        { code: 'CONFLICT', message: expect.stringMatching(/"unseen" is at revision 0, not 1/), document: 2 },
      ],
    });
    // What guards nothing is refused: whoever sends it believes that it does.
    for (const [names, words] of [
      [['unsen'], 'the text has no Environment "unsen", so no revision of it can be expected'],
      [['unseen', 'unseen'], 'the revision of Environment "unseen" is expected twice'],
    ] as const) {
      const expectedRevisions = names.map((name) => ({ kind: 'Environment', name, revision: 0 }));
      expect((await api.ask(apply, { input: { text, expectedRevisions } })).manifestsApply).toMatchObject({
        changes: [],
        userErrors: [{ code: 'INVALID', message: words }],
      });
    }
    expect((await api.ask('{ environment(name: "seen") { name } }')).environment).toBeNull();
    expect((await api.ask(apply, asked(0))).manifestsApply.changes).toHaveLength(2);
    expect((await api.ask(apply, asked(0))).manifestsApply.userErrors).toMatchObject([{ code: 'CONFLICT' }]);
    expect((await api.ask(apply, asked(1))).manifestsApply).toMatchObject({
      changes: [{ revision: 1 }, { revision: 1 }],
    });
  });

  test('what was deleted can be restored, when all that it names is there', async () => {
    await api.ask('mutation { promotionWorkflowDelete(input: { name: "past" }) { userErrors { message } } }');
    const { definitionRevisions: all } = await api.ask(revisions, { name: 'past', first: 1 });
    expect(all.nodes).toMatchObject([
      { revision: 5, isDeletion: true, manifest: null, diff: expect.stringContaining('-kind: PromotionWorkflow') },
    ]);
    const input = { kind, name: 'past', revision: 4, expectedRevision: 0 };
    const { definitionRestore } = await api.ask(restore, { input });
    expect(definitionRestore).toMatchObject({ definition: { revision: 6 }, userErrors: [] });

    for (const name of ['short-lived', 'kept']) await api.save('Environment', name, { kind: 'PRODUCTION' });
    const flow = {
      name: 'orphan',
      triggerEnvironment: 'short-lived',
      steps: [{ environment: 'kept', dependsOn: ['short-lived'] }],
    };
    const { promotionFlowSave } = await api.ask(
      `mutation ($flow: PromotionFlowSaveInput!) { promotionFlowSave(input: $flow) { ${ERRORS} } }`,
      { flow },
    );
    expect(promotionFlowSave.userErrors).toEqual([]);
    await api.ask('mutation { promotionFlowDelete(input: { name: "orphan" }) { userErrors { message } } }');
    await api.ask('mutation { environmentDelete(input: { name: "short-lived" }) { userErrors { message } } }');
    const lost = { kind: 'PromotionFlow', name: 'orphan', revision: 1, expectedRevision: 0 };
    const refused = (await api.ask(restore, { input: lost })).definitionRestore;
    expect(refused.definition).toBeNull();
    expect(refused.userErrors[0]).toMatchObject({
      code: 'UNKNOWN_REFERENCE',
      path: ['input', 'revision'],
      message: expect.stringContaining('short-lived'),
    });
  });

  test('saves are told as they happen, in their order, and again after a cut', async () => {
    const query = `subscription ($after: String, $kinds: [DefinitionKind!], $names: [String!]) {
      definitionEvents(after: $after, kinds: $kinds, names: $names) { cursor type kind name revision by definition { manifest } } }`;
    const watching = await api.follow('ada', query, { kinds: ['Environment'], names: ['told', 'untold'] });
    await api.save('Environment', 'other', { kind: 'PRODUCTION' });
    await api.save('PromotionWorkflow', 'told', {
      actions: [{ name: 'w', type: 'wait', parameters: { duration: '1s' } }],
    });
    const update = `mutation ($input: EnvironmentUpdateInput!) { environmentUpdate(input: $input) { ${ERRORS} } }`;
    await api.save('Environment', 'told', { kind: 'PRODUCTION' });
    await api.askAs('grace', update, { input: { name: 'told', kind: 'NON_PRODUCTION' } });
    await api.ask('mutation { environmentDelete(input: { name: "told" }) { userErrors { message } } }', {}, 'linus');
    const events = [await watching.next(), await watching.next(), await watching.next()].map(
      ({ value }) => value.definitionEvents,
    );
    await watching.return?.();
    expect(events.map(({ type, kind: of, name, revision, by }) => [type, of, name, revision, by])).toEqual([
      ['SAVED', 'Environment', 'told', 1, 'test'],
      ['SAVED', 'Environment', 'told', 2, 'grace'],
      ['DELETED', 'Environment', 'told', 3, 'linus'],
    ]);
    expect(events[1].definition.manifest).toContain('kind: NON_PRODUCTION');
    expect(events[2].definition).toBeNull();
    const again = await api.follow('ada', query, { after: events[0].cursor, names: ['told'], kinds: ['Environment'] });
    expect((await again.next()).value.definitionEvents).toEqual(events[1]);
    await again.return?.();
  });

  test('after a cursor that was read before the definitions each save is told; a cursor of another database is refused', async () => {
    const query =
      'subscription ($after: String) { definitionEvents(after: $after, kinds: [Environment]) { cursor name } }';
    await api.save('Environment', 'counted-before', { kind: 'PRODUCTION' });
    const { definitionCursor: after } = await api.ask('{ definitionCursor }');
    await api.save('Environment', 'counted', { kind: 'PRODUCTION' });
    const watching = await api.follow('ada', query, { after });
    const { cursor, name } = (await watching.next()).value.definitionEvents;
    expect(name).toBe('counted');
    await watching.return?.();
    expect(await api.ask('{ definitionCursor }')).toEqual({ definitionCursor: cursor });
    await expect(api.follow('ada', query, { after: writeCursor('999999999') })).rejects.toMatchObject({
      extensions: { code: 'CURSOR_EXPIRED', oldestCursor: '' },
    });
  });

  test('who sees a part is told of that part alone', async () => {
    await api.saveBilling('mine');
    await api.saveBilling('theirs');
    const where = { products: { names: ['mine'] }, environments: {} };
    const past = (name: string) =>
      api.askAs(
        'vera',
        `{ definitionRevisions(kind: Application, name: "${name}", first: 1) { nodes { revision } } }`,
        {},
        'VIEWER',
        where,
      );
    expect((await past('mine-eu')).definitionRevisions.nodes).toEqual([{ revision: 1 }]);
    expect((await past('theirs-eu')).definitionRevisions.nodes).toEqual([]);
    const query = 'subscription ($after: String) { definitionEvents(after: $after, kinds: [Application]) { name } }';
    const watching = await api.follow('vera', query, {}, where);
    const rename =
      'mutation ($name: String!) { applicationUpdate(input: { name: $name, labels: [{ key: "a", value: "b" }] }) { userErrors { message } } }';
    for (const name of ['theirs-eu', 'mine-eu']) await api.ask(rename, { name });
    expect((await watching.next()).value.definitionEvents).toEqual({ name: 'mine-eu' });
    await watching.return?.();
  });
});
