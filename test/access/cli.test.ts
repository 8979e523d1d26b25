import { afterAll, beforeAll, expect, test } from 'vitest';
import { sluice } from '../cli/served.ts';
import { ADMIN, type GuardedServer, openGuarded } from './support.ts';

let guarded: GuardedServer;
beforeAll(async () => {
  guarded = await openGuarded();
  await guarded.engine.saveBilling();
  await guarded.engine.startWorker();
});
afterAll(() => guarded.close());

const as = (token: string | undefined, ...args: string[]) =>
  sluice({ SLUICE_SERVER: guarded.url, ...(token !== undefined && { SLUICE_TOKEN: token }) }, ...args);

test('a token is made, used, listed and revoked', async () => {
  const limits = ['--role', 'releaser', '--product', 'billing'];
  const made = await as(ADMIN, 'token', 'create', '--name', 'CI of billing', ...limits, '-o', 'name');
  expect(made).toMatchObject({ code: 0, err: '' });
  const token = made.out.trim();
  expect(token).toMatch(/^sluice_[0-9A-Za-z]{50}$/);
  const released = await as(token, 'release', 'billing', '--version', '1.0.0', '--wait');
  expect(released.code).toBe(0);
  const id = token.slice(7, 19);
  const list = await as(ADMIN, 'token', 'list');
  expect(list.out).toContain(`${id}   CI of billing   service-account ci-of-billing   releaser of billing   good`);
  expect(list.out).toMatch(/releaser of billing .*service-account\/admin\n/);
  expect(list.out).not.toContain(token);
  expect((await as(ADMIN, 'token', 'revoke', id)).out).toContain(`Revoked ${id}`);
  await expect.poll(async () => (await as(token, 'get', 'products')).code).toBe(1);
});

test('without a token, and with a wrong one, it says how to get in', async () => {
  for (const token of [undefined, 'nonsense']) {
    for (const command of [
      ['get', 'products'],
      ['watch', 'latest'],
    ]) {
      const { code, err } = await as(token, ...command);
      expect(code).toBe(1);
      expect(err).toContain('SLUICE_TOKEN');
      expect(err).not.toContain('nonsense');
    }
  }
});

test('what one may not do is said in words', async () => {
  const viewer = await guarded.token('VIEWER');
  const { code, err } = await as(viewer.text, 'release', 'billing', '--version', '2.0.0');
  expect(code).toBe(1);
  expect(err).toMatch(
    /^service-account\/viewer-\d+ is not allowed to PROMOTE for product "billing" in environment "staging" with this token: that takes one whose scope has RELEASER or OPERATOR or ADMIN there/,
  );
});

test('what -o name prints of tokens and grants is what takes them away', async () => {
  await as(ADMIN, 'token', 'create', '--name', 'named', '--role', 'viewer');
  await as(ADMIN, 'grant', 'create', '--role', 'viewer', '--user', 'named');
  for (const [kind, verb] of [
    ['token', 'revoke'],
    ['grant', 'delete'],
  ] as const) {
    const [printed = ''] = (await as(ADMIN, kind, 'list', '-o', 'name')).out.split('\n');
    expect(printed).toMatch(new RegExp(`^${kind}/\\w`));
    expect(await as(ADMIN, 'get', kind, printed, '-o', 'name')).toEqual({ code: 0, out: `${printed}\n`, err: '' });
    expect(await as(ADMIN, kind, verb, printed)).toMatchObject({ code: 0, err: '' });
  }
});

test('a role is granted, listed and taken away', async () => {
  const granted = await as(ADMIN, 'grant', 'create', '--role', 'approver', '--group', 'leads', '--kind', 'PRODUCTION');
  const [id] = /[0-9a-f]{8}$/m.exec(granted.out)!;
  expect((await as(ADMIN, 'grant', 'list')).out).toContain(`${id}   group leads   approver in PRODUCTION`);
  expect((await as(ADMIN, 'grant', 'delete', id)).code).toBe(0);
  expect((await as(ADMIN, 'grant', 'list')).out).not.toContain(id);
  expect((await as(ADMIN, 'grant', 'create', '--role', 'viewer')).code).toBe(2);
});

test('one of a list is found wherever it stands there, and what is not there is refused', async () => {
  for (const subject of ['one', 'two', 'three'])
    expect((await as(ADMIN, 'grant', 'create', '--role', 'viewer', '--user', subject)).code).toBe(0);
  const grants = JSON.parse((await as(ADMIN, 'get', 'grants', '-o', 'json')).out) as { id: string; subject: string }[];
  expect(grants.length).toBeGreaterThan(2);
  for (const { id, subject } of grants) {
    const { code, out } = await as(ADMIN, 'get', 'grant', id.slice(0, 8), '--limit', '1');
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(subject) });
  }
  for (const kind of ['grant', 'token'])
    expect(await as(ADMIN, 'get', kind, 'nonsense')).toEqual({
      code: 1,
      out: '',
      err: `There is no ${kind} 'nonsense'. See: sluice ${kind} list\n`,
    });
});

test('the audit log is exported as JSON', async () => {
  const { out } = await as(ADMIN, 'get', 'audit', '--limit', '150', '-o', 'json');
  const entries = JSON.parse(out) as { action: string; input: unknown }[];
  expect(entries.map(({ action }) => action)).toContain('roleGrantDelete');
  expect((await as(ADMIN, 'get', 'audit')).out).toContain('releaseTrigger');
});
