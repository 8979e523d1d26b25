import { afterAll, beforeAll, expect, test } from 'vitest';
import { approvalOf } from '../core/support/builders.ts';
import { openServed, type Served } from './served.ts';

let served: Served;
let release: string;

beforeAll(async () => {
  served = await openServed({ approvals: { staging: approvalOf('1'), 'asia-2': approvalOf('1 of grace; 1') } });
  const { out } = await served.sluice('release', 'billing', '--version', '1.4.2', '-o', 'json');
  release = (JSON.parse(out) as { uuid: string }).uuid;
  await served.engine.reached(release, (state) => state.promotions[1]?.approval !== null);
});
afterAll(() => served?.close());

test('get approvals shows what waits, for whom, and until when', async () => {
  const { code, out, err } = await served.sluice('get', 'approvals', '--product', 'billing');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const [head, row] = out.split('\n');
  expect(head).toMatch(/^RELEASE +VERSION +ENVIRONMENT +STEP +ASKED +EXPIRES +MISSING +APPROVED BY +FOR YOU$/);
  expect(row).toMatch(/^billing#\d+ +1.4.2 +staging +- +\d+s +in 24h +1 +- +yes$/);
  expect((await served.sluice('get', 'approvals', '-o', 'name')).out).toBe(`approval/${release}/staging\n`);
  expect((await served.sluice('get', 'approvals', '--product', 'other')).err).toContain("There is no product 'other'");
});

test('a refusal says what is wrong, in one line, with code 1', async () => {
  expect(await served.sluice('approve', 'billing', 'dev')).toEqual({
    code: 1,
    out: '',
    err: 'dev needs no approval\n',
  });
  expect(await served.sluice('reject', release, 'asia-2')).toMatchObject({
    code: 1,
    err: 'asia-2 is not asked for yet: it waits for regions\n',
  });
  // A command that would be refused is not named.
  const shown = (await served.sluice('get', 'release', release)).out;
  expect(shown).toMatch(/^staging waits: needs the approval of .* \(sluice approve billing#\d+ staging\)$/m);
  expect(shown).toMatch(/^asia-2 waits: will need the approval of [^()]*$/m);
  expect((await served.sluice('approve', 'billing', 'stagin')).err).toContain('did you mean "staging"?');
  expect((await served.sluice('approve', 'billing')).code).toBe(2);
});

test('approve starts it; JSON for programs', async () => {
  const { code, out } = await served.sluice('approve', 'billing', 'staging', '--comment', 'fine', '-o', 'json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    name: 'staging',
    release: { uuid: release },
    approval: { status: 'GRANTED', missing: 0, decisions: [{ kind: 'APPROVED', by: null, comment: 'fine' }] },
  });
});

test('what is still missing is told; a rejection is final, and the watch says who said what', async () => {
  await served.engine.reached(release, (state) => state.promotions[5]?.approval !== null);
  const approved = await served.sluice('approve', release, 'asia-2');
  expect(approved).toMatchObject({ code: 0, err: '' });
  expect(approved.out).toBe(
    'Approved billing 1.4.2 in asia-2\n' +
      'it waits: asia-2: needs the approval of 1 of grace; approved by a person without a name\n',
  );
  const { code, out } = await served.sluice('reject', 'latest', 'asia-2', '--comment', 'not today');
  expect({ code, out }).toEqual({ code: 0, out: 'Rejected billing 1.4.2 in asia-2: it is FAILED\n' });
  const watched = await served.sluice('watch', release);
  expect(watched.code).toBe(4);
  expect(watched.out).toContain('asia-2  rejected by a person without a name: not today');
  expect(watched.out).toContain('staging  approved by a person without a name: fine');
});
