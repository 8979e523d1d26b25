import { afterAll, beforeAll, expect, test } from 'vitest';
import { deleteGrant } from '../../src/commands/access/change-grants.ts';
import { AUDIENCE, type Issuer, openIssuer } from './issuer.ts';
import { ADMIN, codeOf, type GuardedServer, messageOf, openGuarded, SOMEBODY } from './support.ts';

let issuer: Issuer;
let guarded: GuardedServer;
beforeAll(async () => {
  issuer = await openIssuer();
  const oidc = { SLUICE_OIDC_ISSUER: issuer.url, SLUICE_OIDC_AUDIENCE: AUDIENCE, SLUICE_OIDC_NAME_CLAIM: 'name' };
  guarded = await openGuarded(oidc);
  for (const product of ['billing', 'shop']) await guarded.engine.saveBilling(product);
});
afterAll(async () => {
  await guarded.close();
  await issuer.close();
});

const CREATE = `mutation ($input: ApiTokenCreateInput!) {
  apiTokenCreate(input: $input) { secret userErrors { code message path } } }`;
const PRODUCTS = '{ products { nodes { name } } }';
const TERMINATE = `mutation { releaseTerminate(input: { releaseId: "00000000-0000-4000-8000-000000000000" }) { userErrors { code } } }`;

interface Made {
  secret: string;
  userErrors: { code: string; message: string; path: unknown }[];
}

async function create(as: string, input: object): Promise<Made> {
  const { body } = await guarded.ask(as, CREATE, { input: { name: 'mine', subjectKind: 'USER', ...input } });
  expect(body.errors).toBeUndefined();
  return body.data!['apiTokenCreate'] as Made;
}

const seenBy = async (token: string): Promise<unknown> => {
  const answer = await guarded.ask(token, PRODUCTS);
  const { nodes = [] } = (answer.body.data?.['products'] ?? {}) as { nodes?: { name: string }[] };
  return codeOf(answer) ?? nodes.map(({ name }) => name);
};
/** What was read of tokens and grants is believed for a second. */

test("a person's token may no more than the person: what is taken from the person, or from the group, is taken from it", async () => {
  const all = await guarded.grant({ subject: 'grace', role: 'OPERATOR', products: { names: ['billing'] } });
  const group = await guarded.grant({
    subjectKind: 'GROUP',
    subject: 'leads',
    role: 'VIEWER',
    products: { names: ['shop'] },
  });
  const grace = await issuer.token({ name: 'grace', groups: ['leads'] });
  const scope = [
    { role: 'OPERATOR', products: { names: ['billing'] } },
    { role: 'VIEWER', products: { names: ['shop'] } },
  ];
  const { secret } = await create(grace, { subject: 'grace', scope });
  expect(await seenBy(secret)).toEqual(['billing', 'shop']);

  await deleteGrant(guarded.engine.app, { id: group }, SOMEBODY);
  await expect.poll(() => seenBy(secret)).toEqual(['billing']);

  // An operator becomes somebody who looks.
  await guarded.grant({ subject: 'grace', role: 'VIEWER' });
  await deleteGrant(guarded.engine.app, { id: all }, SOMEBODY);
  await expect.poll(async () => codeOf(await guarded.ask(secret, TERMINATE))).toBe('FORBIDDEN');
  expect(messageOf(await guarded.ask(secret, TERMINATE))).toMatch(
    /^grace is not allowed to TERMINATE .* and a token whose scope has it, too$/,
  );
  await expect.poll(() => seenBy(secret)).toEqual(['billing', 'shop']);
});

test('nor more than its scope, when the person may more', async () => {
  await guarded.grant({ subject: 'linus', role: 'ADMIN' });
  const linus = await issuer.token({ name: 'linus', groups: [] });
  const { secret } = await create(linus, {
    subject: 'linus',
    scope: [{ role: 'VIEWER', products: { names: ['shop'] } }],
  });
  expect(await seenBy(secret)).toEqual(['shop']);
  expect(codeOf(await guarded.ask(secret, TERMINATE))).toBe('FORBIDDEN');
});

test('and with none of it the token is good for nothing', async () => {
  const only = await guarded.grant({ subject: 'mary', role: 'RELEASER' });
  const mary = await issuer.token({ name: 'mary', groups: [] });
  const { secret } = await create(mary, { subject: 'mary', scope: [{ role: 'RELEASER' }] });
  expect(await seenBy(secret)).toEqual(['billing', 'shop']);
  await deleteGrant(guarded.engine.app, { id: only }, SOMEBODY);
  await expect.poll(() => seenBy(secret)).toBe('FORBIDDEN');
});

test('an admin makes none for a person who may not do what it is for', async () => {
  const { userErrors } = await create(ADMIN, { subject: 'newcomer', scope: [{ role: 'RELEASER' }] });
  expect(userErrors).toMatchObject([
    {
      code: 'FORBIDDEN',
      message: expect.stringContaining('grant it to newcomer first'),
      path: ['input', 'scope', '0'],
    },
  ]);
});

test("a service account's token keeps what was given to it, whatever becomes of who gave it", async () => {
  const admin = await guarded.grant({ subject: 'parting', role: 'ADMIN' });
  const parting = await issuer.token({ name: 'parting', groups: [] });
  const input = { subjectKind: 'SERVICE_ACCOUNT', subject: 'ci', scope: [{ role: 'VIEWER' }] };
  const { secret } = await create(parting, input);
  await deleteGrant(guarded.engine.app, { id: admin }, SOMEBODY);
  await expect.poll(async () => seenBy(parting)).toBe('FORBIDDEN');
  expect(await seenBy(secret)).toEqual(['billing', 'shop']);
});
