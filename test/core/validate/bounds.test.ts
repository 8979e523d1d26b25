import { describe, expect, test } from 'vitest';
import type { AnyDefinition, Kind, Selector, Specs } from '../../../src/core/definitions.ts';
import { checkDefinition } from '../../../src/core/validate.ts';

/** Each bound: what is just within it, and what is just beyond it. Each reason to refuse, alone. */
const define = <K extends Kind>(kind: K, spec: Partial<Specs[K]>, metadata = {}): AnyDefinition =>
  ({ kind, metadata: { name: 'billing', labels: {}, annotations: {}, ...metadata }, spec }) as AnyDefinition;
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

const environment = (metadata: object, description?: string) =>
  define('Environment', { kind: 'PRODUCTION', description }, metadata);
const labelled = (key: string, value = 'x') => environment({ labels: { [key]: value } });
const group = (spec: Partial<Specs['EnvironmentGroup']>) =>
  define('EnvironmentGroup', { environments: {}, gate: { policy: 'ALL' }, ...spec });
const selecting = (environments: Selector) => group({ environments });
const expression = (operator: 'In' | 'NotIn' | 'Exists', ...values: string[]) =>
  selecting({ matchExpressions: [{ key: 'tier', operator, values }] });
const application = (spec: Partial<Specs['Application']>) =>
  define('Application', {
    product: 'billing',
    environment: 'dev',
    driver: { type: 'simulate' },
    health: { type: 'none' },
    ...spec,
  });
const git = (driver: object) =>
  application({ driver: { type: 'git', repoURL: 'https://git.example/x', branch: 'main', path: 'dev', ...driver } });
const health = (more: object) => application({ health: { type: 'http', url: 'http://a.example', ...more } });
const sync = (more: object) => application({ sync: { type: 'http', url: 'http://a.example', ...more } });
const header = (name: string, value = 'x') => health({ headers: { [name]: value } });
const headers = (count: number) =>
  health({ headers: Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'x'])) });
const simulated = (sequence: string[]) => application({ health: { type: 'simulate', sequence } as never });
const product = (spec: Partial<Specs['Product']>) =>
  define('Product', { promotionFlows: [], concurrency: 'QUEUE', queueLimit: 50, ...spec });
const template = (spec: Partial<Specs['PromotionTemplate']>) => define('PromotionTemplate', spec);
const files = (file: string, how = {}) => template({ promotion: { [file]: how } });
const workflow = (type: string, parameters: object, more = {}) =>
  define('PromotionWorkflow', { actions: [{ name: 'a', type, parameters, ...more }] as never });
const outputs = (jsonPath: unknown) => workflow('http', { url: 'http://a.example', outputs: { a: jsonPath } });
const nested = (levels: number) => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i += 1) value = [value];
  return workflow('http', { url: 'http://x', body: value });
};
const flow = (...steps: object[]) =>
  define('PromotionFlow', { triggerEnvironment: 'dev', onFailure: 'STOP', steps: steps as never });
const actions = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ name: `a${i}`, type: 'simulate' as const, parameters: {} }));
const AT_A_YAML = 'spec.promotion.a.yaml.jsonPaths';
const YEAR = 366 * 86_400_000;

describe('what is just within a bound is taken', () => {
  test.each<[string, AnyDefinition]>([
    ['a name of 63 letters', environment({ name: 'a'.repeat(63) })],
    ['annotations of 256 KiB', environment({ annotations: { note: 'x'.repeat(262_140) } })],
    ['a label key of 63 letters', labelled('k'.repeat(63))],
    ['a label prefix of 253 letters', labelled(`${'p'.repeat(253)}/k`)],
    ['a label value of 63 letters', labelled('k', 'v'.repeat(63))],
    ['1,000 labels', environment({ labels: Object.fromEntries(times(1_000, '').map((_, i) => [`l${i}`, ''])) })],
    ['a description of 10,000 characters', environment({}, 'x'.repeat(10_000))],
    ['a description of two lines', environment({}, 'one\n\ttwo')],
    ['a pattern of 63 characters', selecting({ names: ['us-*', `${'a'.repeat(62)}*`] })],
    ['1,000 patterns', selecting({ names: times(1_000, 'eu') })],
    ['In with a value', expression('In', 'gold')],
    ['NotIn with a value', expression('NotIn', 'gold')],
    ['Exists without one', expression('Exists')],
    ['1,000 at once', group({ maxParallel: 1_000, maxFailures: 0 })],
    ['one at once', group({ maxParallel: 1, maxFailures: 1_000 })],
    ['a freshness of 10 s', group({ gate: { policy: 'ALL', freshness: 10_000 } })],
    ['a soak of 366 days', group({ gate: { policy: 'ALL', soak: YEAR } })],
    ['a queue of one', product({ queueLimit: 1 })],
    ['a queue of 10,000', product({ queueLimit: 10_000 })],
    ['a runtime of 253 characters', application({ runtime: 'x'.repeat(253) })],
    ['a sequence of one', simulated(['HEALTHY'])],
    ['an address of 2,000 characters', health({ url: `http://a.example/${'x'.repeat(1_983)}` })],
    ['50 headers', headers(50)],
    ['a sync source that reads a JSON answer', sync({ jsonPath: '$.commit', limit: 1 })],
    ['a simulated sync at once', application({ sync: { type: 'simulate', after: 0, never: ['1.5.0'] } })],
    ['nobody is asked', application({ sync: { type: 'none' } })],
    ['a header of 4,000 characters', header('x', 'é'.repeat(4_000))],
    ['a name of a header of 100 characters', header('x'.repeat(100))],
    ['a repository of 2,000 characters', git({ repoURL: `/${'x'.repeat(1_999)}` })],
    ['a branch of 244 characters', git({ branch: 'x'.repeat(244) })],
    ['a branch of parts', git({ branch: 'release/1.2' })],
    ['a path of 1,000 characters', git({ path: 'x'.repeat(1_000) })],
    ['what is missing is added', template({ onMissing: 'ADD', whenAbsent: 'WARN', whenGone: 'DELETE' })],
    ['a pattern of 20 parts', files(`${'*/'.repeat(19)}a`)],
    ['a whole folder, but for a part of it', files('**', { except: ['a/', '**/*.key'] })],
    ['a whole file as published templates say it', files('run.sh', { jsonPaths: ['*'] })],
    ['a version that is a text', template({ versionSource: { file: 'VERSION' } })],
    ['a simulated action of one minute', workflow('simulate', { duration: '1m' }, { timeout: 1 })],
    ['a retry at once', workflow('simulate', {}, { retry: { limit: 100, backoff: 0, maxDelay: 0 } })],
    ['a JSON path', outputs('$.a')],
    ['a JSON path that comes later', outputs('${PATH}')],
    ['parameters of 50 levels', nested(49)],
    ['parameters of 64 KiB', workflow('http', { url: 'http://x', body: 'x'.repeat(65_511) })],
    ['100 actions', define('PromotionWorkflow', { actions: actions(100) })],
    ['20,000 dependencies', flow(...times(1_000, { dependsOn: times(20, 'x') }))],
    ['no dependencies', flow({}, {})],
  ])('%s', (_, definition) => expect(checkDefinition(definition)).toEqual([]));
});

describe('what is just beyond it is refused, once', () => {
  test.each<[string, AnyDefinition, string, string]>([
    ['annotations', environment({ annotations: { note: 'x'.repeat(262_141) } }), 'metadata.annotations', '262145'],
    ['a label key', labelled('k'.repeat(64)), `metadata.labels.${'k'.repeat(64)}`, 'at most 63'],
    ['a label prefix', labelled(`${'p'.repeat(254)}/k`), `metadata.labels.${'p'.repeat(254)}/k`, 'at most 63'],
    ['a label value', labelled('k', 'v'.repeat(64)), 'metadata.labels.k', 'at most 63'],
    [
      'labels',
      environment({ labels: Object.fromEntries(times(1_001, '').map((_, i) => [`-${i}`, ''])) }),
      'metadata.labels',
      'there are 1001 labels',
    ],
    ['a description', environment({}, 'x'.repeat(10_001)), 'spec.description', 'at most 10000 fit'],
    ['a description that steers', environment({}, 'a\u001bb'), 'spec.description', 'U+001B'],
    ['a pattern', selecting({ names: ['a'.repeat(64)] }), 'spec.environments.names.0', 'must be a name'],
    ['patterns', selecting({ names: times(1_001, 'EU') }), 'spec.environments.names', 'there are 1001 names'],
    ['NotIn without a value', expression('NotIn'), 'spec.environments.matchExpressions.0.values', 'at least one'],
    ['Exists with one', expression('Exists', 'a'), 'spec.environments.matchExpressions.0.values', 'has no values'],
    ['at once', group({ maxParallel: 1_001 }), 'spec.maxParallel', 'from 1 to 1000'],
    ['failures', group({ maxFailures: -1 }), 'spec.maxFailures', 'from 0 to 1000'],
    ['no freshness', group({ gate: { policy: 'ALL', freshness: 0 } }), 'spec.gate.freshness', 'more than 0'],
    ['a freshness below', group({ gate: { policy: 'ALL', freshness: -1 } }), 'spec.gate.freshness', 'more than 0'],
    ['a soak', group({ gate: { policy: 'ALL', soak: YEAR + 1 } }), 'spec.gate.soak', 'at most 366 days'],
    ['a queue', product({ queueLimit: 10_001 }), 'spec.queueLimit', 'from 1 to 10000'],
    ['a runtime', application({ runtime: 'x'.repeat(254) }), 'spec.runtime', 'at most 253'],
    ['an empty sequence', simulated([]), 'spec.health.sequence', 'at least one'],
    ['an address', health({ url: `http://a.example/${'x'.repeat(1_984)}` }), 'spec.health.url', 'at most 2000'],
    ['an address with a user', health({ url: 'http://me@a.example' }), 'spec.health.url', 'user name or password'],
    ['an address with a password', health({ url: 'http://:x@a.example' }), 'spec.health.url', 'user name or password'],
    ['headers', headers(51), 'spec.health.headers', 'there are 51 headers'],
    ['a header', header('x', 'x'.repeat(4_001)), 'spec.health.headers.x', 'too long'],
    ['a header of two lines', header('x', 'a\nb'), 'spec.health.headers.x', 'no header can have'],
    ['a name of a header', header('a b'), 'spec.health.headers.a b', 'not the name of a header'],
    ['an address of a sync source', sync({ url: 'file:///etc/passwd' }), 'spec.sync.url', 'http:// or https://'],
    ['a JSON path of a sync source', sync({ jsonPath: '/commit' }), 'spec.sync.jsonPath', 'commit'],
    [
      'a header of a sync source',
      sync({ headers: { 'a b': 'x' } }),
      'spec.sync.headers.a b',
      'not the name of a header',
    ],
    ['no time to sync', application({ sync: { type: 'report', limit: 0 } }), 'spec.sync.limit', 'more than 0'],
    [
      'a sync that nobody knows',
      application({ sync: { type: 'argo' } as never }),
      'spec.sync.type',
      'one of none, http',
    ],
    ['a repository', git({ repoURL: `/${'x'.repeat(2_000)}` }), 'spec.driver.repoURL', 'at most 2000'],
    ['no repository', git({ repoURL: '' }), 'spec.driver.repoURL', 'not an address'],
    ['a repository as an option', git({ repoURL: '-x' }), 'spec.driver.repoURL', 'not an address'],
    ['a branch', git({ branch: 'x'.repeat(245) }), 'spec.driver.branch', 'longer than 244'],
    ['no branch', git({ branch: '' }), 'spec.driver.branch', 'is not a name of a branch'],
    ['a branch that is where git is', git({ branch: 'HEAD' }), 'spec.driver.branch', 'is not a name of a branch'],
    ['a branch that is that in short', git({ branch: '@' }), 'spec.driver.branch', 'is not a name of a branch'],
    ['a branch as a revision', git({ branch: 'a@{1}' }), 'spec.driver.branch', 'has ".."'],
    ['a branch with two slashes', git({ branch: 'a//b' }), 'spec.driver.branch', 'has ".."'],
    ['a branch with a space', git({ branch: 'a b' }), 'spec.driver.branch', 'has a space'],
    ['a branch with an empty part', git({ branch: 'a/' }), 'spec.driver.branch', 'a part that is empty'],
    ['a branch with a hidden part', git({ branch: 'a/.b' }), 'spec.driver.branch', 'a part that is empty'],
    ['a path', git({ path: 'x'.repeat(1_001) }), 'spec.driver.path', 'longer than 1000'],
    ['no path', git({ path: '' }), 'spec.driver.path', 'is empty'],
    ['a path with a backslash', git({ path: 'a\\b' }), 'spec.driver.path', 'has a backslash'],
    ['a path with a colon', git({ path: 'a:b' }), 'spec.driver.path', 'has a backslash'],
    ['a path with an empty part', git({ path: 'a//b' }), 'spec.driver.path', 'has an empty part'],
    ['a path with a dot', git({ path: 'a/./b' }), 'spec.driver.path', 'has an empty part'],
    ['what is missing, otherwise', template({ onMissing: 'IGNORE' as never }), 'spec.onMissing', 'must be one of'],
    ['what is absent, otherwise', template({ whenAbsent: 'IGNORE' as never }), 'spec.whenAbsent', 'must be one of'],
    ['a file without a path', template({ promotion: { 'a.yaml': { jsonPaths: [] } } }), AT_A_YAML, 'at least one'],
    ['what is gone, otherwise', template({ whenGone: 'IGNORE' as never }), 'spec.whenGone', 'must be one of'],
    ['a pattern that leaves', files('../*'), 'spec.promotion.../*', 'has ".."'],
    ['a pattern of the root', files('/**'), 'spec.promotion./**', 'begins with "/"'],
    ["a pattern in git's folder", files('.git/'), 'spec.promotion..git/', 'has ".git"'],
    ['a pattern with ** in a part', files('a**/b'), 'spec.promotion.a**/b', 'stands by itself'],
    ['a pattern of 21 parts', files('*/'.repeat(20) + 'a'), `spec.promotion.${'*/'.repeat(20)}a`, 'has 21 parts'],
    ['JSON paths of any file', files('*', { jsonPaths: ['$.a'] }), 'spec.promotion.*', 'cannot be promoted in "*"'],
    [
      'a whole file and more',
      files('a.yaml', { jsonPaths: ['*', '$.a'] }),
      AT_A_YAML,
      'the other JSON paths say nothing',
    ],
    ['files left out of one', files('a', { except: ['b'] }), 'spec.promotion.a.except', 'is one file'],
    ['nothing left out', files('*', { except: [] }), 'spec.promotion.*.except', 'leave except out'],
    ['a pattern left out that leaves', files('*', { except: ['../'] }), 'spec.promotion.*.except.0', 'has ".."'],
    [
      'a version in a file that has no paths',
      template({ versionSource: { file: 'VERSION', jsonPath: '$.a' } }),
      'spec.versionSource.file',
      'without jsonPath the text of the file is the version',
    ],
    [
      'JSON paths of a file',
      template({ promotion: { 'a.yaml': { jsonPaths: times(1_001, 'x') } } }),
      AT_A_YAML,
      'there are 1001 JSON paths',
    ],
    ['a timeout', workflow('simulate', {}, { timeout: 0 }), 'spec.actions.0.timeout', 'more than 0'],
    ['a JSON path', outputs('/a'), 'spec.actions.0.parameters.outputs.a', 'begin with "$"'],
    ['parameters of 51 levels', nested(50), 'spec.actions.0.parameters', 'deeper than 50'],
    [
      'parameters',
      workflow('http', { url: 'http://x', body: 'x'.repeat(65_512) }),
      'spec.actions.0.parameters',
      '64 KiB',
    ],
    [
      'parameters whose last name ends at 64 KiB, and then comes a value',
      workflow('simulate', { outputs: { ['x'.repeat(65_523)]: 1 } }),
      'spec.actions.0.parameters',
      '64 KiB',
    ],
    ['a step that does nothing known', flow({ policy: { action: 'push' } }), 'spec.steps.0.policy.action', 'one of'],
    ['dependencies', flow({ dependsOn: times(20_001, 'x') }), 'spec.steps', '20001 dependencies'],
  ])('%s', (_, definition, path, message) => {
    const refusals = checkDefinition(definition);
    expect(refusals.map((each) => each.path.join('.'))).toEqual([path]);
    expect(refusals[0]?.message).toContain(message);
  });
});

test('an output that is no text is no JSON path', () => {
  expect(checkDefinition(outputs(7))).toEqual([]);
});
