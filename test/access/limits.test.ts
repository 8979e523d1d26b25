import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf, type GuardedServer, openGuarded } from './support.ts';

let server: GuardedServer;
beforeAll(async () => {
  server = await openGuarded({ SLUICE_RATE_LIMIT: '2' });
});
afterAll(() => server.close());

test('each caller is counted for itself, and whoever tries tokens by address', async () => {
  const [one, other] = [await server.token('VIEWER'), await server.token('VIEWER')];
  const ask = async (token: Parameters<GuardedServer['ask']>[0]) => codeOf(await server.ask(token, '{ __typename }'));
  expect([await ask(one), await ask(one), await ask(one)]).toEqual([undefined, undefined, 'RATE_LIMITED']);
  expect(await ask(other)).toBeUndefined();
  const tried = [await ask('sluice_made-up-1'), await ask('sluice_made-up-2'), await ask('sluice_made-up-3')];
  expect(tried).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED', 'RATE_LIMITED']);
  expect(await ask(other)).toBeUndefined();
});
