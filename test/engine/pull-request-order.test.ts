import { afterEach, beforeEach, describe, expect } from 'vitest';
import { planRollback } from '../../src/commands/rollback-order.ts';
import { rollbackMerges } from '../../src/commands/rollback-merges.ts';
import { startManualRollback } from '../../src/commands/start-manual-rollback.ts';
import { reportDeployment } from '../../src/commands/report-deployment.ts';
import { reportHealth } from '../../src/commands/report-health.ts';
import { closeAbandoned } from '../../src/commands/tidy-pull-requests.ts';
import { startServer } from '../../src/server.ts';
import { loadRunway } from '../../src/store/load-facts.ts';
import { pullRequestsOf } from '../../src/store/pull-requests.ts';
import { sluice } from '../cli/served.ts';
import { ByPullRequest, HOSTS, hostsByTurns, onOneHost, REPOSITORY } from '../support/by-pull-request.ts';

describe.each(HOSTS)('on %s', { timeout: 60_000 }, (kind) => {
  const byTurns = hostsByTurns(kind);
  const once = onOneHost(kind);
  let at: ByPullRequest;
  beforeEach(async () => {
    at = await ByPullRequest.open(kind);
  });
  afterEach(() => at.close());

  /** Version 1 is recorded in eu as good, as if an earlier release had brought it; then 2 is merged. */
  async function twoVersions(): Promise<string[]> {
    const first = await at.release('2');
    await at.waits(first);
    await at.forge.merge(REPOSITORY, (await at.forge.pullRequest(REPOSITORY)).number, 'squash');
    await at.told();
    await at.engine.ended(first);
    const second = await at.release('3');
    await at.waits(second);
    await at.forge.merge(REPOSITORY, (await at.openThere())[0]!, 'squash');
    await at.told();
    await at.engine.ended(second);
    expect(await at.read()).toContain('tag: "3"');
    return [first, second];
  }

  once('a newer release waits its turn behind a pull request, where the flow says WAIT', async () => {
    await at.billing();
    const older = await at.release('2');
    await at.waits(older);
    const newer = await at.release('3');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const state = await at.engine.reached(newer, () => true);
    expect(state.status).toBe('QUEUED');
    expect(await at.openThere()).toHaveLength(1);
  });

  once('it ends the older one and closes its pull request, where the flow says REPLACE', async () => {
    await at.billing({ pullRequest: { onNewer: 'REPLACE' } });
    const older = await at.release('2');
    await at.waits(older);
    const newer = await at.release('3');
    const ended = await at.engine.ended(older);
    expect(ended).toMatchObject({
      status: 'TERMINATED',
      terminating: {
        reason: expect.stringMatching(/^a newer release, billing#\d+, replaces its pull request for eu$/),
      },
    });
    await at.waits(newer);
    await at.settled();
    const [open, ...others] = await at.openThere();
    expect(others).toEqual([]);
    await at.forge.merge(REPOSITORY, open!, 'squash');
    await at.told();
    expect((await at.engine.ended(newer)).status).toBe('SUCCEEDED');
    expect(await at.read()).toContain('tag: "3"');
  });

  for (const asked of [true, false])
    byTurns(
      `what is told between a merge and the look that notices it counts, and what was told before does not (asked what runs: ${asked})`,
      async () => {
        const { engine } = at;
        await at.billing({ health: { type: 'report' } });
        const sync = { type: 'report' as const };
        if (asked)
          await engine.save('Application', 'billing-eu', {
            product: 'billing',
            environment: 'eu',
            driver: at.git('eu'),
            sync,
            health: sync,
          });
        const tell = async (commit: string): Promise<void> => {
          if (asked) await reportDeployment(engine.app, { application: 'billing-eu', commit }, null);
          await reportHealth(engine.app, { application: 'billing-eu', status: 'HEALTHY' }, null);
        };
        const first = await at.release('2');
        await at.waitsUnseen(first);
        const before = (await at.config.head('main'))!;
        await tell(before);
        await at.forge.merge(REPOSITORY, (await at.forge.pullRequest(REPOSITORY)).number, 'squash');
        await at.told();
        await at.waitsBecause(first, asked ? 'waits for a report' : 'is PROGRESSING');
        await tell((await at.config.head('main'))!);
        expect((await engine.ended(first)).status).toBe('SUCCEEDED');

        const second = await at.release('3');
        await at.waitsUnseen(second);
        const commit = await at.forge.merge(REPOSITORY, (await at.forge.pullRequest(REPOSITORY)).number, 'squash');
        // Hosts date a merge by the second.
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        await tell(commit);
        await at.told();
        expect((await engine.ended(second)).status).toBe('SUCCEEDED');
      },
    );

  once('the time that people review counts for no runway', async () => {
    await at.billing();
    const id = await at.release('2');
    await at.waits(id);
    await at.forge.merge(REPOSITORY, (await at.forge.pullRequest(REPOSITORY)).number, 'squash');
    await at.told();
    await at.engine.ended(id);
    const { pool } = at.engine.app;
    const runway = async (): Promise<number> => (await loadRunway(pool, 'billing', ['eu']))['eu'] ?? 0;
    const took = await runway();
    // As if it had begun two days before, and been in review for nearly all of that.
    await pool.query(`UPDATE promotion SET started_at = started_at - interval '2 days' WHERE environment = 'eu'`);
    expect(await runway()).toBeGreaterThan(47 * 3_600_000);
    await pool.query(`UPDATE pull_request SET opened_at = opened_at - interval '2 days'`);
    expect(await runway()).toBeLessThan(took + 60_000);
  });

  byTurns('trap 13: one that was opened after everybody had looked is closed all the same', async () => {
    await at.billing();
    const id = await at.release('2');
    await at.waits(id);
    await at.engine.app.releaseEngine.tell(id, { kind: 'terminate', reason: 'not today', by: 'ada' });
    await at.engine.ended(id);
    await at.settled();
    const { pool } = at.engine.app;
    const [row] = await pullRequestsOf(pool, [id]);
    // The worker that was held up pushes and opens only now.
    await at.config.commit({ 'eu/values.yaml': 'tag: "2"\n' }, 'Late', { branch: row!.branch });
    const repository = at.config.url;
    const forge = (await at.engine.app.drivers.forge(repository))!;
    const { signal } = new AbortController();
    const late = await forge.open(repository, { head: row!.branch, base: 'main', title: 'Late', body: '' }, { signal });
    await pool.query(`UPDATE pull_request SET state = 'OPEN', number = $1`, [late.number]);
    await pool.query(`UPDATE promotion SET ended_at = ended_at - interval '5 minutes' WHERE release_id = $1`, [id]);
    await closeAbandoned(at.engine.app);
    expect(await at.openThere()).toEqual([]);
    expect((await pullRequestsOf(pool, [id]))[0]).toMatchObject({ state: 'CLOSED' });
  });

  byTurns(
    'a rollback of what came by pull request is one that Sluice merges, and its plan says before that it can',
    async () => {
      await at.billing();
      const [first, second] = await twoVersions();
      const input = { product: 'billing', environments: ['eu'], reason: 'slow' };
      const plan = await planRollback(at.engine.app, input, 'ada');
      expect(plan.value?.targets).toMatchObject([
        { environment: 'eu', decision: 'INCLUDED', to: { label: '2', release: first } },
      ]);
      expect((await rollbackMerges(at.engine.app, 'billing', ['dev', 'eu'])).get('eu')).toMatchObject({ may: true });
      const started = await startManualRollback(at.engine.app, input, 'ada');
      const id = started.value!.rollbackId;
      expect((await at.engine.ended(id)).status).toBe('SUCCEEDED');
      expect(await at.read()).toContain('tag: "2"');
      const all = await at.forge.pullRequests(REPOSITORY);
      const back = all.at(-1)!;
      expect(back).toMatchObject({
        state: 'merged',
        mergedBy: at.forge.account,
        title: 'Roll back billing in eu to 2',
      });
      expect(all).toHaveLength(3);
      const state = await at.engine.reached(second!, ({ promotions }) => promotions[1]?.status === 'ROLLED_BACK');
      expect(state.promotions[1]?.status).toBe('ROLLED_BACK');
      // It has ended, and is shown with what it opened and what hosts were told of it.
      const server = await startServer(at.engine.app);
      try {
        const { out } = await sluice({ SLUICE_SERVER: server.url }, 'get', 'release', id);
        // Hosts are told beside the release, and nothing any more when its pull request is merged.
        expect(out).toMatch(/^sluice\/billing\/eu +[0-9a-f]{7} +SUCCESS +(SUCCESS|-) /m);
        expect(out).toMatch(/^PULL REQUEST OF +NUMBER +STATE +ADDRESS$/m);
        expect(out).toMatch(new RegExp(`^eu +${back.number} +MERGED +http`, 'm'));
      } finally {
        await server.close();
      }
    },
  );

  once('a rollback that takes away what the later version had added, and changes nothing else, is merged', async () => {
    await at.billing({ promotion: { '*.conf': {} } });
    await at.config.commit({ 'dev/app.conf': 'a = 1\n' }, 'What it needs');
    const first = await at.release('2');
    await at.waits(first);
    await at.forge.merge(REPOSITORY, (await at.openThere())[0]!, 'squash');
    await at.told();
    await at.engine.ended(first);
    await at.config.commit({ 'dev/extra.conf': 'b = 1\n' }, 'One more file');
    const second = await at.release('3');
    await at.waits(second);
    await at.forge.merge(REPOSITORY, (await at.openThere())[0]!, 'squash');
    await at.told();
    await at.engine.ended(second);
    expect(await at.config.read('eu/extra.conf')).toBe('b = 1\n');
    const input = { product: 'billing', environments: ['eu'], reason: 'slow' };
    const started = await startManualRollback(at.engine.app, input, 'ada');
    const id = started.value!.rollbackId;
    expect((await at.engine.ended(id)).status).toBe('SUCCEEDED');
    await at.settled();
    const back = (await at.forge.pullRequests(REPOSITORY)).at(-1)!;
    expect(back).toMatchObject({ state: 'merged', title: 'Roll back billing in eu to 2' });
    expect(await at.config.read('eu/extra.conf')).toBeUndefined();
    expect(await at.ofType(id, 'PullRequestMerged')).toHaveLength(1);
    expect((await at.ofType(id, 'ActionCommitted')).at(-1)).toMatchObject({
      commit: await at.config.head('main'),
      changed: true,
    });
  });

  once('a rollback that comes while a newer pull request is open closes that first', async () => {
    await at.billing({ concurrency: 'PIPELINE' });
    const [first] = await twoVersions();
    const newer = await at.release('4');
    await at.waits(newer);
    const [open] = await at.openThere();
    const input = { product: 'billing', environments: ['eu'], reason: 'slow', to: '2' };
    const started = await startManualRollback(at.engine.app, input, 'ada');
    const id = started.value!.rollbackId;
    expect((await at.engine.ended(id)).status).toBe('SUCCEEDED');
    expect(await at.read()).toContain('tag: "2"');
    await at.settled();
    expect(await at.openThere()).toEqual([]);
    const forward = await at.forge.pullRequest(REPOSITORY, open);
    expect(forward.state).toBe('closed');
    expect(first).toBeDefined();
  });

  byTurns('a rollback that may not merge says who has to, and goes on when a person has merged', async () => {
    await at.billing();
    await twoVersions();
    at.forge.protect(REPOSITORY, 'main', { approvals: 1 });
    const merge = (await rollbackMerges(at.engine.app, 'billing', ['eu'])).get('eu');
    expect(merge).toEqual({ may: false, why: expect.stringMatching(/review|approv/) });
    const started = await startManualRollback(
      at.engine.app,
      { product: 'billing', environments: ['eu'], reason: 'slow' },
      'ada',
    );
    const id = started.value!.rollbackId;
    await at.engine.reached(
      id,
      ({ promotions }) =>
        promotions[0]?.steps.some(({ reason }) => reason?.includes('cannot be merged by Sluice now')) ?? false,
    );
    const [number] = await at.openThere();
    await at.forge.approve(REPOSITORY, number!, 'grace');
    await at.forge.merge(REPOSITORY, number!, 'squash', { by: 'grace' });
    await at.told();
    expect((await at.engine.ended(id)).status).toBe('SUCCEEDED');
  });
});
