import type { PlannedApplication, StepWork } from '../../core/plan.ts';
import type { Outcome } from '../../core/release.ts';
import { runs } from '../../core/running.ts';
import { madeBy } from '../../core/sync.ts';
import type { Made } from '../../core/sync.ts';
import type { DeploymentReport } from '../../store/deployment-reports.ts';
import { PermanentError } from '../../drivers/driver.ts';
import type { PinnedContent } from '../../drivers/driver.ts';
import { folderOf } from '../../drivers/sync/contains.ts';
import { asking } from './runner.ts';
import type { StepAt } from './runner.ts';

type Sync = Extract<StepWork, { kind: 'sync' }>;

/** Does the target run the change? Until it does, it waits for an outside system, at most for the step's patience. */
export const syncRunner = asking<Sync>(async (at): Promise<Outcome> => {
  const { hands, release, promoted, planned, promotionState, stepState, application, context } = at;
  if (application === undefined) return { kind: 'failed', message: `${planned.id} has no application` };
  const { sync = { type: 'none' } } = application.spec;
  const version = release.contents[application.content];
  const made = madeBy(promoted, promotionState, promoted.applications.indexOf(application));
  const commit = made.commit ?? version?.commit;
  const content = (): Promise<PinnedContent> => {
    if (!version) throw new PermanentError(`the pinned content of ${application.content} is missing`);
    return hands.content({ release: release.id, content: application.content, version });
  };
  const answer = await hands.drivers.checkSync(sync, {
    application: application.name,
    product: release.product,
    change: { version: version?.label ?? release.version, commit },
    ...folderOf(hands.drivers, application.spec.driver, { commit, content }, context.signal),
    since: new Date(made.at),
    now: hands.clock.now(),
    report: sync.type === 'report' ? await reportOf(at, application, made) : undefined,
    key: context.key,
    // The lock at last: it is renewed, and a sync that is asked for next has all of its time. Argo CD cannot tell it from a second one.
    stillMine: async () => ((await context.stillMine?.()) ?? true) && ((await context.holdsLock?.()) ?? true),
    progress: stepState.progress ?? undefined,
    signal: context.signal,
  });
  const { synced, message, runsSince, ...more } = answer;
  // What was true before a change that changed nothing counts from then on; of another one it was told after it was made.
  const from = made.already ? made.at : 0;
  if (synced) return { kind: 'succeeded', ...(runsSince && { runsSince: Math.max(runsSince.getTime(), from) }) };
  return { kind: 'pending', reason: message, waitsFor: 'SYSTEM', ...more };
});

/**
 * A report from before a change says nothing about it; where nothing had to be changed, the newest one does. One that names the commit of the
 * change counts whenever it came: a worker that died between push and record writes the change down later than its target may run it.
 */
async function reportOf(
  { hands }: StepAt<Sync>,
  { name }: PlannedApplication,
  made: Made,
): Promise<DeploymentReport | undefined> {
  const report = await hands.deploymentReport(name);
  if (report === undefined || made.already || report.at.getTime() >= made.at) return report;
  const { commit } = report;
  return commit !== undefined && runs({ commit }, { version: '', commit: made.commit }) ? report : undefined;
}
