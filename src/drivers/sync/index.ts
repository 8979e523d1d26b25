import type { SyncSourceSpec } from '../../core/definitions.ts';
import { describeChange, describeRunning, runs } from '../../core/running.ts';
import type { SecretSource } from '../secret-source.ts';
import type { SyncAnswer, SyncContext } from './source.ts';
import type { HttpClient } from '../http.ts';
import { checkArgoCd } from './argocd.ts';
import { lookElsewhere } from './elsewhere.ts';
import { checkHttp } from './http.ts';

/**
 * Whether the target runs the change. Throws when `context.signal` is aborted, and a `PermanentError` where its source will never tell (a token
 * that expired, a sync that failed): everything else is an answer.
 */
export async function checkSync(
  source: SyncSourceSpec,
  context: SyncContext,
  http: HttpClient,
  secrets: SecretSource,
): Promise<SyncAnswer> {
  context.signal.throwIfAborted();
  switch (source.type) {
    case 'none':
      return { synced: true, message: 'no source is asked' };
    case 'simulate':
      return checkSimulate(source, context);
    case 'report':
      return checkReport(context);
    case 'argocd':
      return checkArgoCd(source, context, http, secrets);
    case 'http':
      return checkHttp(source, context, http, secrets);
  }
}

/** No recheck: the report wakes the release. */
async function checkReport(context: SyncContext): Promise<SyncAnswer> {
  const { report, application, change } = context;
  const wanted = describeChange(change);
  if (!report) return { synced: false, message: `waits for a report that ${application} runs ${wanted}` };
  const synced = { synced: true, message: `${application} runs ${wanted}`, runsSince: report.at };
  if (runs(report, change)) return synced;
  const elsewhere = await lookElsewhere(report.commit, context);
  if (elsewhere === null) return synced;
  return { synced: false, message: `${application} runs ${describeRunning(report)}${elsewhere}, not ${wanted}` };
}

function checkSimulate(
  { after = 0, never = [] }: Extract<SyncSourceSpec, { type: 'simulate' }>,
  { application, change, since, now }: SyncContext,
): SyncAnswer {
  const wanted = describeChange(change);
  if (never.includes(change.version))
    return { synced: false, message: `${application} never runs ${wanted} (simulated)` };
  const missing = since.getTime() + after - now.getTime();
  if (missing <= 0) return { synced: true, message: `${application} runs ${wanted} (simulated)` };
  return { synced: false, message: `${application} does not run ${wanted} yet (simulated)`, recheckAfter: missing };
}
