import { expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import type { Clock } from '../../src/clock.ts';
import { systemClock } from '../../src/clock.ts';
import type { Seams } from '../../src/seams.ts';
import { Listener } from '../../src/store/listener.ts';

test("a listener that is closed while its connection is late says goodbye for half a second of the engine's clock", async () => {
  const waits: { name: string; ms: number; work: () => void }[] = [];
  const clock: Clock = {
    ...systemClock,
    after: (name, ms, work) => {
      waits.push({ name, ms, work });
      return { cancel: () => undefined };
    },
  };
  // Neither the connection nor its end comes about.
  const seams: Seams = { pass: () => new Promise<never>(() => undefined) };
  const listener = new Listener({
    url: 'postgres://127.0.0.1:1/nowhere',
    channels: ['sluice_abort'],
    onNotice: () => undefined,
    onConnected: () => undefined,
    log: createLog({ level: 'silent' }),
    clock,
    seams,
  });
  void listener.open();
  let closed = false;
  const closing = listener.close().then(() => (closed = true));
  await expect.poll(() => waits).toEqual([expect.objectContaining({ name: 'goodbye', ms: 500 })]);
  expect(closed).toBe(false);
  waits[0]?.work();
  await closing;
});
