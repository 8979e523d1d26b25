import { afterAll, beforeAll, expect, test } from 'vitest';
import { markVersionBad } from '../../src/commands/mark-version.ts';
import type { Answer } from '../api/support/clients.ts';
import { ENVIRONMENTS } from '../support/engine.ts';
import { ADMIN, type GuardedServer, openGuarded, type Token } from './support.ts';

// What a refusal offers instead, and what it gives as its reason, is as hidden as what a list shows.

let guarded: GuardedServer;
beforeAll(async () => {
  guarded = await openGuarded();
  await guarded.engine.saveBilling();
  await guarded.engine.save('Environment', 'asib', { kind: 'PRODUCTION' });
  await guarded.engine.startWorker();
});
afterAll(() => guarded.close());

const ERRORS = 'userErrors { code message }';
const START = `mutation ($input: RollbackInput!) { done: rollbackStart(input: $input) { ${ERRORS} } }`;
const PLAN = `query ($input: RollbackInput!) { done: planRollback(input: $input) { ${ERRORS} } }`;
const TRIGGER = `mutation ($input: ReleaseTriggerInput!) { done: releaseTrigger(input: $input) { ${ERRORS} } }`;

const refusalsOf = ({ body }: Answer) => (body.data?.['done'] as { userErrors: object[] } | undefined)?.userErrors;

test.each([
  ['rollbackStart', START],
  ['planRollback', PLAN],
])('%s offers an environment that is called alike to callers who see that', async (_, document) => {
  const limits = { products: { names: ['billing'] }, environments: { names: ['eu', 'asib'] } };
  const operator = await guarded.token('OPERATOR', limits);
  const input = { product: 'billing', environments: ['asib'], reason: 'leaks' };
  const refused = async (token: Token | string) => refusalsOf(await guarded.ask(token, document, { input }));
  const message = 'product "billing" has no application in environment "asib"';
  expect(await refused(operator)).toEqual([{ code: 'NO_APPLICATION', message }]);
  expect(await refused(ADMIN)).toEqual([{ code: 'NO_APPLICATION', message: `${message}. Did you mean "asia"?` }]);
});

test('a version that is bad where the caller sees nothing is refused without the place and the reason', async () => {
  const { engine } = guarded;
  await engine.ended(await engine.trigger({ product: 'billing', version: '1' }));
  const mark = { product: 'billing', version: '1', environment: 'dev', reason: 'it lost the orders of Acme' };
  expect((await markVersionBad(engine.app, mark, 'ada')).refusals).toBeUndefined();
  const names = ENVIRONMENTS.filter((each) => each !== 'dev');
  const releaser = await guarded.token('RELEASER', {
    products: { names: ['billing'] },
    environments: { names },
  });
  const input = { product: 'billing', version: '1' };
  const refused = async (token: Token | string) => refusalsOf(await guarded.ask(token, TRIGGER, { input }));
  const cure = 'Take the mark back first, or acknowledge it: the release then waits where the mark counts';
  const told = (where: string) => [
    { code: 'VERSION_MARKED_BAD', message: `version "1" is marked bad ${where}. ${cure}` },
  ];
  expect(await refused(releaser)).toEqual(told('for an environment that is not seen with these rights'));
  expect(await refused(ADMIN)).toEqual(told('for environment "dev": it lost the orders of Acme'));
});
