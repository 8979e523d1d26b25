import type { Parts } from '../parts.ts';
import type { StoredDefinition } from '../core/definitions.ts';
import { refusal } from '../core/problems.ts';
import type { Running } from '../core/running.ts';
import { clientOf } from '../entities/data-source.ts';
import { wakeCandidates } from '../store/candidates.ts';
import { getDefinition } from '../store/definitions.ts';
import { newestDeploymentReport, saveDeploymentReport } from '../store/deployment-reports.ts';
import type { DeploymentReport } from '../store/deployment-reports.ts';
import { pages } from '../store/pages.ts';
import { releasesIn } from '../store/unfinished.ts';
import type { Numbered } from '../store/unfinished.ts';
import { auditChange } from './audit.ts';
import { seenAt } from './report-health.ts';
import type { Result } from './result.ts';
import { runningReported } from './trigger/running-reported.ts';

/** A report; the commit or the version has to be named. */
export interface DeploymentInput extends Pick<Running, 'commit' | 'version'> {
  application: string;
  /** When it was seen; now when left out, or when it has not come yet. One that is older than what is known is kept out. */
  at?: Date;
}

/** A report of the commit or version that an application runs: steps that wait for it look at once. */
export async function reportDeployment(
  app: Parts,
  input: DeploymentInput,
  actor: string | null,
): Promise<Result<{ application: string; accepted: boolean }>> {
  const { application: name, commit, version } = input;
  const at = seenAt(input.at, app.clock.now());
  const application = await getDefinition(app.dataSource, 'Application', name);
  if (!application) return { refusals: [refusal('NOT_FOUND', `there is no application "${name}"`, ['application'])] };
  if (commit === undefined && version === undefined)
    return { refusals: [refusal('INVALID', 'name the commit or the version that runs, or both', ['version'])] };
  if (commit !== undefined && !/^[0-9a-f]{7,64}$/i.test(commit)) {
    const message = `the commit "${commit.slice(0, 80)}" is not 7 to 64 hexadecimal digits`;
    return { refusals: [refusal('INVALID', message, ['commit'])] };
  }
  const { product, environment } = application.spec;
  const accepted = await save(app, application, { commit, version, at }, actor);
  if (!accepted) return { value: { application: name, accepted } };
  await runningReported(app, name, { version, at });
  const size = app.limits.releasesTold;
  const read = (after?: Numbered): Promise<Numbered[]> =>
    releasesIn(app.pool, product, environment, size, after?.number);
  const told = { kind: 'deployment-reported' as const, environment, application: name, running: { commit, version } };
  for await (const page of pages(size, read))
    await Promise.all(page.map(({ id }) => app.releaseEngine.tellKnown(id, { ...told, by: actor })));
  return { value: { application: name, accepted } };
}

function save(
  { dataSource, clock }: Parts,
  { metadata: { name: application }, spec: { product, environment } }: StoredDefinition<'Application'>,
  report: DeploymentReport,
  actor: string | null,
): Promise<boolean> {
  return dataSource.transaction(async (tx) => {
    const client = await clientOf(tx);
    const before = (await newestDeploymentReport(client, application)) ?? null;
    const accepted = await saveDeploymentReport(client, application, report, actor);
    const objects = [{ kind: 'Application' as const, name: application }];
    if (accepted) await wakeCandidates(client, clock.now(), { product, environment });
    if (accepted) await auditChange(tx, { before, after: report, objects });
    return accepted;
  });
}
