import { afterAll, beforeAll, expect, test } from 'vitest';
import { deleteDefinition } from '../../src/commands/delete-definition.ts';
import { saveDefinition } from '../../src/commands/save-definition.ts';
import type { Specs } from '../../src/core/definitions.ts';
import { getDefinition } from '../../src/store/definitions.ts';
import { onOneBackend } from '../support/backends.ts';
import { systemClock } from '../../src/clock.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

/** Closed from now on for a year, or open from `opensIn` milliseconds on. */
const window = (
  kind: 'ALLOW' | 'DENY',
  from: number,
  onClose: 'FINISH' | 'PAUSE' = 'FINISH',
): Specs['ReleaseWindow'] => ({
  kind,
  timeZone: 'UTC',
  from: new Date(from).toISOString(),
  to: new Date(from + 365 * 24 * 3_600_000).toISOString(),
  selector: { environments: { names: ['eu'] }, products: {} },
  holds: ['PROMOTE'],
  onClose,
  runway: false,
});

onOneBackend('postgres', (backend) => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine(backend);
    await engine.startWorker();
  });
  afterAll(() => engine.close());

  /** Once what it holds waits, however long that took. @returns the moment at which it opens now */
  const opensSoon = async (name: string): Promise<number> => {
    const opens = Math.ceil(Date.now() / 1_000) * 1_000 + 1_000;
    await engine.save('ReleaseWindow', name, window('ALLOW', opens));
    return opens;
  };

  test('a closed window holds its environment alone, and what waits starts by itself at the opening', async () => {
    await engine.saveBilling('timed');
    await engine.save('ReleaseWindow', 'later', window('ALLOW', Date.now() + 3_600_000));
    const id = await engine.trigger({ product: 'timed', version: '1' });
    const waiting = await engine.reached(
      id,
      (state) => state.promotions[2]?.status === 'SUCCEEDED' && state.promotions[4]?.status === 'SUCCEEDED',
    );
    expect(waiting.promotions[3]).toMatchObject({ status: 'WAITING', startedAt: null });
    const opens = await opensSoon('later');
    const state = await engine.ended(id);
    expect(state.status).toBe('SUCCEEDED');
    const { startedAt, evidence } = state.promotions[3] as {
      startedAt: number;
      evidence: { gate: string; verdict: string }[];
    };
    expect(startedAt).toBeGreaterThanOrEqual(opens);
    expect(evidence.find((each) => each.gate === 'WINDOW')).toMatchObject({ verdict: 'pass', windows: ['later'] });
    await deleteDefinition(engine.app, 'ReleaseWindow', 'later', { actor: 'test' });
  });

  test('deleting the window lets what waits for it start at once', async () => {
    await engine.saveBilling('freed');
    await engine.save('ReleaseWindow', 'frozen', window('DENY', Date.now() - 1_000));
    const id = await engine.trigger({ product: 'freed', version: '1' });
    await engine.reached(id, (state) => state.status === 'SUSPENDED');
    const result = await deleteDefinition(engine.app, 'ReleaseWindow', 'frozen', { actor: 'test' });
    expect(result.refusals).toBeUndefined();
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  });

  test('a window that pauses holds work on its way before its next phase', async () => {
    await engine.saveBilling('paused', {
      driver: (environment) => ({ type: 'simulate', duration: environment === 'eu' ? 3_000 : 0 }),
    });
    await engine.save('ReleaseWindow', 'pausing', window('DENY', Date.now() + 3_600_000, 'PAUSE'));
    const id = await engine.trigger({ product: 'paused', version: '1' });
    await engine.reached(id, (state) => state.promotions[3]?.status === 'RUNNING');
    await engine.save('ReleaseWindow', 'pausing', window('DENY', Date.now() - 1_000, 'PAUSE'));
    const paused = await engine.reached(id, (state) => state.promotions[3]?.status === 'WAITING');
    expect(paused.promotions[3]?.steps.map((each) => each.status)).toEqual(['SUCCEEDED', 'PENDING']);
    await deleteDefinition(engine.app, 'ReleaseWindow', 'pausing', { actor: 'test' });
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  });

  test('of two servers that edit a window at once one is told that it was too late, and what waits sees what was saved', async () => {
    await engine.saveBilling('edited');
    await engine.save('ReleaseWindow', 'shared', window('DENY', Date.now() - 1_000));
    const id = await engine.trigger({ product: 'edited', version: '1' });
    await engine.reached(id, (state) => state.status === 'SUSPENDED');
    const other = await engine.another();
    const { revision = 0 } = (await getDefinition(engine.app.dataSource, 'ReleaseWindow', 'shared')) ?? {};
    const later = Date.now() + 3_600_000;
    const edits = await Promise.all(
      [engine.app, other].map((app, index) =>
        saveDefinition(
          app,
          {
            kind: 'ReleaseWindow',
            metadata: { name: 'shared', labels: { by: String(index) }, annotations: {} },
            spec: window('DENY', later),
          },
          { mode: 'UPDATE', expectedRevision: revision, actor: 'test' },
        ),
      ),
    );
    expect(edits.map((each) => each.refusals?.[0]?.code ?? 'saved').sort()).toEqual(['CONFLICT', 'saved']);
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    await deleteDefinition(engine.app, 'ReleaseWindow', 'shared', { actor: 'test' });
  });

  test('a process that has just started knows the windows that were closed before', async () => {
    await engine.saveBilling('restarted');
    await engine.save('ReleaseWindow', 'still-closed', window('DENY', Date.now() - 1_000));
    const id = await engine.trigger({ product: 'restarted', version: '1' });
    await engine.reached(id, (state) => state.status === 'SUSPENDED');
    const fresh = await engine.another();
    const looked = await fresh.releaseEngine.tell(id, { kind: 'tick' });
    expect(looked?.state.promotions[3]).toMatchObject({ status: 'WAITING', startedAt: null });
    await deleteDefinition(engine.app, 'ReleaseWindow', 'still-closed', { actor: 'test' });
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  });

  test('a process whose machine is a minute behind sees the opening when all others do, and nothing starts twice', async () => {
    await engine.saveBilling('skewed');
    await engine.save('ReleaseWindow', 'opening', window('ALLOW', Date.now() + 3_600_000));
    const slow = await engine.another({ clock: { ...systemClock, now: () => new Date(Date.now() - 60_000) } });
    const id = await engine.trigger({ product: 'skewed', version: '1' });
    await engine.reached(id, (state) => state.promotions[3]?.status === 'WAITING');
    // It looks all the time.
    // The last look may meet a process that is closing.
    const look = (): void => void slow.releaseEngine.tell(id, { kind: 'tick' }).catch(() => undefined);
    const looking = setInterval(look, 50);
    const opens = await opensSoon('opening');
    const state = await engine.ended(id).finally(() => clearInterval(looking));
    expect(state.status).toBe('SUCCEEDED');
    expect(state.promotions[3]?.startedAt).toBeGreaterThanOrEqual(opens);
    const events = await engine.events(id);
    const starts = events.filter((each) => each.type === 'PromotionStarted' && each.environment === 'eu');
    expect(starts).toHaveLength(1);
    await deleteDefinition(engine.app, 'ReleaseWindow', 'opening', { actor: 'test' });
  });
});
