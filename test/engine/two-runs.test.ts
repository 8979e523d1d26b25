import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Forge, PullRequestOpened } from '../../src/drivers/forge/forge.ts';
import { OPENED } from '../../src/core/pull-request.ts';
import { newsOf } from '../../src/commands/close-pull-request.ts';
import { ByPullRequest, REPOSITORY } from '../support/by-pull-request.ts';

// The lock of a job may run out while its worker is at an effect: then another worker runs the same step, under the same key, and
// whichever is done first is recorded. What the slower one finds in the database then is no reason to take anything back.

let at: ByPullRequest;
beforeEach(async () => {
  at = await ByPullRequest.open();
  await at.billing();
});
afterEach(() => at.close());

/** `meanwhile` comes when the host has opened a pull request, before the run that asked for it hears of that. */
function whileOpening(meanwhile: (opened: PullRequestOpened) => Promise<unknown>): void {
  const { drivers } = at.engine.app;
  const find = drivers.forge.bind(drivers);
  drivers.forge = async (repository) => {
    const forge = await find(repository);
    const open: Forge['open'] = async (...asked) => {
      const opened = await forge!.open(...asked);
      await meanwhile(opened);
      return opened;
    };
    return forge && Object.assign(Object.create(forge) as Forge, { open });
  };
}

/** The step that opens the pull request of a release, as its job has it. */
async function opening(releaseId: string) {
  const { state, release } = (await at.engine.app.releaseEngine.look(releaseId, { fresh: true }))!;
  const step = release.plan.promotions[1]!.steps.findIndex(({ work }) => work.kind === 'propose');
  const { attempt, steps } = state.promotions[1]!;
  return { promotion: 1, attempt, step, dispatch: steps[step]!.dispatch };
}

test('a pull request that another run of the same job has recorded stays open, and the release goes on with it', async () => {
  let heard = (_: unknown): void => undefined;
  const recorded = new Promise((resolve) => (heard = resolve));
  let releaseId = '';
  whileOpening(async (opened) => {
    const outputs = {
      [OPENED.number]: String(opened.number),
      [OPENED.url]: opened.url,
      [OPENED.branch]: opened.head.branch,
      [OPENED.head]: opened.head.sha,
    };
    await at.engine.app.releaseEngine.tellKnown(releaseId, {
      kind: 'outcome',
      ...(await opening(releaseId)),
      outcome: { kind: 'succeeded', outputs, pullRequest: { ...newsOf(opened), state: 'OPEN' } },
    });
    heard(undefined);
  });
  releaseId = await at.release('2');
  await recorded;
  await at.waitsUnseen(releaseId);
  const [number, ...others] = await at.openThere();
  expect(others).toEqual([]);
  await at.forge.merge(REPOSITORY, number!, 'squash');
  expect(await at.told()).toBe(1);
  expect((await at.engine.ended(releaseId)).status).toBe('SUCCEEDED');
  const counters = await at.forge.counters(REPOSITORY);
  expect([counters.opened.length, counters.closed]).toEqual([1, []]);
});

test('one that was given up while it was opened is closed again', async () => {
  whileOpening(async () => at.engine.app.releaseEngine.tell(releaseId, { kind: 'terminate', reason: 'no', by: null }));
  const releaseId = await at.release('2');
  expect((await at.engine.ended(releaseId)).status).toBe('TERMINATED');
  await at.settled();
  expect(await at.openThere()).toEqual([]);
});
