import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Forge, PullRequestOpened, PullRequestSeen } from '../../src/drivers/forge/forge.ts';
import { OPENED } from '../../src/core/pull-request.ts';
import { newsOf } from '../../src/commands/close-pull-request.ts';
import { closeAbandoned } from '../../src/commands/tidy-pull-requests.ts';
import { pullRequestsOf } from '../../src/store/pull-requests.ts';
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

/** `meanwhile` comes once, when the host has said how a pull request is, before the run that asked hears of that. */
function whileLooking(meanwhile: (seen: PullRequestSeen) => Promise<unknown>): void {
  const { drivers } = at.engine.app;
  const find = drivers.forge.bind(drivers);
  let isFirst = true;
  drivers.forge = async (repository) => {
    const forge = await find(repository);
    const get: Forge['get'] = async (...asked) => {
      const seen = await forge!.get(...asked);
      if (isFirst) {
        isFirst = false;
        await meanwhile(seen);
      }
      return seen;
    };
    return forge && Object.assign(Object.create(forge) as Forge, { get });
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

test('what a run hears late of a pull request does not undo what another one has seen since', async () => {
  const releaseId = await at.release('2');
  await at.waitsUnseen(releaseId);
  const { pool } = at.engine.app;
  const { number, head } = await at.forge.pullRequest(REPOSITORY);
  whileLooking(async (seen) => {
    await at.forge.closePullRequest(REPOSITORY, number, 'grace');
    const { state, release } = (await at.engine.app.releaseEngine.look(releaseId, { fresh: true }))!;
    const step = release.plan.promotions[1]!.steps.findIndex(({ work }) => work.kind === 'merge');
    const { attempt, steps } = state.promotions[1]!;
    await pool.query(`UPDATE pull_request SET state = 'CLOSED'`);
    await at.engine.app.releaseEngine.tellKnown(releaseId, {
      kind: 'outcome',
      promotion: 1,
      attempt,
      step,
      dispatch: steps[step]!.dispatch,
      outcome: { kind: 'failed', message: 'closed by grace', pullRequest: { ...newsOf(seen), state: 'CLOSED' } },
    });
  });
  await at.told();
  expect(await at.failure(releaseId)).toBe('closed by grace');
  // The slower run goes on with what it heard, and has nothing to say that counts.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await pool.query(`UPDATE promotion SET ended_at = ended_at - interval '5 minutes' WHERE release_id = $1`, [
    releaseId,
  ]);
  await closeAbandoned(at.engine.app);
  expect(await pullRequestsOf(pool, [releaseId])).toMatchObject([{ state: 'CLOSED' }]);
  expect(await at.ofType(releaseId, 'PullRequestClosed')).toHaveLength(1);
  expect(await at.config.head(head.branch)).toBe(head.sha);
});
