import { describe, expect, test, vi } from 'vitest';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import { createSimulateDriver } from '../../src/drivers/simulate.ts';
import { conformsToDriver } from './conformance.ts';
import { contextOf } from './repository.ts';

const never = new AbortController().signal;
const source = { type: 'simulate' } as const;

describe('the simulate driver', () => {
  conformsToDriver(() => {
    const driver = createSimulateDriver();
    return {
      driver,
      target: () => source,
      content: () => driver.pin(source, undefined, { version: '1.4.2' }, never),
      observable: false,
    };
  });

  test('a release without a version is refused, and told how one names it', async () => {
    const pinned = createSimulateDriver().pin(source, undefined, {}, never);
    await expect(pinned).rejects.toThrow(PermanentError);
    await expect(pinned).rejects.toThrow('name it in `version` (`--version`)');
  });

  test('without a duration no timer is touched', async () => {
    const driver = createSimulateDriver();
    const content = await driver.pin(source, undefined, { version: '1' }, never);
    vi.useFakeTimers();
    try {
      expect(await driver.apply(source, content, contextOf('now'))).toEqual({ changed: true });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test('an abort cuts the duration short', async () => {
    const driver = createSimulateDriver();
    const content = await driver.pin(source, undefined, { version: '1' }, never);
    const abort = new AbortController();
    const applied = driver.apply({ ...source, duration: 60_000 }, content, contextOf('long', { signal: abort.signal }));
    abort.abort(new Error('stop'));
    await expect(applied).rejects.toThrow('stop');
  });

  test.each([
    ['FAILED', PermanentError],
    ['TRANSIENT', TransientError],
  ] as const)('it fails %s as often as told, counted over tries and attempts', async (failure, kind) => {
    const driver = createSimulateDriver();
    const target = { ...source, failures: 2, failure };
    const content = await driver.pin(source, undefined, { version: '1' }, never);
    await expect(driver.apply(target, content, contextOf('a'))).rejects.toThrow(kind);
    await expect(driver.apply(target, content, contextOf('a', { tries: 1 }))).rejects.toThrow(kind);
    expect(await driver.apply(target, content, contextOf('b', { attempt: 2, tries: 1 }))).toEqual({ changed: true });
  });

  test('it fails always with -1', async () => {
    const driver = createSimulateDriver();
    const content = await driver.pin(source, undefined, { version: '1' }, never);
    const asked = driver.apply({ ...source, failures: -1 }, content, contextOf('a', { attempt: 50, tries: 50 }));
    await expect(asked).rejects.toThrow(PermanentError);
  });
});
