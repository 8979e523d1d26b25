import type { RollbackPolicySpec } from '../../../src/core/definitions.ts';
import { DEFAULT_MAX_FAILURE_AGE } from '../../../src/core/definitions.ts';
import type { ReleaseState } from '../../../src/core/release.ts';
import type { FrozenRelease } from '../../../src/store/load-releases.ts';
import type { BillingOptions, TestEngine } from '../../support/engine.ts';
import { PATIENCE } from '../../support/patience.ts';

/** The user's own words: us-east fails, so eu and asia go back where they run the same version; potentially asia-2 as well. */
export const POLICY: RollbackPolicySpec = {
  when: { groups: ['regions'] },
  targets: [
    { siblings: true, condition: 'SAME_VERSION', mode: 'AUTOMATIC' },
    { downstream: true, condition: 'SAME_VERSION', mode: 'APPROVAL' },
  ],
  maxFailureAge: DEFAULT_MAX_FAILURE_AGE,
  onTargetFailure: 'CONTINUE',
  markBad: { scope: 'NONE' },
};

/** In `where` the versions `bad` turn out DEGRADED once they are there. */
export function degradedIn(where: string, ...bad: string[]): BillingOptions {
  return {
    health: (environment) =>
      environment === where ? { type: 'simulate', degraded: bad } : { type: 'simulate', sequence: ['HEALTHY'] },
    rollbackPolicies: [POLICY],
  };
}

export interface RollbackSeen {
  release: FrozenRelease;
  state: ReleaseState;
}

/** The newest rollback of the product, once `until` holds of it. */
export async function rollbackOf(
  engine: TestEngine,
  product: string,
  until: (state: ReleaseState) => boolean = (state) => state.endedAt !== null,
): Promise<RollbackSeen> {
  const [id] = await rollbacksOf(engine, product, 1);
  const state = await engine.reached(id as string, until);
  const to = await engine.app.releaseEngine.look(id as string, { fresh: true });
  return { release: (to as RollbackSeen).release, state };
}

/** Ids, the newest first, once there are so many. */
export async function rollbacksOf(engine: TestEngine, product: string, count: number): Promise<string[]> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const { rows } = await engine.app.pool.query<{ id: string }>(
      `SELECT id FROM release WHERE product = $1 AND kind = 'ROLLBACK' ORDER BY number DESC`,
      [product],
    );
    if (rows.length >= count) return rows.map((row) => row.id);
    if (Date.now() > deadline) throw new Error(`${rows.length} rollbacks of ${product}, ${count} expected`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Environment → status, of everything that the release promotes. */
export function statuses({ release, state }: RollbackSeen): Record<string, string> {
  return Object.fromEntries(release.plan.promotions.map(({ name }, at) => [name, state.promotions[at]?.status ?? '']));
}

/** Environment → what is live there, as the deployment records say. */
export async function liveVersions(engine: TestEngine, product: string): Promise<Record<string, string>> {
  const { rows } = await engine.app.pool.query<{ environment: string; version: string }>(
    `SELECT DISTINCT ON (environment) environment, version FROM deployment WHERE product = $1
     ORDER BY environment, at DESC, id DESC`,
    [product],
  );
  return Object.fromEntries(rows.map((row) => [row.environment, row.version]));
}

export async function lookAt(engine: TestEngine, id: string): Promise<RollbackSeen> {
  return (await engine.app.releaseEngine.look(id, { fresh: true })) as RollbackSeen;
}
