import { fc } from './property.ts';
import { describe, expect, test } from 'vitest';
import type {
  AnyDefinition,
  ApplicationSpec,
  Kind,
  Specs,
  WorkflowAction,
  ArgoCdSpec,
} from '../../src/core/definitions.ts';
import { checkDefinition } from '../../src/core/validate.ts';

const define = <K extends Kind>(kind: K, spec: Specs[K], metadata = {}): AnyDefinition =>
  ({ kind, metadata: { name: 'billing', labels: {}, annotations: {}, ...metadata }, spec }) as AnyDefinition;
const environment = (metadata: object) => define('Environment', { kind: 'PRODUCTION' }, metadata);
const git = { type: 'git' as const, repoURL: 'https://git.example.com/billing.git', branch: 'main', path: 'envs/dev' };
const application = (more: Partial<ApplicationSpec> = {}) =>
  define('Application', { product: 'billing', environment: 'dev', driver: git, health: { type: 'none' }, ...more });
const action = (name: string, ...dependsOn: string[]): WorkflowAction => ({
  name,
  type: 'simulate',
  dependsOn,
  parameters: {},
});
const workflow = (...actions: WorkflowAction[]) => define('PromotionWorkflow', { actions });
const argoCd = (more: Partial<ArgoCdSpec> = {}): ArgoCdSpec => ({
  type: 'argocd',
  server: 'https://argocd.example.com',
  application: 'billing-eu',
  project: 'default',
  token: '${secrets.argocd}',
  sync: 'AUTO',
  prune: false,
  requireSynced: true,
  ...more,
});
const of = (type: WorkflowAction['type'], parameters: Record<string, unknown>) =>
  workflow({ name: 'call', type, parameters });
const http = (parameters: Record<string, unknown>) => of('http', parameters);
const ARGO = { server: 'https://argo.example.com', namespace: 'ci', template: 'tests' };
const group = (gate: Specs['EnvironmentGroup']['gate'], more = {}) =>
  define('EnvironmentGroup', { environments: {}, gate, maxFailures: 0, ...more });
const product = (more: Partial<Specs['Product']>) =>
  define('Product', { promotionFlows: [], concurrency: 'QUEUE', queueLimit: 50, ...more });

describe('what is right is accepted', () => {
  test.each<[string, AnyDefinition]>([
    [
      'an environment',
      environment({
        labels: { 'example.com/tier': 'Gold_1.0', empty: '' },
        annotations: { description: 'any words!' },
      }),
    ],
    ['a group with a quorum', group({ policy: 'AT_LEAST', percent: 60 }, { maxParallel: 2 })],
    ['a group that soaks', group({ policy: 'ALL', soak: 600_000, freshness: 10_000 })],
    ['git over https', application()],
    ['git over ssh', application({ driver: { ...git, repoURL: 'ssh://git@host:22/x.git' } })],
    [
      'git as scp writes it',
      application({ driver: { ...git, repoURL: 'git@host:team/x.git', branch: 'release/1.2' } }),
    ],
    ['git in a folder', application({ driver: { ...git, repoURL: '/srv/git/x.git', path: '.' } })],
    ['git in a file URL', application({ driver: { ...git, repoURL: 'file:///srv/git/x.git' } })],
    ['an http health', application({ health: { type: 'http', url: 'http://127.0.0.1:80/health', interval: 1000 } })],
    ['Argo CD', application({ sync: argoCd(), health: { type: 'argocd', grace: 0 } })],
    ['parallel actions', workflow(action('a'), action('b'), action('c', 'a', 'b'))],
    ['an http action whose address comes later', http({ url: '${SERVICE}/health' })],
    [
      'a product',
      product({
        promotionFlows: [
          { name: 'f', gitTriggerSelectors: [{ key: 'commitMessage', operator: 'In', values: ['*fix*'] }] },
        ],
      }),
    ],
    [
      'a published template',
      define('PromotionTemplate', {
        versionSource: { file: 'Chart.yaml', jsonPath: '$appVersion' },
        promotion: { 'a/b.yaml': { jsonPaths: ['$..image'] } },
      }),
    ],
  ])('%s', (_, definition) => {
    expect(checkDefinition(definition)).toEqual([]);
  });
});

describe('what is wrong is refused at its place', () => {
  const repo = (repoURL: string) => application({ driver: { ...git, repoURL } });
  const branch = (name: string) => application({ driver: { ...git, branch: name } });
  const folder = (path: string) => application({ driver: { ...git, path } });
  const health = (url: string) => application({ health: { type: 'http', url } });
  test.each<[string, AnyDefinition, string, RegExp]>([
    ['capitals in a name', environment({ name: 'Dev' }), 'metadata.name', /"Dev" must be/],
    ['a soak of less than nothing', group({ policy: 'ALL', soak: -1 }), 'spec.gate.soak', /0 or more/],
    [
      'a short freshness',
      group({ policy: 'ALL', freshness: 9_999 }),
      'spec.gate.freshness',
      /9999 ms; write 10s or more/,
    ],
    ['no name', environment({ name: '' }), 'metadata.name', /""/],
    ['a name too long', environment({ name: 'a'.repeat(64) }), 'metadata.name', /63/],
    ['a label key', environment({ labels: { '-x': 'y' } }), 'metadata.labels.-x', /key "-x"/],
    ['a label prefix', environment({ labels: { 'Ex_ample/x': 'y' } }), 'metadata.labels.Ex_ample/x', /domain/],
    ['a label value', environment({ labels: { x: 'a b' } }), 'metadata.labels.x', /value "a b"/],
    [
      'huge annotations',
      environment({ annotations: { x: 'x'.repeat(300_000) } }),
      'metadata.annotations',
      /at most 262144/,
    ],
    [
      'a kind of environment',
      define('Environment', { kind: 'PRODUCTON' as 'PRODUCTION' }),
      'spec.kind',
      /Did you mean "PRODUCTION"/,
    ],
    [
      'a token for all to read',
      application({ sync: argoCd({ token: 's3cret' }) }),
      'spec.sync.token',
      /stands here for all/,
    ],
    [
      'Argo CD without a folder',
      application({ driver: { type: 'simulate' }, sync: argoCd() }),
      'spec.sync',
      /needs driver git/,
    ],
    [
      'a health of no Argo CD application',
      application({ health: { type: 'argocd' } }),
      'spec.health',
      /give sync of type/,
    ],
    ['a quorum of nothing', group({ policy: 'AT_LEAST' }), 'spec.gate', /count or a percent/],
    ['a quorum twice', group({ policy: 'AT_LEAST', count: 1, percent: 50 }), 'spec.gate', /one of them/],
    ['a count for ALL', group({ policy: 'ALL', count: 1 }), 'spec.gate', /belong to AT_LEAST/],
    ['more than everything', group({ policy: 'AT_LEAST', percent: 101 }), 'spec.gate.percent', /1 to 100/],
    ['half an environment', group({ policy: 'AT_LEAST', count: 1.5 }), 'spec.gate.count', /whole number/],
    ['no parallelism', group({ policy: 'ALL' }, { maxParallel: 0 }), 'spec.maxParallel', /from 1/],
    [
      'a bad pattern',
      group({ policy: 'ALL' }, { environments: { names: ['us east'] } }),
      'spec.environments.names.0',
      /us-\*/,
    ],
    [
      'In without values',
      group({ policy: 'ALL' }, { environments: { matchExpressions: [{ key: 'a', operator: 'In' }] } }),
      'spec.environments.matchExpressions.0.values',
      /at least one/,
    ],
    ['a repository as an option', repo('--upload-pack=touch x'), 'spec.driver.repoURL', /not an address/],
    ['a repository as a command', repo('ext::sh -c x'), 'spec.driver.repoURL', /not an address/],
    ['a repository as a command without spaces', repo('ext::sh'), 'spec.driver.repoURL', /protocol "ext:"/],
    ['a repository by an unknown protocol', repo('ftp://host/x'), 'spec.driver.repoURL', /protocol "ftp:"/],
    [
      'a password in the address',
      repo('https://me:secret@host/x.git'),
      'spec.driver.repoURL',
      /^(?!.*secret@).*holds a password/,
    ],
    [
      'a token as the user',
      repo('https://ghp_0123456789@host/x.git'),
      'spec.driver.repoURL',
      /^(?!.*ghp_).*holds a password/,
    ],
    [
      'a token behind the address',
      repo('https://host/x.git?private_token=secret'),
      'spec.driver.repoURL',
      /^(?!.*secret).*ends before it/,
    ],
    ['a host as an option', repo('ssh://-oProxyCommand=x/y'), 'spec.driver.repoURL', /repoURL/],
    ['a branch as an option', branch('-d'), 'spec.driver.branch', /begins with "-"/],
    ['a branch as a range', branch('a..b'), 'spec.driver.branch', /"\.\."/],
    ['a branch as a revision', branch('main~1'), 'spec.driver.branch', /one of ~/],
    ['a locked branch', branch('x.lock'), 'spec.driver.branch', /\.lock/],
    ['a way out', folder('a/../../etc'), 'spec.driver.path', /has "\.\."/],
    ['a folder from the root', folder('/etc'), 'spec.driver.path', /begins with "\/"/],
    ['a folder as an option', folder('-x'), 'spec.driver.path', /begins with "-"/],
    ["git's own folder", folder('x/.GIT/hooks'), 'spec.driver.path', /has "\.git"/],
    ['a health file', health('file:///etc/passwd'), 'spec.health.url', /http:\/\//],
    ['a health of words', health('localhost'), 'spec.health.url', /http:\/\//],
    ['a health with a password', health('http://a:b@host/'), 'spec.health.url', /user name or password/],
    ['no actions', workflow(), 'spec.actions', /at least one/],
    ['101 actions', workflow(...Array.from({ length: 101 }, (_, i) => action(`a${i}`))), 'spec.actions', /at most 100/],
    ['actions in a circle', workflow(action('a', 'b'), action('b', 'a')), 'spec.actions.0.dependsOn.0', /a → b → a/],
    ['an action after itself', workflow(action('a', 'a')), 'spec.actions.0.dependsOn.0', /itself/],
    [
      'an action after a stranger',
      workflow(action('tests'), action('b', 'test')),
      'spec.actions.1.dependsOn.0',
      /Did you mean "tests"/,
    ],
    ['two actions of a name', workflow(action('a'), action('a')), 'spec.actions.1.name', /two actions/],
    ['http to nowhere', http({}), 'spec.actions.0.parameters.url', /needs the parameter url/],
    [
      'a status that is none',
      http({ url: 'http://x', expectStatus: 700 }),
      'spec.actions.0.parameters.expectStatus',
      /from 100 to 599/,
    ],
    ['a pause without a length', of('wait', {}), 'spec.actions.0.parameters.duration', /needs the parameter duration/],
    ['a pause of two', of('wait', { duration: '2' }), 'spec.actions.0.parameters.duration', /write 2ms, 2s or 2m/],
    [
      'an approval with a rule that is misspelt',
      of('approval', { rules: [{ group: 'sre' }] }),
      'spec.actions.0.parameters.rules.0.group',
      /is not known here; there are name, count, users, groups, roles/,
    ],
    [
      'a message without a text',
      of('notify', { url: '${secrets.slack}' }),
      'spec.actions.0.parameters.text',
      /needs the parameter text/,
    ],
    [
      'a webhook for all to read',
      of('notify', { url: 'https://hooks.slack.com/services/T/B/X', text: 'x' }),
      'spec.actions.0.parameters.url',
      /write \$\{secrets\.NAME\}/,
    ],
    [
      'a token of Argo for all to read',
      of('argoWorkflow', { ...ARGO, token: 'eyJhbGciOi' }),
      'spec.actions.0.parameters.token',
      /write \$\{secrets\.NAME\}/,
    ],
    [
      'a secret that a workflow would show',
      of('argoWorkflow', { ...ARGO, parameters: { key: '${secrets.key}' } }),
      'spec.actions.0.parameters.parameters.key',
      /in the workflow for all to read/,
    ],
    [
      'a parameter that names another one',
      of('argoWorkflow', { ...ARGO, parameters: { 'a=b': '1' } }),
      'spec.actions.0.parameters.parameters.a=b',
      /"a=b" is not the name of a parameter/,
    ],
    ['http to a file', http({ url: 'file:///x' }), 'spec.actions.0.parameters.url', /http:\/\//],
    [
      'a prototype in parameters',
      http({ url: 'http://x', body: JSON.parse('{"__proto__":1}') }),
      'spec.actions.0.parameters',
      /__proto__/,
    ],
    ['huge parameters', http({ url: 'http://x', body: 'x'.repeat(70_000) }), 'spec.actions.0.parameters', /64 KiB/],
    [
      'a retry without end',
      workflow({ ...action('a'), retry: { limit: 101, backoff: 0, maxDelay: 0 } }),
      'spec.actions.0.retry.limit',
      /0 to 100/,
    ],
    ['no queue', product({ queueLimit: 0 }), 'spec.queueLimit', /from 1/],
    [
      'an empty selector value',
      product({
        promotionFlows: [{ name: 'f', gitTriggerSelectors: [{ key: 'gitRevision', operator: 'In', values: [''] }] }],
      }),
      'spec.promotionFlows.0.gitTriggerSelectors.0.values.0',
      /empty value/,
    ],
    [
      'a JSON path without $',
      define('PromotionTemplate', { versionSource: { file: 'a.json', jsonPath: '/image' } }),
      'spec.versionSource.jsonPath',
      /begin with "\$"/,
    ],
    [
      'a JSON path with a function',
      define('PromotionTemplate', { promotion: { 'a.yaml': { jsonPaths: ["$.a[?match(@.b, '(a+)+')]"] } } }),
      'spec.promotion.a.yaml.jsonPaths.0',
      /functions such as match\(\) are not possible/,
    ],
    [
      'a JSON path that looks everywhere twice',
      define('PromotionTemplate', { promotion: { 'a.yaml': { jsonPaths: ['$.a', '$..a..b'] } } }),
      'spec.promotion.a.yaml.jsonPaths.1',
      /more than one "\.\."/,
    ],
    [
      'a JSON path of another dialect',
      define('PromotionTemplate', { promotion: { 'a.yaml': { jsonPaths: ["$.dependencies.['x']"] } } }),
      'spec.promotion.a.yaml.jsonPaths.0',
      /is no JSON path \(RFC 9535\)/,
    ],
    [
      'JSON paths in a file that cannot be edited by them',
      define('PromotionTemplate', { promotion: { 'values.yaml.gotmpl': { jsonPaths: ['$.a'] } } }),
      'spec.promotion.values.yaml.gotmpl',
      /cannot be promoted in "values\.yaml\.gotmpl"/,
    ],
    [
      'a template out of its folder',
      define('PromotionTemplate', { promotion: { '../x.yaml': { jsonPaths: ['$'] } } }),
      'spec.promotion.../x.yaml',
      /has "\.\."/,
    ],
    [
      '1,001 steps',
      define('PromotionFlow', {
        triggerEnvironment: 'dev',
        onFailure: 'STOP',
        steps: Array.from({ length: 1001 }, () => ({ dependsOn: [] })),
      }),
      'spec.steps',
      /at most 1000/,
    ],
  ])('%s', (_, definition, path, message) => {
    const refusals = checkDefinition(definition);
    expect(refusals.map((each) => each.path.join('.'))).toEqual([path]);
    expect(refusals[0]!.message).toMatch(message);
  });
});

test('parameters of any depth are refused without recursion', () => {
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  expect(checkDefinition(http({ url: 'http://x', deep }))[0]!.message).toMatch(/deeper/);
});

test('whatever strings come, a check answers and never throws', () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.string(), fc.string({ unit: 'binary' }), fc.webUrl(), (a, b, url) => {
      const definitions = [
        application({ driver: { type: 'git', repoURL: a, branch: b, path: a }, health: { type: 'http', url: b } }),
        application({ driver: { ...git, repoURL: url } }),
        environment({ name: a, labels: { [a]: b }, annotations: { [b]: a } }),
        workflow({ ...action(a), parameters: { [b]: a } }),
      ];
      for (const each of definitions) refused += checkDefinition(each).length;
      for (const { message } of checkDefinition(definitions[0]!)) expect(message.length).toBeLessThan(400);
      if (b.includes('..') || b.startsWith('-')) expect(checkDefinition(definitions[0]!)).not.toEqual([]);
    }),
  );
  expect(refused).toBeGreaterThan(100);
});
