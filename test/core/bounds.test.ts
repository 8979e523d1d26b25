import { describe, expect, test } from 'vitest';
import { DAY } from '../../src/core/definitions.ts';
import type { AnyDefinition, ApplicationSpec, HealthSourceSpec, Kind, Specs } from '../../src/core/definitions.ts';
import { checkDefinition } from '../../src/core/validate.ts';

// Each row: what just fits, and what does not by one, and where that is refused. Of flows: flow.bounds.test.ts.

const x = (length: number): string => 'x'.repeat(length);
const many = (count: number, name = 'e'): string[] => Array.from({ length: count }, (_, i) => `${name}${i}`);
const YEAR = 366 * DAY;

const define = <K extends Kind>(kind: K, spec: Partial<Specs[K]>, metadata = {}): AnyDefinition =>
  ({ kind, metadata: { name: 'billing', labels: {}, annotations: {}, ...metadata }, spec }) as unknown as AnyDefinition;
const named = (metadata: object): AnyDefinition => define('Environment', { kind: 'PRODUCTION' }, metadata);
const group = (more: Partial<Specs['EnvironmentGroup']> = {}): AnyDefinition =>
  define('EnvironmentGroup', { environments: {}, gate: { policy: 'ALL' }, maxFailures: 0, ...more });
const gate = (more: Partial<Specs['EnvironmentGroup']['gate']>): AnyDefinition =>
  group({ gate: { policy: 'ALL', ...more } });
const git = { type: 'git' as const, repoURL: 'https://git.example.com/x.git', branch: 'main', path: 'envs/dev' };
const application = (more: Partial<ApplicationSpec> = {}): AnyDefinition =>
  define('Application', { product: 'billing', environment: 'dev', driver: git, health: { type: 'none' }, ...more });
const repo = (repoURL: string): AnyDefinition => application({ driver: { ...git, repoURL } });
const branch = (name: string): AnyDefinition => application({ driver: { ...git, branch: name } });
const folder = (path: string): AnyDefinition => application({ driver: { ...git, path } });
const health = (more: Partial<HealthSourceSpec>): AnyDefinition =>
  application({ health: { type: 'http', url: 'http://x/', ...more } as HealthSourceSpec });
const action = (parameters: Record<string, unknown>, more = {}): AnyDefinition =>
  define('PromotionWorkflow', { actions: [{ name: 'a', type: 'http', parameters, ...more }] } as never);
const http = (more: Record<string, unknown>): AnyDefinition => action({ url: 'http://x/', ...more });
const expressions = (operator: 'In' | 'NotIn' | 'Exists', values?: string[]): AnyDefinition =>
  group({ environments: { matchExpressions: [{ key: 'a', operator, values }] } });
const flowWith = (steps: number, dependencies: number): AnyDefinition =>
  define('PromotionFlow', {
    triggerEnvironment: 'dev',
    onFailure: 'STOP',
    steps: Array.from({ length: steps }, (_, i) => ({ dependsOn: i === 0 ? many(dependencies - steps + 1) : ['dev'] })),
  });
const levels = (depth: number): unknown => (depth === 0 ? 1 : [levels(depth - 1)]);

describe('what just fits is accepted, what does not is refused at its place', () => {
  test.each<[string, AnyDefinition, AnyDefinition, string]>([
    ['a name', named({ name: x(63) }), named({ name: x(64) }), 'metadata.name'],
    ['a label key', named({ labels: { [x(63)]: '' } }), named({ labels: { [x(64)]: '' } }), `metadata.labels.${x(64)}`],
    [
      'a label prefix',
      named({ labels: { [`${x(253)}/a`]: '' } }),
      named({ labels: { [`${x(254)}/a`]: '' } }),
      `metadata.labels.${x(254)}/a`,
    ],
    ['a label value', named({ labels: { a: x(63) } }), named({ labels: { a: x(64) } }), 'metadata.labels.a'],
    [
      'annotations',
      named({ annotations: { a: x(262_143) } }),
      named({ annotations: { a: x(262_144) } }),
      'metadata.annotations',
    ],
    [
      'a description',
      define('Environment', { kind: 'PRODUCTION', description: x(10_000) }),
      define('Environment', { kind: 'PRODUCTION', description: x(10_001) }),
      'spec.description',
    ],
    [
      'a pattern',
      group({ environments: { names: [x(63)] } }),
      group({ environments: { names: [x(64)] } }),
      'spec.environments.names.0',
    ],
    [
      'names',
      group({ environments: { names: many(1_000) } }),
      group({ environments: { names: many(1_001) } }),
      'spec.environments.names',
    ],
    ['a soak of a group', gate({ soak: 0 }), gate({ soak: -1 }), 'spec.gate.soak'],
    ['the longest soak of a group', gate({ soak: YEAR }), gate({ soak: YEAR + 1 }), 'spec.gate.soak'],
    ['freshness', gate({ freshness: 10_000 }), gate({ freshness: 9_999 }), 'spec.gate.freshness'],
    ['the shortest wait', gate({ unknownTimeout: 1 }), gate({ unknownTimeout: 0 }), 'spec.gate.unknownTimeout'],
    ['maxParallel', group({ maxParallel: 1_000 }), group({ maxParallel: 1_001 }), 'spec.maxParallel'],
    ['maxFailures', group({ maxFailures: 0 }), group({ maxFailures: -1 }), 'spec.maxFailures'],
    ['values for In', expressions('In', ['b']), expressions('In', []), 'spec.environments.matchExpressions.0.values'],
    [
      'values for NotIn',
      expressions('NotIn', ['b']),
      expressions('NotIn'),
      'spec.environments.matchExpressions.0.values',
    ],
    [
      'no values for Exists',
      expressions('Exists', []),
      expressions('Exists', ['b']),
      'spec.environments.matchExpressions.0.values',
    ],
    ['a repository', repo(`https://x/${x(1_990)}`), repo(`https://x/${x(1_991)}`), 'spec.driver.repoURL'],
    ['some repository', repo('/a'), repo(''), 'spec.driver.repoURL'],
    ['a repository that ends in a dash', repo('https://x/a-'), repo('-https://x/a'), 'spec.driver.repoURL'],
    ['a user of a repository', repo('ssh://git@x/a'), repo('ssh://git:pw@x/a'), 'spec.driver.repoURL'],
    ['a branch', branch(x(244)), branch(x(245)), 'spec.driver.branch'],
    ['a branch like a revision', branch('HEAD1'), branch('HEAD'), 'spec.driver.branch'],
    ['a branch with @', branch('a@b'), branch('@'), 'spec.driver.branch'],
    ['a branch of parts', branch('a/b.c'), branch('a/.b'), 'spec.driver.branch'],
    ['whole parts of a branch', branch('a/b'), branch('a/'), 'spec.driver.branch'],
    ['a branch with a dot', branch('v1.2'), branch('v1.'), 'spec.driver.branch'],
    ['a branch without a slash before', branch('a/b'), branch('/b'), 'spec.driver.branch'],
    ['some branch', branch('a'), branch(''), 'spec.driver.branch'],
    ['one slash in a branch', branch('a/b'), branch('a//b'), 'spec.driver.branch'],
    ['a brace in a branch', branch('a{b'), branch('a@{b'), 'spec.driver.branch'],
    ['a folder', folder(`${x(499)}/${x(500)}`), folder(`${x(500)}/${x(500)}`), 'spec.driver.path'],
    ['slashes', folder('a/b'), folder('a\\b'), 'spec.driver.path'],
    ['no colons', folder('a.b'), folder('a:b'), 'spec.driver.path'],
    ['whole parts of a folder', folder('a/b'), folder('a//b'), 'spec.driver.path'],
    ['no dot as a part', folder('a/.b'), folder('a/./b'), 'spec.driver.path'],
    ['the folder itself', folder('.'), folder(''), 'spec.driver.path'],
    ['a url', health({ url: `http://x/${x(1_991)}` }), health({ url: `http://x/${x(1_992)}` }), 'spec.health.url'],
    ['a url without a user', health({ url: 'http://x/' }), health({ url: 'http://ada@x/' }), 'spec.health.url'],
    ['a url without a password', health({ url: 'http://x/' }), health({ url: 'http://:pw@x/' }), 'spec.health.url'],
    [
      'headers',
      health({ headers: Object.fromEntries(many(50).map((each) => [each, 'v'])) }),
      health({ headers: Object.fromEntries(many(51).map((each) => [each, 'v'])) }),
      'spec.health.headers',
    ],
    [
      'the name of a header',
      health({ headers: { 'X-Key': 'v' } }),
      health({ headers: { 'X Key': 'v' } }),
      'spec.health.headers.X Key',
    ],
    ['a header', health({ headers: { a: x(4_000) } }), health({ headers: { a: x(4_001) } }), 'spec.health.headers.a'],
    [
      'the letters of a header',
      health({ headers: { a: 'é\t' } }),
      health({ headers: { a: 'ł' } }),
      'spec.health.headers.a',
    ],
    ['grace', health({ grace: 0 }), health({ grace: -1 }), 'spec.health.grace'],
    [
      'failureThreshold',
      health({ failureThreshold: 1 }),
      health({ failureThreshold: 0 }),
      'spec.health.failureThreshold',
    ],
    [
      'a sequence of health',
      application({ health: { type: 'simulate', sequence: ['HEALTHY', 'DEGRADED'] } }),
      application({ health: { type: 'simulate', sequence: [] } }),
      'spec.health.sequence',
    ],
    [
      'a word in a sequence',
      application({ health: { type: 'simulate' } }),
      application({ health: { type: 'simulate', sequence: ['HEALTHY', 'SICK' as 'HEALTHY'] } }),
      'spec.health.sequence.1',
    ],
    ['depth', http({ body: levels(49) }), http({ body: levels(50) }), 'spec.actions.0.parameters'],
    ['parameters', http({ body: x(65_510) }), http({ body: x(65_511) }), 'spec.actions.0.parameters'],
    [
      'many small parameters',
      http({ body: Object.fromEntries(Array.from({ length: 6_000 }, (_, i) => [i, 1])) }),
      http({ body: Object.fromEntries(Array.from({ length: 7_000 }, (_, i) => [i, 1])) }),
      'spec.actions.0.parameters',
    ],
    [
      'outputs',
      http({ outputs: { a: '$.a', b: '${x}' } }),
      http({ outputs: { a: '[a]' } }),
      'spec.actions.0.parameters.outputs.a',
    ],
    [
      'a retry',
      action({ url: 'http://x/' }, { retry: { limit: 100, backoff: 0, maxDelay: 0 } }),
      action({ url: 'http://x/' }, { retry: { limit: 100, backoff: -1, maxDelay: 0 } }),
      'spec.actions.0.retry.backoff',
    ],
    ['dependencies', flowWith(900, 20_000), flowWith(900, 20_001), 'spec.steps'],
    [
      'a queue',
      define('Product', { promotionFlows: [], concurrency: 'QUEUE', queueLimit: 10_000 }),
      define('Product', { promotionFlows: [], concurrency: 'QUEUE', queueLimit: 10_001 }),
      'spec.queueLimit',
    ],
    [
      'a priority',
      define('PromotionTemplate', { priority: -1_000_000 }),
      define('PromotionTemplate', { priority: -1_000_001 }),
      'spec.priority',
    ],
  ])('%s', (_what, fits, not, path) => {
    expect(checkDefinition(fits)).toEqual([]);
    expect(checkDefinition(not).map((each) => each.path.join('.'))).toEqual([path]);
  });
});
