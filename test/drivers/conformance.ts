import { expect, test } from 'vitest';
import type { DriverSpec } from '../../src/core/definitions.ts';
import type { Driver, PinnedContent } from '../../src/drivers/driver.ts';
import { contextOf } from './repository.ts';

export interface Subject<S extends DriverSpec> {
  driver: Driver<S>;
  /** A fresh target that holds something else than the content. */
  target: () => S;
  content: () => Promise<PinnedContent>;
  /** The driver has something to look at: `matches` must answer. */
  observable: boolean;
}

const never = new AbortController().signal;

/** What every driver promises, the real ones and the fakes. */
export function conformsToDriver<S extends DriverSpec>(make: () => Subject<S>): void {
  test('asking twice with one key has one effect, and the same answer', async () => {
    const { driver, target, content } = make();
    const [there, what] = [target(), await content()];
    const first = await driver.apply(there, what, contextOf('twice'));
    const second = await driver.apply(there, what, contextOf('twice', { tries: 1 }));
    expect(first.changed).toBe(true);
    expect(second).toEqual(first);
  });

  test('an effect is observed by its key after it happened, and not before', async () => {
    const { driver, target, content } = make();
    const there = target();
    expect(await driver.observe(there, 'observed', never)).toBeUndefined();
    const effect = await driver.apply(there, await content(), contextOf('observed'));
    expect(await driver.observe(there, 'observed', never)).toEqual(effect);
    expect(await driver.observe(there, 'observe', never)).toBeUndefined();
  });

  test('an aborted apply has no effect and rejects with the reason', async () => {
    const { driver, target, content } = make();
    const there = target();
    const what = await content();
    const reason = new Error('terminated by a person');
    await expect(driver.apply(there, what, contextOf('aborted', { signal: AbortSignal.abort(reason) }))).rejects.toBe(
      reason,
    );
    expect(await driver.observe(there, 'aborted', never)).toBeUndefined();
  });

  test('what is live matches the content once it was applied', async () => {
    const { driver, target, content, observable } = make();
    const there = target();
    const what = await content();
    const before = await driver.matches(there, what, never);
    await driver.apply(there, what, contextOf('live'));
    const after = await driver.matches(there, what, never);
    if (!observable) return expect([before, after]).toEqual([undefined, undefined]);
    expect([before?.matches, after?.matches]).toEqual([false, true]);
  });

  test('one version pinned twice has one digest', async () => {
    const { content } = make();
    expect((await content()).digest).toBe((await content()).digest);
  });
}
