import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { terminateRelease } from '../../src/commands/control-release.ts';
import { onOneBackend } from '../support/backends.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

onOneBackend('postgres', (backend) => {
  let engine: TestEngine;
  let folder: string;
  beforeAll(async () => {
    engine = await openTestEngine(backend, { SLUICE_COMMANDS: '/bin/sh' });
    folder = mkdtempSync(join(tmpdir(), 'sluice-commands-'));
  });
  afterAll(async () => {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const runs = (product: string): number => {
    try {
      return readFileSync(join(folder, product), 'utf8').length;
    } catch {
      return 0;
    }
  };
  /** The pre-action of staging notes each of its runs; the first one takes long. */
  async function saveWith(product: string, more: Record<string, unknown> = {}): Promise<void> {
    await engine.saveBilling(product);
    const file = join(folder, product);
    const script = `printf x >> "${file}"; test $(wc -c < "${file}") -gt 1 || sleep 60`;
    const parameters = { program: '/bin/sh', args: ['-c', script], ...more };
    await engine.save('PromotionWorkflow', 'checks', { actions: [{ name: 'migrate', type: 'command', parameters }] });
  }

  test('a command whose worker shuts down is run again by another one', async () => {
    await saveWith('again');
    const first = await engine.startWorker(await engine.another());
    const id = await engine.trigger({ product: 'again', version: '1' });
    await expect.poll(() => runs('again')).toBe(1);
    await first.close();
    const second = await engine.startWorker(await engine.another());
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    expect(runs('again')).toBe(2);
    await second.close();
  });

  test('one that must not run twice has failed then, and it is not clear how', async () => {
    await saveWith('once', { idempotent: false });
    const first = await engine.startWorker(await engine.another());
    const id = await engine.trigger({ product: 'once', version: '1' });
    await expect.poll(() => runs('once')).toBe(1);
    await first.close();
    const second = await engine.startWorker(await engine.another());
    const { status, promotions, firstProblem } = await engine.ended(id);
    expect([status, promotions[1]?.steps[0]?.unclear]).toEqual(['FAILED', true]);
    expect(firstProblem?.message).toContain('is not run twice');
    expect(runs('once')).toBe(1);
    await second.close();
  });

  test('a terminated release ends its command', async () => {
    await saveWith('stopped');
    const worker = await engine.startWorker(await engine.another());
    const id = await engine.trigger({ product: 'stopped', version: '1' });
    await expect.poll(() => runs('stopped')).toBe(1);
    await terminateRelease(engine.app, { releaseId: id }, 'test');
    expect((await engine.ended(id)).status).toBe('TERMINATED');
    expect(runs('stopped')).toBe(1);
    await worker.close();
  });
});
