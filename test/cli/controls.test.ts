import { afterAll, beforeAll, expect, test } from 'vitest';
import { openServed, type Served } from './served.ts';

let served: Served;
beforeAll(async () => {
  served = await openServed();
});
afterAll(() => served?.close());

test('an environment is held, shown, and released again', async () => {
  const held = await served.sluice('hold', 'eu', '--product', 'billing', '--reason', 'audit', '--until', '4h');
  expect(held).toMatchObject({ code: 0, err: '' });
  expect(held.out).toMatch(/eu +billing +audit .* in 4h +yes/);
  expect((await served.sluice('get', 'holds')).out).toMatch(/eu +billing +audit/);
  expect((await served.sluice('unhold', 'eu')).err).toContain('it is on hold for "billing"');
  expect((await served.sluice('unhold', 'eu', '--product', 'billing', '--reason', 'audited')).out).toMatch(
    / no: audited$/m,
  );
  expect((await served.sluice('get', 'holds', '--all')).out).toMatch(/eu +billing +audit .* no: audited$/m);
  expect((await served.sluice('get', 'holds')).out).toBe('No environment is on hold.\n');
});

test('a version is marked bad, refused, acknowledged, and cleared', async () => {
  expect((await served.sluice('release', 'billing', '--version', '1', '--wait')).code).toBe(0);
  const marked = await served.sluice('mark-bad', 'billing', '1', '--environment', 'eu', '--reason', 'leaks');
  expect(marked.out).toMatch(/billing +1 +eu +leaks/);
  const refused = await served.sluice('release', 'billing', '--version', '1');
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.err).toContain('is marked bad for environment "eu": leaks');
  const known = await served.sluice('release', 'billing', '--version', '1', '--acknowledge-bad-version', '-o', 'json');
  expect(known.code).toBe(0);
  expect((await served.sluice('get', 'marks')).out).toMatch(/^billing +1 +eu +leaks +- +\d+s +- +yes$/m);
  const waiting = await served.sluice('get', 'release', 'billing');
  expect(waiting.out).toContain('(sluice unmark-bad billing 1 --reason TEXT)');
  expect((await served.sluice('unmark-bad', 'billing', '1', '--reason', 'fine')).out).toMatch(/ no: fine$/m);
  expect((await served.engine.ended((JSON.parse(known.out) as { uuid: string }).uuid)).status).toBe('SUCCEEDED');
});

test('a time must have an offset, a duration must be one', async () => {
  const { code, err } = await served.sluice('hold', 'eu', '--reason', 'x', '--until', '2030-01-01T10:00');
  expect(code).toBe(2);
  expect(err).toContain('Expected 2026-12-24T18:00:00Z, or a duration');
  const bare = await served.sluice('hold', 'eu', '--reason', 'x', '--until', '4');
  expect(bare).toMatchObject({ code: 2 });
  expect(bare.err).toContain('with a unit');
  expect(await served.sluice('watch', 'billing', '--timeout', '5')).toMatchObject({ code: 2 });
});

test('what waits for another release names it as people do', async () => {
  await served.sluice('hold', 'staging', '--reason', 'audit');
  const { out } = await served.sluice('release', 'billing', '--version', '2');
  const [first = ''] = /billing#\d+/.exec(out) ?? [];
  const { out: second } = await served.sluice('release', 'billing', '--version', '3', '-o', 'name');
  const waits = `release ${first} goes first`;
  expect((await served.sluice('status')).out).toContain(`waits: ${waits}`);
  const late = await served.sluice('watch', second.trim(), '--timeout', '300ms');
  expect(late).toMatchObject({ code: 6, err: expect.stringContaining(`\n  ${waits}\n`) });
  await served.sluice('unhold', 'staging');
  expect((await served.sluice('watch', second.trim())).code).toBe(0);
  expect((await served.sluice('retry', first)).err).toContain(`release ${first} cannot be changed like this`);
});

test('a report says what a target runs; where no report decides that, it is a warning, too', async () => {
  const told = ['report', 'deployment', 'billing-eu', '--version', '1.4.2', '--commit', '3f2c1ab'];
  const { code, out, err } = await served.sluice(...told);
  expect({ code, out }).toEqual({ code: 0, out: 'billing-eu runs 1.4.2, commit 3f2c1ab\n' });
  expect(err).toMatch(/^Warning: whether the target of billing-eu runs a change comes from NONE, .*type: report/);
  const late = await served.sluice(...told, '--at', '2020-01-01T00:00:00Z');
  expect(late.out).toBe('A newer report of billing-eu is known: nothing changed\n');
  expect((await served.sluice('report', 'deployment', 'billing-eu', '--commit', 'x')).err).toContain(
    'the commit "x" is not 7 to 64 hexadecimal digits',
  );
});

test('a report of a health that reports do not decide is a warning', async () => {
  const { code, out, err } = await served.sluice('report', 'health', 'billing-eu', 'degraded');
  expect({ code, out }).toEqual({ code: 0, out: 'billing-eu is DEGRADED\n' });
  expect(err).toMatch(/^Warning: the health of billing-eu comes from NONE, .*type: report/);
});
