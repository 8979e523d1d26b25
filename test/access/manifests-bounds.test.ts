import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { foreign } from '../../src/foreign/index.ts';
import { ADMIN, codeOf, type GuardedServer, openGuarded } from './support.ts';

let guarded: GuardedServer;
beforeAll(async () => {
  guarded = await openGuarded();
  await guarded.engine.saveBilling();
}, 60_000);
afterAll(() => guarded.close());

const APPLY = `mutation ($input: ManifestsApplyInput!) {
  manifestsApply(input: $input) { changes { name } userErrors { message } } }`;

/** What takes the libraries long, as callers sent it. */
const HOSTILE = {
  'lists in lists': '- - - - - - -\n'.repeat(49_000),
  '75,000 labels': `metadata: {labels: {${Array.from({ length: 75_000 }, (_, i) => `l${i}: x`).join(', ')}}}\n`,
  '40,000 anchors': Array.from({ length: 40_000 }, (_, i) => `- &a${i} x`).join('\n'),
  '40,000 %TAG lines': `${'%TAG !a! x\n'.repeat(40_000)}---\nkind: x\n`,
};

async function blockedFor(work: () => Promise<unknown>): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  await work();
  delays.disable();
  return delays.max / 1e6;
}

test.each(Object.entries(HOSTILE))(
  '%s is refused, and nobody else is held up',
  { timeout: 60_000 },
  async (_name, text) => {
    let said: unknown;
    const blocked = await blockedFor(async () => {
      const { body } = await guarded.ask(ADMIN, APPLY, { input: { text } });
      said = body.data;
    });
    expect(said).toMatchObject({
      manifestsApply: { changes: [], userErrors: [{ message: expect.stringMatching(/there are more than \d+/) }] },
    });
    expect(blocked).toBeLessThan(2_000);
  },
);

test('nothing is read for a caller who may edit nothing', async () => {
  const asked = vi.spyOn(foreign, 'ask');
  const viewer = await guarded.token('VIEWER', { products: { names: ['no-such-product'] } });
  const releaser = await guarded.token('RELEASER');
  for (const token of [viewer, releaser]) {
    const answer = await guarded.ask(token, APPLY, { input: { text: HOSTILE['lists in lists'] } });
    expect(codeOf(answer)).toBe('FORBIDDEN');
  }
  expect(asked).not.toHaveBeenCalled();
  asked.mockRestore();
});

test('what is not in the manifests is deleted for those alone who may edit everything', async () => {
  const text =
    'apiVersion: sluice.dev/v1\nkind: Application\nmetadata: { name: more, labels: { a: b } }\n' +
    'spec: { product: billing, environment: dev, component: more, driver: { type: simulate }, health: { type: none } }\n';
  const owner = await guarded.token('ADMIN', { products: { names: ['billing'] } });
  const prune = [{ key: 'a', value: 'c' }];
  expect(codeOf(await guarded.ask(owner, APPLY, { input: { text, prune } }))).toBe('FORBIDDEN');
  expect(codeOf(await guarded.ask(owner, APPLY, { input: { text: '', prune } }))).toBe('FORBIDDEN');
  const { body } = await guarded.ask(owner, APPLY, { input: { text, prune: [], dryRun: true } });
  expect(body.data).toMatchObject({ manifestsApply: { changes: [{ name: 'more' }], userErrors: [] } });
});

test('manifests are read once, for the rule of access and for the command', async () => {
  const asked = vi.spyOn(foreign, 'ask');
  const text = 'apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: once }\nspec: { kind: PRODUCTION }\n';
  const { body } = await guarded.ask(ADMIN, APPLY, { input: { text } });
  expect(body.data).toEqual({ manifestsApply: { changes: [{ name: 'once' }], userErrors: [] } });
  expect(asked.mock.calls.map(([task]) => task)).toEqual(['parseManifests']);
  asked.mockRestore();
});
