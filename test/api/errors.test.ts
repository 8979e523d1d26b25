import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApiSchema } from '../../src/schema/build.ts';
import { ERRORS, openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await openTestApi();
  await api.saveBilling();
});
afterAll(() => api.close());

describe('the schema', () => {
  const types = Object.values(buildApiSchema().getTypeMap()).filter(({ name }) => !name.startsWith('__'));
  const ownScalars = ['String', 'Int', 'Boolean', 'ID', 'Float'];

  test('describes every type, field, argument and value', () => {
    const bare: string[] = [];
    const look = (name: string, description: string | null | undefined): void => {
      if (!description?.trim()) bare.push(name);
    };
    for (const type of types) {
      if (ownScalars.includes(type.name)) continue;
      if (!['Query', 'Mutation', 'Subscription'].includes(type.name)) look(type.name, type.description);
      if (isEnumType(type)) for (const each of type.getValues()) look(`${type.name}.${each.name}`, each.description);
      if (isInputObjectType(type)) {
        for (const each of Object.values(type.getFields())) look(`${type.name}.${each.name}`, each.description);
      }
      if (!isObjectType(type) && !isInterfaceType(type)) continue;
      for (const field of Object.values(type.getFields())) {
        look(`${type.name}.${field.name}`, field.description);
        for (const each of field.args) look(`${type.name}.${field.name}(${each.name})`, each.description);
      }
    }
    expect(bare).toEqual([]);
  });

  test('has one input per mutation, and a payload with userErrors', () => {
    const mutations = Object.values(buildApiSchema().getMutationType()!.getFields());
    expect(mutations.length).toBeGreaterThan(20);
    for (const { name, args, type } of mutations) {
      expect(args.map((each) => `${name}(${each.name}: ${String(each.type)})`)).toEqual([
        expect.stringMatching(/^\w+\(input: \w+Input!\)$/),
      ]);
      const payload = getNamedType(type);
      expect(isObjectType(payload) && String(payload.getFields()['userErrors']?.type)).toBe('[UserError!]!');
    }
  });

  test('takes a driver, a source of health or sync, the times of a window, a draft and an edit as one of several', () => {
    const oneOfs = types.filter((type) => isInputObjectType(type) && type.isOneOf);
    expect(oneOfs.map(({ name }) => name).sort()).toEqual([
      'ApplicationDriverInput',
      'ApplicationHealthSourceInput',
      'ApplicationSyncSourceInput',
      'PromotionFlowDraftInput',
      'PromotionFlowEditInput',
      'WindowTimesInput',
    ]);
  });
});

describe('a refusal changes nothing and names the place in the input', () => {
  const flowSave = `mutation ($input: PromotionFlowSaveInput!) {
    promotionFlowSave(input: $input) { promotionFlow { name } ${ERRORS} } }`;

  test.each([
    [
      'an environment that does not exist, with what may have been meant',
      { steps: [{ environment: 'stagin', dependsOn: ['dev'] }] },
      { code: 'UNKNOWN_REFERENCE', path: ['input', 'steps', '0', 'environment'], message: /Did you mean "staging"/ },
    ],
    [
      'a dependency that is not in the flow',
      {
        steps: [
          { environment: 'staging', dependsOn: ['dev'] },
          { environment: 'eu', dependsOn: ['staging', 'nowhere'] },
        ],
      },
      { code: 'UNKNOWN_REFERENCE', path: ['input', 'steps', '1', 'dependsOn', '1'], message: /"nowhere"/ },
    ],
    [
      'a name that is none',
      { name: 'No Name', steps: [{ environment: 'staging', dependsOn: ['dev'] }] },
      { code: 'INVALID', path: ['input', 'name'], message: /lower-case/ },
    ],
    [
      'a label that is given twice',
      {
        labels: [
          { key: 'team', value: 'a' },
          { key: 'team', value: 'b' },
        ],
        steps: [{ environment: 'staging', dependsOn: ['dev'] }],
      },
      { code: 'DUPLICATE', path: ['input', 'labels', '1', 'key'], message: /twice/ },
    ],
    [
      'a label that is none, by its place and not by its key',
      {
        labels: [
          { key: 'team', value: 'a' },
          { key: 'tier', value: 'not a value!' },
        ],
        steps: [{ environment: 'staging', dependsOn: ['dev'] }],
      },
      { code: 'INVALID', path: ['input', 'labels', '1'], message: /not a value!/ },
    ],
    [
      'a text that cannot be stored',
      { description: 'a\0b', steps: [{ environment: 'staging', dependsOn: ['dev'] }] },
      { code: 'INVALID', path: ['input', 'description'], message: /NUL/ },
    ],
    [
      'a selector in a selector',
      {
        productSelector: { matchLabels: [{ key: 'tier', value: 'x y' }] },
        steps: [{ environment: 'staging', dependsOn: ['dev'] }],
      },
      { code: 'INVALID', path: ['input', 'productSelector', 'matchLabels', '0'], message: /x y/ },
    ],
  ])('%s', async (_, spec, { code, path, message }) => {
    const input = { name: 'refused', triggerEnvironment: 'dev', ...spec };
    const { promotionFlowSave } = await api.ask(flowSave, { input });
    expect(promotionFlowSave.promotionFlow).toBeNull();
    expect(promotionFlowSave.userErrors[0]).toMatchObject({ code, path, message: expect.stringMatching(message) });
    expect((await api.ask('{ promotionFlow(name: "refused") { name } }')).promotionFlow).toBeNull();
  });

  test('two dependencies in a circle are told with the whole circle', async () => {
    const input = {
      name: 'refused',
      triggerEnvironment: 'dev',
      steps: [
        { environment: 'staging', dependsOn: ['eu'] },
        { environment: 'eu', dependsOn: ['staging'] },
      ],
    };
    const { userErrors } = (await api.ask(flowSave, { input })).promotionFlowSave;
    expect(userErrors).toContainEqual(expect.objectContaining({ code: 'CYCLE' }));
  });

  test('of the chosen driver: its field and the field in it', async () => {
    const { applicationCreate } = await api.ask(
      `mutation ($input: ApplicationCreateInput!) { applicationCreate(input: $input) { application { name } ${ERRORS} } }`,
      {
        input: {
          name: 'refused',
          product: 'billing',
          environment: 'dev',
          driver: { git: { repoURL: 'not an address', branch: 'main', path: '/etc/../..' } },
          health: { report: false },
        },
      },
    );
    expect(applicationCreate.userErrors[0].path).toEqual(['input', 'health']);
    const again = await api.ask(
      `mutation ($input: ApplicationCreateInput!) { applicationCreate(input: $input) { application { name } ${ERRORS} } }`,
      {
        input: {
          name: 'refused',
          product: 'nothing',
          environment: 'dev',
          driver: { git: { repoURL: 'https://git.example.com/x.git', branch: 'main', path: '../..' } },
        },
      },
    );
    const paths = again.applicationCreate.userErrors.map((each: { path: string[] }) => each.path.join('.'));
    expect(paths).toContain('input.driver.git.path');
  });

  test('manifests: line, column and place in the document', async () => {
    const text = [
      'apiVersion: sluice.dev/v1',
      'kind: Environment',
      'metadata: { name: fine }',
      'spec: { kind: PRODUCTION }',
      '---',
      'apiVersion: sluice.dev/v1',
      'kind: Environment',
      'metadata: { name: wrong }',
      'spec: { kind: PRODUCTIVE }',
    ].join('\n');
    const { manifestsApply } = await api.ask(
      `mutation ($input: ManifestsApplyInput!) { manifestsApply(input: $input) {
        changes { name } userErrors { code path message ... on ManifestError { file document line column manifestPath } } } }`,
      { input: { text, fileName: 'all.yaml' } },
    );
    expect(manifestsApply.changes).toEqual([]);
    expect(manifestsApply.userErrors).toEqual([
      expect.objectContaining({ file: 'all.yaml', document: 2, line: 9, column: 15, manifestPath: ['spec', 'kind'] }),
    ]);
    expect((await api.ask('{ environment(name: "fine") { name } }')).environment).toBeNull();
  });
});

describe('a fault of the client is a top-level error with a code', () => {
  test.each([
    ['too many at once', '{ products(first: 101) { nodes { name } } }', /from 1 to 100/],
    ['none at all', '{ releases(first: 0) { nodes { id } } }', /from 1 to 100/],
    ['something else as a cursor', '{ releases(after: "abc") { nodes { id } } }', /not a cursor/],
    ['a cursor of another kind', '{ deployments(after: "azphYmM") { nodes { at } } }', /not a cursor/],
    ['a NUL in a name', '{ product(name: "a\\u0000b") { name } }', /NUL/],
    ['a NUL in a filter', '{ releases(filter: { product: "a\\u0000b" }) { nodes { id } } }', /NUL/],
  ])('%s', async (_, query, message) => {
    const [error] = await api.errorsOf(query);
    expect(error?.message).toMatch(message);
    expect(error?.extensions?.['code']).toBe('BAD_USER_INPUT');
  });

  test('a duration that is none', async () => {
    const [error] = await api.errorsOf(
      'mutation { promotionFlowUpdate(input: { name: "to-production", timeout: "soon" }) { userErrors { code } } }',
    );
    expect(error?.message).toMatch(/duration such as/);
  });

  test('ids of nothing are nothing, however odd they are', async () => {
    for (const id of [
      '',
      'x',
      'Release:1',
      '\u0001',
      'a'.repeat(5_000),
      Buffer.from('Product:a/../b@-1').toString('base64url'),
      // A bare id, whose bytes begin as those of a global id do: "wW:".
      'd1c62d6d-2d5d-4a0b-acbf-6a3cb07c9ea2',
    ]) {
      expect(await api.ask('query ($id: ID!) { node(id: $id) { id } release(id: $id) { id } }', { id })).toEqual({
        node: null,
        release: null,
      });
    }
  });
});

describe('a cursor that is none of its list', () => {
  const GIVEN: Record<string, string> = {
    product: '"billing"',
    environment: '"eu"',
    releaseId: '"latest"',
    kind: 'Product',
    name: '"billing"',
  };
  const KEYS = ['a\0b', 'a/\0/b', '-1', '1.5', '1e400', '9'.repeat(40), '-99999999999', '../..', 'NaN', '1/2/3'];
  const lists = Object.values(buildApiSchema().getQueryType()!.getFields()).filter(
    ({ args, type }) => args.some(({ name }) => name === 'before') && isObjectType(getNamedType(type)),
  );

  test('of every list that has pages', () => {
    expect(lists.length).toBeGreaterThan(25);
  });

  test.each(lists.map((each) => [each.name, each] as const))('%s', async (name, { args }) => {
    const needed = args.filter(isRequiredArgument).map((each) => `${each.name}: ${GIVEN[each.name]}`);
    for (const key of KEYS) {
      const cursor = Buffer.from(`k:${key}`).toString('base64url');
      for (const [argument, paging] of [
        ['after', `first: 2, after: "${cursor}"`],
        ['before', `last: 2, before: "${cursor}"`],
      ] as const) {
        const query = `{ ${name}(${[...needed, paging].join(', ')}) { pageInfo { endCursor } } }`;
        const errors = await api.errorsOf(query);
        // Any text has a place in a list by name; none has one with a NUL in it.
        if (key.includes('\0')) expect(errors, query).toHaveLength(1);
        for (const each of errors) expect(each).toMatchObject({ extensions: { code: 'BAD_USER_INPUT', argument } });
      }
    }
  });
});

describe('a version that people could not read', () => {
  const trigger = `mutation ($input: ReleaseTriggerInput!) { releaseTrigger(input: $input) { release { id } ${ERRORS} } }`;
  test.each([
    ['without end', 'x'.repeat(900_000), /has 900000 characters; at most 200 are taken/],
    ['with nothing in it', '  ', /is empty/],
    ['of two lines', '1.0\n2.0', /has U\+000A in place 4/],
    ['that steers a terminal', '\u001b[2J', /U\+001B/],
    ['in another direction', '1.0\u202e', /U\+202E/],
    ['with half a character', '1\ud800', /half a character/],
  ])('%s is refused by its place', async (_name, version, message) => {
    const input = { product: 'billing', version };
    const { releaseTrigger } = await api.ask(trigger, { input });
    expect(releaseTrigger).toMatchObject({
      release: null,
      userErrors: [{ code: 'INVALID', path: ['input', 'version'], message: expect.stringMatching(message) }],
    });
    const floor = await api.ask(trigger, { input: { product: 'billing', version: '1', rollbackFloor: version } });
    expect(floor.releaseTrigger.userErrors).toMatchObject([{ path: ['input', 'rollbackFloor'] }]);
  });

  test('up to 200 characters of any language is taken', async () => {
    const version = `v1.0-ünïcødé-版本-👩‍🚀-${'x'.repeat(100)}`;
    const { releaseTrigger } = await api.ask(trigger, { input: { product: 'billing', version } });
    expect(releaseTrigger).toMatchObject({ userErrors: [] });
  });
});
