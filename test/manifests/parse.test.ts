import { describe, expect, test } from 'vitest';
import { checkFlow } from '../../src/core/flow.ts';
import { exportManifest, formatManifestError, parseManifests, type ParsedManifest } from '../../src/manifests/index.ts';
import { fc } from '../core/property.ts';

const errorsOf = (text: string) => parseManifests(text, { fileName: 'x.yaml' }).errors.map(formatManifestError);
const head = (kind: string, apiVersion = 'sluice.dev/v1') =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: billing\n`;
const flow = (spec: string) => `${head('PromotionFlow')}spec:\n${spec}`;
const published = (spec: string) => `${head('PromotionFlow', 'codefresh.io/v1beta1')}spec:\n${spec}`;

describe('a mistake is shown with line and column', () => {
  test.each<[string, string, RegExp]>([
    [
      'a misspelt field',
      flow('  triggerEnvironment: dev\n  steps:\n    - enviroment: qa\n'),
      /^x.yaml:8:7: spec\.steps\[0\]\.enviroment: unknown field "enviroment"; did you mean environment\?$/,
    ],
    [
      'a field of nowhere',
      flow('  triggerEnvironment: dev\n  steps: []\n  zzz: 1\n'),
      /^x.yaml:8:3: .*known fields: description/,
    ],
    [
      'a wrong type',
      flow('  triggerEnvironment: dev\n  steps: all\n'),
      /^x.yaml:7:10: spec\.steps: must be a list, but is the text "all"$/,
    ],
    ['a list for a map', flow('  - dev\n'), /^x.yaml:5:1: spec: must be a map, but is a list$/],
    [
      'a number for a text',
      flow('  triggerEnvironment: dev\n  version: 1.0\n  steps: []\n'),
      /^x.yaml:7:12: spec\.version: .*put it in quotes/,
    ],
    ['a missing field', flow('  steps: []\n'), /^x.yaml:5:1: spec: the field triggerEnvironment is missing$/],
    [
      'a missing name',
      'apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: {}\nspec: {kind: PRODUCTION}\n',
      /^x.yaml:3:1: metadata: the field name is missing$/,
    ],
    ['no spec', head('Environment'), /^x.yaml:1:1: spec: the field spec is missing$/],
    ['no kind', 'apiVersion: sluice.dev/v1\n', /^x.yaml:1:1: the field kind is missing/],
    ['no apiVersion', 'kind: Environment\n', /apiVersion is missing; use sluice\.dev\/v1$/],
    [
      'an unknown kind',
      head('PromotonFlow'),
      /^x.yaml:2:7: kind: unknown kind "PromotonFlow"; did you mean PromotionFlow\?$/,
    ],
    [
      'a kind that is to come',
      head('RollbackPolicy'),
      /kind RollbackPolicy is not available yet: it comes in a later version/,
    ],
    [
      'an unknown version',
      head('Environment', 'sluice.dev/v2'),
      /^x.yaml:1:13: apiVersion: unknown apiVersion "sluice\.dev\/v2"/,
    ],
    [
      'a kind that the other form lacks',
      head('Environment', 'codefresh.io/v1beta1'),
      /has no kind Environment; use sluice\.dev\/v1/,
    ],
    [
      'a wrong choice',
      `${head('Environment')}spec:\n  kind: PRODUCTON\n`,
      /^x.yaml:6:9: spec\.kind: must be NON_PRODUCTION or PRODUCTION, but is the text "PRODUCTON"; did you mean PRODUCTION\?$/,
    ],
    [
      'a wrong duration',
      flow('  triggerEnvironment: dev\n  steps: []\n  timeout: 5 apples\n'),
      /^x.yaml:8:12: spec\.timeout: must be a duration such as 90s/,
    ],
    [
      'a bare number',
      flow('  triggerEnvironment: dev\n  steps: []\n  timeout: 30\n'),
      /^x.yaml:8:12: spec\.timeout: must be a duration .*, but is the number 30: add a unit, for example 30s, 30m or 30h$/,
    ],
    ['half a millisecond', flow('  triggerEnvironment: dev\n  steps: []\n  timeout: 0.5\n'), /must be a duration/],
    [
      'a field outside',
      `${head('Environment')}spec: {kind: PRODUCTION}\nstatus: {}\n`,
      /^x.yaml:6:1: status: unknown field "status"/,
    ],
    [
      'a key twice',
      `${head('Environment')}spec:\n  kind: PRODUCTION\n  kind: PRODUCTION\n`,
      /^x.yaml:7:3: the key "kind" stands here and in line 6/,
    ],
    [
      'a tab',
      `${head('Environment')}spec:\n\tkind: PRODUCTION\n`,
      /^x.yaml:6:1: Tabs are not allowed as indentation; use spaces$/,
    ],
    ['no YAML', 'kind: "x\n', /^x.yaml:2:1: Missing closing "quote$/],
    ['a list', '- a\n', /a manifest is a map .* but this is a list/],
    ['a text', 'hello', /but this is the text "hello"/],
    ['an unknown tag', `${head('Environment')}spec: !evil {kind: PRODUCTION}\n`, /Unresolved tag: !evil/],
    [
      'an unknown driver',
      `${head('Application')}spec: {product: p, environment: e, driver: {type: gti}}\n`,
      /^x.yaml:5:51: spec\.driver\.type: must be git or simulate.*did you mean git/,
    ],
    [
      'a driver by its name alone',
      `${head('Application')}spec: {product: p, environment: e, driver: git}\n`,
      /must be a map, but is the text "git"; write \{ type: git \}/,
    ],
    [
      'a driver without type',
      `${head('Application')}spec: {product: p, environment: e, driver: {}}\n`,
      /field type is missing; it is git or simulate/,
    ],
    [
      'no number',
      `${head('PromotionWorkflow')}spec: {actions: [{name: a, type: http, parameters: {x: .nan}}]}\n`,
      /a number that JSON knows/,
    ],
    [
      'a prototype',
      `${head('Environment').trimEnd()}\n  labels: {__proto__: x}\nspec: {kind: PRODUCTION}\n`,
      /__proto__ cannot be used as a key/,
    ],
    [
      'our field in a published manifest',
      published('  triggerEnvironment: dev\n  steps:\n    - {environment: qa, dependsOn: [dev], soak: 5m}\n'),
      /^x.yaml:8:43: .*soak: unknown field "soak"; it is a field of sluice\.dev\/v1: change apiVersion/,
    ],
    [
      'a mistake in legacy properties',
      published('  properties:\n    triggerEnvironment: 5\n'),
      /^x.yaml:7:25: spec\.properties\.triggerEnvironment: must be a text/,
    ],
    [
      'the same field twice, old and new',
      published('  triggerEnvironment: dev\n  properties:\n    triggerEnvironment: dev\n'),
      /^x.yaml:6:3: .*stands in spec and in spec\.properties/,
    ],
  ])('%s', (_, text, message) => {
    const errors = errorsOf(text);
    expect(errors).toEqual([expect.stringMatching(message)]);
  });
});

describe('several documents', () => {
  const environment = (name: string) =>
    `apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: {name: ${name}}\nspec: {kind: PRODUCTION}\n`;

  test('what is right is read although something else is wrong', () => {
    const { definitions, errors } = parseManifests(
      `---\n# only a comment\n---\n${environment('eu')}---\nkind: x\n---\n${environment('asia')}`,
    );
    expect(definitions.map((each) => [each.definition.metadata.name, each.document, each.position.line])).toEqual([
      ['eu', 2, 4],
      ['asia', 4, 11],
    ]);
    expect(errors).toEqual([expect.objectContaining({ document: 3, line: 9, column: 7, path: ['kind'] })]);
  });

  test('the same definition twice is refused at the second', () => {
    const [error] = errorsOf(`${environment('eu')}---\n${environment('eu')}`);
    expect(error).toBe(
      'x.yaml:8:18: metadata.name: Environment "eu" is in this input twice, first in line 3; remove one',
    );
  });

  test('windows line ends and a byte order mark are no mistake', () => {
    expect(errorsOf(`\ufeff${environment('eu')}---\n${environment('asia')}`.replaceAll('\n', '\r\n'))).toEqual([]);
  });

  test('nothing is nothing', () => {
    expect(parseManifests('')).toEqual({ definitions: [], errors: [] });
    expect(parseManifests('---\n---\n# x\n')).toEqual({ definitions: [], errors: [] });
  });

  test('an anchor may be used, and what it stands for is found', () => {
    const { definitions, errors } = parseManifests(
      flow(
        '  triggerEnvironment: dev\n  steps:\n    - {environment: qa, dependsOn: &d [dev]}\n    - {environment: eu, dependsOn: *d}\n',
      ),
    );
    expect(errors).toEqual([]);
    expect(definitions[0]!.definition.spec).toMatchObject({ steps: [{ dependsOn: ['dev'] }, { dependsOn: ['dev'] }] });
    expect(definitions[0]!.positionOf(['spec', 'steps', 1, 'dependsOn', 0])).toEqual({ line: 8, column: 40 });
  });
});

describe('a published manifest', () => {
  const text = `apiVersion: codefresh.io/v1beta1
kind: PromotionFlow
metadata:
  name: sequential
  namespace: promotions
  annotations:
    description: To production
    version: "1.00"
    owner: us
spec:
  properties:
    triggerEnvironment: dev
    postTrigger: announce
    steps:
      - environment: prod
        dependsOn: [qa, staging]
  promotionTimeoutLimit: 0
`;

  test('is read into our words', () => {
    const { definitions, errors } = parseManifests(text);
    expect(errors).toEqual([]);
    expect(definitions[0]!.definition).toEqual({
      kind: 'PromotionFlow',
      metadata: {
        name: 'sequential',
        labels: {},
        annotations: {
          owner: 'us',
          'sluice.dev/api-version': 'codefresh.io/v1beta1',
          'sluice.dev/namespace': 'promotions',
        },
      },
      spec: {
        description: 'To production',
        version: '1.00',
        triggerEnvironment: 'dev',
        triggerWorkflow: 'announce',
        steps: [{ environment: 'prod', dependsOn: ['qa', 'staging'] }],
        timeout: 0,
        onFailure: 'FINISH_RUNNING',
      },
    });
    expect(exportManifest(definitions[0]!.definition)).toContain('namespace: promotions');
  });

  test('a refusal of the flow is found in the lines that were written', () => {
    const { definition, positionOf } = parseManifests(text).definitions[0]!;
    if (definition.kind !== 'PromotionFlow') throw new Error('not a flow');
    const names = new Set(['dev', 'prod']);
    const { refusals } = checkFlow(definition.spec, { environments: names, groups: new Map(), workflows: new Set() });
    expect(refusals.map(({ code, path }) => [code, positionOf(path).line, positionOf(path).column])).toEqual([
      ['UNKNOWN_REFERENCE', 13, 18],
      ['INVALID', 17, 26],
      ['UNKNOWN_REFERENCE', 16, 21],
      ['UNKNOWN_REFERENCE', 16, 25],
    ]);
    expect(positionOf(['spec', 'description'])).toEqual({ line: 7, column: 18 });
    expect(positionOf(['spec', 'nowhere', 3])).toEqual({ line: 10, column: 1 });
  });

  test('a product ends older releases when it says terminate', () => {
    const product = `${head('Product', 'codefresh.io/v1beta2')}spec: {concurrency: terminate, promotionFlows: [{name: f}]}\n`;
    const { definition } = parseManifests(product).definitions[0]!;
    expect(definition.spec).toEqual({ concurrency: 'TERMINATE', queueLimit: 50, promotionFlows: [{ name: 'f' }] });
    expect(exportManifest(definition)).toContain('concurrency: terminate');
  });
});

describe('a published policy', () => {
  const policy = (spec: string) => `${head('PromotionPolicy', 'codefresh.io/v1beta1')}spec:\n${spec}`;
  const whole = policy(`  priority: -200
  selector:
    product:
      names:
        - trio-dev
    targetEnvironment:
      names:
        - staging
      types:
        - NON_PROD
  policy:
    preAction: smoke-tests
    action: commit
    postAction: slack-notification
`);

  test('is read into our words, and given back as it was', () => {
    const { definitions, errors } = parseManifests(whole);
    expect(errors).toEqual([]);
    expect(definitions[0]!.definition.spec).toEqual({
      priority: -200,
      selector: {
        product: { names: ['trio-dev'] },
        targetEnvironment: { names: ['staging'], kinds: ['NON_PRODUCTION'] },
      },
      policy: { preAction: 'smoke-tests', action: 'commit', postAction: 'slack-notification' },
      locked: [],
    });
    expect(exportManifest(definitions[0]!.definition)).toContain(whole.slice(whole.indexOf('spec:')));
    expect(definitions[0]!.positionOf(['spec', 'selector', 'targetEnvironment', 'kinds', 0])).toEqual({
      line: 15,
      column: 11,
    });
  });

  test('an empty selector, an empty list and no selector are for everything', () => {
    for (const selector of [
      '',
      '  selector:\n',
      '  selector: {product: {}, targetEnvironment: {names: [], types: [], tags: []}}\n',
    ]) {
      const { definitions, errors } = parseManifests(policy(`  priority: 1\n${selector}  policy: {action: pr}\n`));
      expect(errors).toEqual([]);
      expect(definitions[0]!.definition.spec).toMatchObject({ selector: { product: {}, targetEnvironment: {} } });
    }
  });

  test('tags are kept as keys of labels, with a warning, and given back as they were', () => {
    const tagged = policy(
      '  priority: 1\n  selector:\n    product:\n      tags:\n        - payments\n    targetEnvironment:\n      tags:\n        - eu\n  policy:\n    action: pr\n',
    );
    const { definitions, errors } = parseManifests(tagged);
    expect(errors).toEqual([]);
    const [{ definition, warnings, positionOf }] = definitions as [ParsedManifest];
    expect(definition.spec).toMatchObject({
      selector: { product: {}, targetEnvironment: {}, productTags: ['payments'], targetEnvironmentTags: ['eu'] },
    });
    expect(warnings).toEqual([
      expect.stringMatching(/^PromotionPolicy "billing": its tags are compared with the keys/),
    ]);
    expect(exportManifest(definition)).toContain(tagged.slice(tagged.indexOf('spec:')));
    expect(positionOf(['spec', 'selector', 'targetEnvironmentTags', 0]).line).toBe(13);
    expect(positionOf(['spec', 'selector', 'productTags', 0]).line).toBe(10);
  });

  test('a lock is written in our own form, and theirs comes back without it', () => {
    const { definition } = parseManifests(whole).definitions[0]!;
    if (definition.kind !== 'PromotionPolicy') throw new Error('not a policy');
    const locked = exportManifest({ ...definition, spec: { ...definition.spec, locked: ['action'] } });
    expect(locked).toContain('apiVersion: sluice.dev/v1');
    expect(locked).toContain('kinds:\n        - NON_PRODUCTION');
    expect(parseManifests(locked).errors).toEqual([]);
  });

  test.each([
    ['no priority', '  policy: {action: pr}\n', /spec: the field priority is missing$/],
    ['our field', '  priority: 1\n  policy: {}\n  locked: [action]\n', /"locked"; it is a field of sluice\.dev\/v1/],
    [
      'kinds',
      '  priority: 1\n  selector: {targetEnvironment: {kinds: [PRODUCTION]}}\n  policy: {}\n',
      /here it is types/,
    ],
    ['another action', '  priority: 1\n  policy: {action: merge}\n', /action: must be commit, pr or none/],
  ])('refused: %s', (_, spec, message) => {
    expect(errorsOf(policy(spec))).toEqual([expect.stringMatching(message)]);
  });
});

describe('hostile input is refused quickly', () => {
  const million = 1024 * 1024;
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...Array.from('bcdefghi').map((key, i) => `${key}: &${key} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
  ].join('\n');
  test.each<[string, string, RegExp]>([
    ['too large', 'x'.repeat(million + 1), /1 MiB/],
    ['too many lines', '#\n'.repeat(60_000), /:50001:1: there are more than 50000 lines/],
    ['too many documents', '---\n'.repeat(2000), /more than 1000 documents/],
    ['aliases that multiply', bomb, /aliases expand/],
    ['deep brackets', '['.repeat(million), /:1:1: nested deeper than 64/],
    ['deep dashes', '- '.repeat(million / 2), /nested deeper than 64/],
    [
      'deep indentation',
      Array.from({ length: 900 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /nested deeper than 64/,
    ],
    [
      'very wide indentation',
      Array.from({ length: 1300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /thousand spaces/,
    ],
    ['many keys', Array.from({ length: 24_000 }, (_, i) => `key-${i}: 1`).join('\n'), /kind is missing/],
    [
      'many unknown fields',
      `${head('Environment')}spec:\n${Array.from({ length: 24_000 }, (_, i) => `  key-${i}: 1`).join('\n')}`,
      /unknown field "key-0"/,
    ],
    [
      'more nodes than are read',
      Array.from({ length: 45_000 }, (_, i) => `key-${i}: 1`).join('\n'),
      /more than 50000 keys/,
    ],
    ['lists in lists', '- - - - - - -\n'.repeat(49_000), /more than 50000 keys/],
    [
      '75,000 labels',
      `metadata: {labels: {${Array.from({ length: 75_000 }, (_, i) => `l${i}: x`).join(', ')}}}`,
      /more than 50000 keys/,
    ],
    ['40,000 anchors', Array.from({ length: 40_000 }, (_, i) => `- &a${i} x`).join('\n'), /more than 50000 keys/],
    ['40,000 directives', `${'%TAG !a! tag:x,2000:\n'.repeat(40_000)}---\nkind: x\n`, /lines that begin with %/],
    ['commas without end', `[${','.repeat(900_000)}]`, /more than 50000 keys/],
    ['many mistakes', 'a: b: c\n'.repeat(40_000), /x.yaml/],
    ['an alias of itself', 'a: &a [*a]\nkind: x\n', /x.yaml/],
    ['a NUL', 'kind: \u0000\n', /x.yaml/],
  ])('%s', (_, text, message) => {
    // Time of this process, not of the clock: other tests run beside it.
    const begin = process.cpuUsage();
    const errors = errorsOf(text);
    expect(process.cpuUsage(begin).user / 1000).toBeLessThan(8000);
    expect(errors[0]).toMatch(message);
    expect(errors.length).toBeLessThanOrEqual(100);
  });

  test('no text makes it throw, and what is read from a damaged manifest can be exported', { timeout: 120_000 }, () => {
    const good = flow(
      '  triggerEnvironment: dev\n  steps:\n    - environment: qa\n      dependsOn: [dev]\n      soak: 5m\n',
    );
    let wrong = 0;
    fc.assert(
      fc.property(fc.nat(good.length), fc.nat(8), fc.string({ unit: 'binary', maxLength: 4 }), (at, cut, insert) => {
        const { definitions, errors } = parseManifests(good.slice(0, at) + insert + good.slice(at + cut));
        if (errors.length > 0) wrong++;
        for (const { line, column } of errors) expect(Math.min(line, column)).toBeGreaterThan(0);
        for (const { definition } of definitions) expect(parseManifests(exportManifest(definition)).errors).toEqual([]);
      }),
      { numRuns: 500 },
    );
    expect(wrong).toBeGreaterThan(100);
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseManifests(text)));
  });
});

test('a repository without a branch is read on main', () => {
  const spec =
    'spec: { product: billing, environment: dev, driver: { type: git, repoURL: https://git.example.com/a.git, path: . }, health: { type: none } }\n';
  const { definitions, errors } = parseManifests(`${head('Application')}${spec}`);
  expect(errors).toEqual([]);
  expect(definitions[0]!.definition.spec).toMatchObject({ driver: { type: 'git', branch: 'main', path: '.' } });
});
