import { LRUCache } from 'lru-cache';
import type { Progress } from '../core/release.ts';
import { runs } from '../core/running.ts';
import type { Standing } from '../core/trigger/next-step.ts';
import type { Pinned } from '../commands/trigger/pin.ts';
import { folderOf } from '../drivers/sync/contains.ts';
import type { Parts } from '../parts.ts';
import type { KeptCandidate } from '../store/candidates.ts';
import type { DefinitionSnapshot } from '../store/definition-snapshot.ts';
import { newestDeploymentReport } from '../store/deployment-reports.ts';
import { newestHealthReport } from '../store/health-reports.ts';

/** Of every application of the trigger environment: whether it runs the state, and is healthy. */
export async function standingsOf(
  app: Parts,
  definitions: DefinitionSnapshot,
  { id, product, environment, facts }: KeptCandidate,
  { contents }: Pinned,
): Promise<Standing[]> {
  const here = definitions.applicationsOf(product).filter(({ spec }) => spec.environment === environment);
  const signal = app.clock.limit('trigger', LIMIT);
  const asked = here.map(async ({ metadata: { name }, spec }): Promise<Standing> => {
    const content = contents[name]!;
    const about = { application: name, product, since: new Date(facts.since), now: app.clock.now(), signal };
    const change = { version: content.label, commit: content.commit };
    const { sync = { type: 'none' }, health } = spec;
    const found = { commit: content.commit, content: () => Promise.resolve(content) };
    const key = `${id}.${name}`;
    const synced = await app.drivers.checkSync(sync, {
      ...about,
      progress: looks.get(key),
      ...folderOf(app.drivers, spec.driver, found, signal),
      change,
      key,
      report: sync.type === 'report' ? await deploymentReport(app, name, change, about.since) : undefined,
    });
    looks.set(key, synced.synced ? undefined : synced.progress);
    if (!synced.synced)
      return {
        application: name,
        synced: false,
        health: 'UNKNOWN',
        message: synced.message,
        recheckAfter: synced.recheckAfter,
      };
    const answer = await app.drivers.checkHealth(health, {
      ...about,
      environment,
      version: content.label,
      argoCd: sync.type === 'argocd' ? sync : undefined,
      report: health.type === 'report' ? await healthReport(app, name, about.since) : undefined,
    });
    return {
      application: name,
      synced: true,
      health: answer.status,
      message: answer.message ?? '',
      recheckAfter: answer.recheckAfter,
    };
  });
  return Promise.all(asked);
}

/** What sources keep from one look to the next, by key. Another process begins anew, and asks its source once more to compare. */
const looks = new LRUCache<string, Progress>({ max: 1_000 });

/** A report that names the commit is about it whenever it came; one from before that names the version may be about an earlier one. */
async function deploymentReport(
  { pool }: Parts,
  application: string,
  change: { version: string; commit?: string },
  since: Date,
): ReturnType<typeof newestDeploymentReport> {
  const report = await newestDeploymentReport(pool, application);
  if (report === undefined || report.at >= since) return report;
  return report.commit !== undefined && runs({ commit: report.commit }, change) ? report : undefined;
}

async function healthReport({ pool }: Parts, application: string, since: Date): ReturnType<typeof newestHealthReport> {
  const report = await newestHealthReport(pool, application);
  return report !== undefined && report.at >= since ? report : undefined;
}

/** In milliseconds. */
const LIMIT = 30_000;
