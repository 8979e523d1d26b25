import type { Parts } from '../parts.ts';
import type { HealthStatus, StoredDefinition } from '../core/definitions.ts';
import { bounded } from '../core/bounded.ts';
import { refusal } from '../core/problems.ts';
import { getDefinition } from '../store/definitions.ts';
import type { HealthReport } from '../drivers/health/source.ts';
import { newestHealthReport, saveHealthReport } from '../store/health-reports.ts';
import { observationsIn } from '../store/observations.ts';
import { wakeCandidates } from '../store/candidates.ts';
import { pages } from '../store/pages.ts';
import { releasesIn } from '../store/unfinished.ts';
import type { Numbered } from '../store/unfinished.ts';
import { auditChange } from './audit.ts';
import { clientOf } from '../entities/data-source.ts';
import type { Result } from './result.ts';
import { rollBackDegraded } from './roll-back-degraded.ts';

/** An application's health, as a reporter saw it. */
export interface HealthInput {
  application: string;
  status: HealthStatus;
  message?: string;
  /** When it was seen; now when left out, or when it has not come yet. One that is older than what is known is kept out. */
  at?: Date;
}

/** Takes a report of an application's health: the releases that wait for it go on at once. */
export async function reportHealth(
  app: Parts,
  input: HealthInput,
  actor: string | null,
): Promise<Result<{ application: string; accepted: boolean }>> {
  const application = await getDefinition(app.dataSource, 'Application', input.application);
  if (!application)
    return { refusals: [refusal('NOT_FOUND', `there is no application "${input.application}"`, ['application'])] };
  const { status } = input;
  const message = bounded(input.message);
  const now = app.clock.now();
  const at = seenAt(input.at, now);
  const { product, environment } = application.spec;
  const accepted = await save(app, application, { status, message, at }, actor, now);
  if (!accepted) return { value: { application: input.application, accepted } };
  const unhealthyAt = status === 'DEGRADED' || status === 'PROGRESSING' ? now.getTime() : undefined;
  const size = app.limits.releasesTold;
  const read = (after?: Numbered): Promise<Numbered[]> =>
    releasesIn(app.pool, product, environment, size, after?.number);
  for await (const page of pages(size, read)) {
    const told = { environment, application: input.application, status, message, unhealthyAt, by: actor };
    await Promise.all(page.map(({ id }) => app.releaseEngine.tellKnown(id, { kind: 'health-reported', ...told })));
  }
  if (status === 'DEGRADED' && application.spec.health.type === 'report') {
    const told = `${input.application} became DEGRADED after its promotion${message ? `: ${message}` : ''}`;
    for (const each of await observationsIn(app.pool, product, environment)) await rollBackDegraded(app, each, told);
  }
  return { value: { application: input.application, accepted } };
}

/** When a report was seen: a clock that is ahead must not keep every later report out. */
export function seenAt(said: Date | undefined, now: Date): Date {
  return said === undefined || said > now ? now : said;
}

function save(
  { dataSource }: Parts,
  { metadata: { name: application }, spec: { product, environment } }: StoredDefinition<'Application'>,
  report: Pick<HealthReport, 'status' | 'message' | 'at'>,
  actor: string | null,
  now: Date,
): Promise<boolean> {
  return dataSource.transaction(async (tx) => {
    const client = await clientOf(tx);
    const before = (await newestHealthReport(client, application)) ?? null;
    const accepted = await saveHealthReport(client, application, report, actor, now);
    if (accepted) {
      await wakeCandidates(client, now, { product, environment });
      await auditChange(tx, { before, after: report, objects: [{ kind: 'Application', name: application }] });
    }
    return accepted;
  });
}
