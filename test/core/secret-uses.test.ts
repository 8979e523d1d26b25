import { expect, test } from 'vitest';
import type { AnyDefinition, HealthSourceSpec, WorkflowAction } from '../../src/core/definitions.ts';
import type { SecretUse } from '../../src/core/secrets.ts';
import { secretsIn } from '../../src/core/secrets.ts';
import { checkSecretUses, secretsSentBy } from '../../src/core/validate/secret-uses.ts';

const metadata = { name: 'x', labels: {}, annotations: {} };
const application = (health: HealthSourceSpec, product = 'shop'): AnyDefinition => ({
  kind: 'Application',
  metadata,
  spec: { product, environment: 'dev', driver: { type: 'simulate' }, health },
});
const synced = (url: string): AnyDefinition => {
  const definition = application({ type: 'none' });
  return { ...definition, spec: { ...definition.spec, sync: http(url) } } as AnyDefinition;
};
const workflow = (...actions: Pick<WorkflowAction, 'type' | 'parameters'>[]): AnyDefinition => ({
  kind: 'PromotionWorkflow',
  metadata,
  spec: { actions: actions.map((each, index) => ({ name: `a${index}`, ...each })) },
});
const http = (url: string): HealthSourceSpec => ({ type: 'http', url, headers: { authorization: '${secrets.key}' } });
const uses = (use: SecretUse) => new Map([['key', use]]);
const at = (...hosts: string[]): SecretUse => ({ kind: 'REFERENCE', hosts });

test.each<[string, AnyDefinition, SecretUse, string | null]>([
  ['its host', application(http('https://a.example/x')), at('a.example'), null],
  ['another host', application(http('https://b.example/x')), at('a.example'), 'may not be sent to "b.example"'],
  ['a host in a login', application(http('https://a.example@b.example/')), at('a.example'), '"b.example"'],
  ['the host of a sync source', synced('https://a.example/version'), at('a.example'), null],
  ['another host of a sync source', synced('https://b.example/version'), at('a.example'), 'sent to "b.example"'],
  ['nowhere', application(http('https://a.example/')), at(), 'has no hosts, so it is sent nowhere'],
  [
    'its product',
    application(http('https://a.example/')),
    { ...at('a.example'), products: ['sh*'] } as SecretUse,
    null,
  ],
  [
    'another product',
    application(http('https://a.example/'), 'other'),
    { ...at('a.example'), products: ['sh*'] } as SecretUse,
    'is not for product "other"',
  ],
  ['git', application(http('https://a.example/')), { kind: 'GIT', url: 'https://a/', username: null }, 'is for git'],
  [
    'an action, in its body',
    workflow({ type: 'http', parameters: { url: 'https://b.example/', body: { deep: ['x ${secrets.key}'] } } }),
    at('a.example'),
    'may not be sent to "b.example"',
  ],
  [
    'an address that is put together later',
    workflow({ type: 'http', parameters: { url: 'https://${HOST}/${secrets.key}' } }),
    at('a.example'),
    null,
  ],
  [
    'an address of which only the path is',
    workflow({ type: 'http', parameters: { url: 'https://b.example/${secrets.key}' } }),
    at('a.example'),
    '"b.example"',
  ],
  [
    'the host of a token',
    workflow({ type: 'argoWorkflow', parameters: { server: 'https://b.example/argo', token: '${secrets.key}' } }),
    at('a.example'),
    'may not be sent to "b.example"',
  ],
  ['an action that sends nothing', workflow({ type: 'simulate', parameters: { x: '${secrets.key}' } }), at(), null],
  [
    'a text that only looks like one',
    workflow({ type: 'http', parameters: { url: 'x', b: '$${secrets.key}' } }),
    at(),
    null,
  ],
])('a definition that sends a secret to %s', (_name, definition, use, expected) => {
  const refusals = checkSecretUses(definition, uses(use));
  if (expected === null) expect(refusals).toEqual([]);
  else expect(refusals).toMatchObject([{ code: 'INVALID', message: expect.stringContaining(expected) }]);
});

test('the refusal names the place, and neither the hosts nor the products of the secret', () => {
  const definition = workflow(
    { type: 'simulate', parameters: {} },
    { type: 'http', parameters: { url: 'https://b.example/', headers: { h: '${secrets.key}' } } },
  );
  const use: SecretUse = { kind: 'REFERENCE', hosts: ['internal.corp'], products: ['hidden'] };
  const [refusal] = checkSecretUses(definition, uses(use));
  expect(refusal?.path).toEqual(['spec', 'actions', 1, 'parameters']);
  expect(refusal?.message).not.toMatch(/internal|hidden/);
  expect(secretsSentBy(definition)).toEqual(['key']);
});

test('references are found wherever they stand, keys included', () => {
  const value = { '${secrets.a}': ['${secrets.b} $${secrets.no} ${NAME}', { c: '${secrets.c}${secrets.a}' }] };
  expect(secretsIn(value)).toEqual(['a', 'b', 'c']);
});
