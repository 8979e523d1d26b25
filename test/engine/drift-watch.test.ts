import { afterAll, beforeAll, expect, test } from 'vitest';
import { DriftWatch } from '../../src/jobs/drift-watch.ts';
import { onOneBackend } from '../support/backends.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

onOneBackend('postgres', (backend) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    await engine.startWorker();
  });
  afterAll(() => engine.close());

  test('a target that does not answer holds up nobody else', async () => {
    await engine.saveBilling('billing');
    await engine.ended(await engine.trigger({ product: 'billing', version: '1' }));
    let asked = 0;
    let release = (): void => undefined;
    const allAsked = new Promise<void>((resolve) => (release = resolve));
    const { drivers, config } = engine.app;
    const watched = Object.create(drivers) as typeof drivers;
    watched.driver = (spec) => ({
      ...drivers.driver(spec),
      matches: async () => {
        asked += 1;
        if (asked === 5) release();
        // The first one hangs until every other environment has been looked at.
        else if (asked === 1) await allAsked;
        return { matches: true };
      },
    });
    await new DriftWatch({ ...engine.app, drivers: watched, config: { ...config, driftIntervalMs: 0 } }).round();
    expect(asked).toBe(5);
    const { rows } = await engine.app.pool.query(
      `SELECT environment FROM deployment WHERE product = 'billing' AND looked_at IS NOT NULL AND unseen IS NULL`,
    );
    expect(rows).toHaveLength(5);
  });
});
