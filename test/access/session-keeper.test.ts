import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { ProviderUnreachable } from '../../src/access/oidc.ts';
import { type KeeperParts, SessionKeeper } from '../../src/access/session-keeper.ts';
import { createLog } from '../../src/log.ts';
import { Sealing } from '../../src/store/sealing.ts';

const sealing = new Sealing([randomBytes(32).toString('base64')]);
const tokens = JSON.stringify({ refreshToken: 'a refresh token', idToken: null });

/** A keeper of so many sessions that have to be renewed. @returns how many the provider was asked for in one look */
async function askedFor(count: number, answers: () => Promise<unknown>): Promise<number> {
  const due = Array.from({ length: count }, (_, at) => ({
    id: `s${at}`,
    subject: 'ada',
    groups: [],
    ...sealing.seal(`session s${at}`, tokens),
  }));
  let asked = 0;
  const parts = {
    limits: { idleMs: 1_000, maxMs: 1_000 },
    signIn: { renew: () => ((asked += 1), answers()) },
    sealing,
    pool: { query: async (_text: string, [, , most]: [Date, Date, number]) => ({ rows: due.splice(0, most) }) },
    dataSource: { transaction: async () => undefined },
    clock: { now: () => new Date() },
    log: createLog({ level: 'silent' } as never),
  };
  await new SessionKeeper(parts as unknown as KeeperParts).look();
  return asked;
}

test('all sessions whose time has come are renewed in one look, however many people have signed in', async () => {
  const granted = { claims: null, idToken: null, refreshToken: null, goodFor: 300_000 };
  expect(await askedFor(50, async () => granted)).toBe(50);
});

test('a provider that does not answer is not asked for all of them', async () => {
  expect(await askedFor(500, () => Promise.reject(new ProviderUnreachable('away')))).toBeLessThan(50);
});
