import type { Pool, PoolClient } from 'pg';
import type { Clock } from '../clock.ts';
import { inTransaction } from '../connections.ts';
import { FRESH_BUDGET, settle, take } from '../core/forge-budget.ts';
import type { Budget, Budgets } from '../core/forge-budget.ts';

type Row = Record<'pointsAt' | 'writesAt' | 'contentAt' | 'blockedUntil' | 'scarceUntil', Date> &
  Pick<Budget, 'blockedWhy' | 'strikes' | 'leases'>;

const COLUMNS = `points_at AS "pointsAt", writes_at AS "writesAt", content_at AS "contentAt", blocked_until AS "blockedUntil",
  blocked_why AS "blockedWhy", scarce_until AS "scarceUntil", strikes, leases`;

/** The budgets of all credentials, shared by all processes: each look and each change is a short transaction under the row's lock. */
export function forgeBudgets(pool: Pool, clock: Pick<Clock, 'now'>): Budgets {
  const change = <T>(credential: string, work: (budget: Budget) => { budget: Budget; answer: T }): Promise<T> =>
    inTransaction(pool, 'BEGIN', async (client) => {
      const { budget, answer } = work(await lock(client, credential));
      await save(client, credential, budget);
      return answer;
    });
  return {
    take: (credential, limits, call, lease) =>
      change(credential, (before) => {
        const { budget, taken } = take(before, limits, call, lease, clock.now().getTime());
        return { budget, answer: taken };
      }),
    settle: (credential, lease, told) =>
      change(credential, (before) => ({
        budget: settle(before, lease, told, clock.now().getTime()),
        answer: undefined,
      })),
  };
}

async function lock(client: PoolClient, credential: string): Promise<Budget> {
  const read = `SELECT ${COLUMNS} FROM forge_budget WHERE credential = $1 FOR UPDATE`;
  let { rows } = await client.query<Row>(read, [credential]);
  if (rows.length === 0) {
    await save(client, credential, FRESH_BUDGET, 'DO NOTHING');
    ({ rows } = await client.query<Row>(read, [credential]));
  }
  const { blockedWhy, strikes, leases, ...times } = rows[0]!;
  const ms = Object.fromEntries(Object.entries(times).map(([name, at]) => [name, at.getTime()]));
  return { ...(ms as Record<keyof typeof times, number>), blockedWhy, strikes, leases };
}

async function save(client: PoolClient, credential: string, budget: Budget, conflict = UPDATE): Promise<void> {
  const { pointsAt, writesAt, contentAt, blockedUntil, blockedWhy, scarceUntil, strikes, leases } = budget;
  const times = [pointsAt, writesAt, contentAt, blockedUntil, scarceUntil].map((ms) => new Date(Math.ceil(ms)));
  await client.query(
    `INSERT INTO forge_budget (credential, points_at, writes_at, content_at, blocked_until, scarce_until, blocked_why, strikes, leases)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (credential) ${conflict}`,
    [credential, ...times, blockedWhy, strikes, JSON.stringify(leases)],
  );
}

const UPDATE = `DO UPDATE SET points_at = $2, writes_at = $3, content_at = $4, blocked_until = $5, scarce_until = $6,
  blocked_why = $7, strikes = $8, leases = $9`;
