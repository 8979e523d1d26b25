import type { App } from './app.ts';
import { checkMergeGroup } from './commands/check-merge-group.ts';
import { mayMergeNow } from './commands/judge-merge.ts';
import { Rounds, within } from './clock.ts';
import { hasUnseenEffect } from './core/steps.ts';
import { ActionLogs } from './jobs/action-logs.ts';
import { CandidateWatch } from './jobs/candidate-watch.ts';
import { CarryJob } from './jobs/carry.ts';
import { DriftWatch } from './jobs/drift-watch.ts';
import { Observer } from './jobs/observe.ts';
import type { Hands } from './jobs/runners/runner.ts';
import { PullRequestWatch } from './jobs/pull-request-watch.ts';
import { RepositoryWatch } from './jobs/repository-watch.ts';
import { StatusSender } from './jobs/status-sender.ts';
import { lookForStops } from './jobs/stops.ts';
import { Sweep } from './jobs/sweep.ts';
import { checkLive } from './commands/check-live.ts';
import { closePullRequest, deleteOwnBranch } from './commands/close-pull-request.ts';
import { releaseUrl } from './commands/release-url.ts';
import { sha256 } from './drivers/content.ts';
import { beginPullRequest, openPullRequestsIn, pullRequestsOf, sawPullRequest } from './store/pull-requests.ts';
import { CANDIDATES_DUE } from './store/candidates.ts';
import { knownContents } from './store/known-contents.ts';
import { newestDeploymentReport } from './store/deployment-reports.ts';
import { newestHealthReport } from './store/health-reports.ts';
import { HINTED } from './store/news.ts';
import { Listener } from './store/listener.ts';

/** The hands of one process: takes jobs, keeps times, makes up for what was lost. Resolves once it takes jobs. */
export async function startWorker(app: App): Promise<{ close(): Promise<void> }> {
  const { releaseEngine, queue, aborts, log, pool, clock, drivers, config, definitions, limits } = app;
  const actionLogs = ActionLogs.on(pool, { clock, log });
  const hands: Hands = {
    drivers,
    actionLogs,
    clock,
    healthReport: (application) => newestHealthReport(pool, application),
    content: (reference) => releaseEngine.frozen.content(reference),
    knownContents: async (place, releases) => {
      const known = await knownContents(pool, place, releases);
      return Promise.all(known.map((each) => releaseEngine.frozen.content(each)));
    },
    deploymentReport: (application) => newestDeploymentReport(pool, application),
    mayMerge: (promotion) => mayMergeNow(app, promotion),
    inMergeQueue: (group) => checkMergeGroup(app, group),
    pullRequests: {
      begin: (record) => beginPullRequest(pool, record),
      saw: (key, seen) => sawPullRequest(pool, key, seen),
      ofRelease: (release) => pullRequestsOf(pool, [release]),
      openIn: (place) => openPullRequestsIn(pool, place),
      close: (record, reason, signal) => closePullRequest(app, record, reason, signal),
      deleteBranch: (record, signal) => deleteOwnBranch(app, record, signal),
    },
    branchOf: ({ product, environment }, key) =>
      `${config.git.branchPrefix}/${product}/${environment}/${sha256(key).slice(0, 16)}`,
    linkTo: (release) => releaseUrl(config, release),
    lookAtLive: async (product, environment) => void (await checkLive(app, product, [environment])),
    mayStillArrive: async (place, release) => {
      const to = await releaseEngine.look(release, { fresh: true });
      return to !== null && hasUnseenEffect(to.release.plan, to.state, place.environment, place.application);
    },
  };
  const carry = new CarryJob({ releaseEngine, queue, hands, aborts, log });
  const worker = queue.work((job, token) => carry.run(job, token));
  worker.on('failed', (job, error) => log.warn({ job: job?.id, error }, 'a job failed'));
  const running = worker.run().catch((error: unknown) => log.error({ error }, 'the worker stopped'));

  const repositories = new RepositoryWatch(app);
  const candidates = new CandidateWatch(app);
  const listener = new Listener({
    url: app.databaseUrl,
    channels: ['sluice_abort', HINTED, CANDIDATES_DUE],
    times: app.times,
    onNotice: (channel, payload) => {
      if (channel === HINTED) return repositories.hurry();
      if (channel === CANDIDATES_DUE) return candidates.hurry();
      const { releaseId, promotions } = JSON.parse(payload) as { releaseId: string; promotions: number[] };
      for (const promotion of promotions) aborts.abort(releaseId, 'stop', promotion);
    },
    onConnected: () => {
      releaseEngine.forget();
      definitions.forget();
    },
    log,
    clock,
    seams: app.seams,
  });
  await listener.open();
  const sweep = new Sweep({ ...app, intervalMs: config.sweepIntervalMs });
  sweep.start();
  const observer = new Observer(app, hands);
  observer.start();
  const statuses = new StatusSender(app);
  statuses.start();
  candidates.start();
  const drift = new DriftWatch(app);
  if (config.driftIntervalMs > 0) drift.start();
  repositories.start();
  const pullRequests = new PullRequestWatch(app);
  pullRequests.start();
  const stops = new Rounds(clock, 'stops', limits.stopsEvery, () =>
    lookForStops(releaseEngine, aborts, 1_000).catch((error: unknown) => log.debug({ error }, 'looking for stops')),
  );
  stops.start();

  return {
    async close() {
      const rounds = [
        stops.close(),
        sweep.close(),
        observer.close(),
        statuses.close(),
        drift.close(),
        repositories.close(),
        candidates.close(),
        drift.close(),
        pullRequests.close(),
        listener.close(),
      ];
      // What does not end by itself is handed back to the queue: another worker takes it up.
      const grace = clock.after('shutdown', GRACE, () => aborts.abortAll('shutdown'));
      const all = Promise.all([...rounds, worker.close(), running]);
      const ended = await within(clock, 'shutdown', GRACE + HANDING_BACK, all);
      grace.cancel();
      await within(clock, 'action-log', HANDING_BACK, actionLogs.close());
      // Beside a database that does not answer nothing can be handed back: the locks of the jobs end by themselves.
      if (!ended) log.warn('what was running did not end in time: another worker takes it up when its lock is over');
    },
  };
}

/** How long a running step may take to end by itself at shutdown, in milliseconds. */
const GRACE = 3_000;
/** And how long to be handed back. */
const HANDING_BACK = 2_000;
