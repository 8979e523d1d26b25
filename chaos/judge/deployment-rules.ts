import type { PlannedApplication, PlannedPromotion } from '../../src/core/plan.ts';
import type { Verification } from '../../src/core/release.ts';
import type { DeploymentHistory, History, Invariant, ReleaseHistory } from './history.ts';
import { Rule } from './history.ts';
import { isProof } from './hook-rules.ts';

/**
 * What rollbacks and compare-and-set rest on. Folding the log alone gives the records: one for each change that was made, of the
 * version that was brought, verified from the promotion's success on, or the start of its last hooks, and not before; with its sync where its
 * target was seen to run it.
 */
export function judgeDeployments({ releases, deployments }: History): Invariant {
  const rule = new Rule('the records of deployments are what the log says: made by a change, verified by a success');
  const stored = new Map(deployments.map((each) => [`${each.releaseId} ${each.application}`, each]));
  for (const release of releases.values()) {
    for (const [application, told] of fold(release)) {
      const key = `${release.id} ${application}`;
      const found = stored.get(key);
      stored.delete(key);
      rule.expect(
        found !== undefined && same(found, told),
        () => `${key}: the log says ${shown(told)}, the table ${found ? shown(toTold(found)) : 'nothing'}`,
      );
    }
  }
  for (const [key, found] of stored)
    rule.expect(false, () => `${key}: the table says ${shown(toTold(found))}, the log knows nothing of it`);
  return rule;
}

interface Told {
  environment: string;
  digest: string;
  /** Milliseconds since the epoch. */
  at: number;
  verifiedAt: number | null;
  verifiedBy: Verification | null;
}

/** Application → its record. */
function fold({ plan, events, digest, kind }: ReleaseHistory): Map<string, Told> {
  const told = new Map<string, Told>();
  const synced = new Set<string>();
  for (const { event, at } of events) {
    if (!('environment' in event)) continue;
    const planned = plan.promotions.find((each) => each.name === event.environment);
    if (!planned || planned.environment === null) continue;
    const { environment } = planned;
    const brought = kind === 'ROLLBACK' ? (planned.restores?.to.digest ?? '') : digest;
    const made = event.type === 'StepSucceeded' || (event.type === 'StepFailed' && event.applied === true);
    // A pull request that was opened has changed nothing yet.
    if (made && event.phase === 'ACTION' && !event.step.endsWith('/ACTION/open') && event.application !== undefined)
      told.set(event.application, { environment, digest: brought, at, verifiedAt: null, verifiedBy: null });
    // Merged after its promotion was over, and found on the branch: it is live all the same.
    if (event.type === 'PullRequestMerged' && event.late === true && event.commit !== undefined)
      for (const { name } of proposedBy(planned, event.step))
        told.set(name, { environment, digest: brought, at, verifiedAt: null, verifiedBy: null });
    if (event.type === 'StepSucceeded' && event.phase === 'SYNC' && event.application !== undefined)
      synced.add(event.application);
    if (!isProof(event, planned)) continue;
    for (const { name } of planned.applications) {
      const known = told.get(name) ?? { environment, digest: brought, at };
      const verifiedBy = synced.has(name) ? 'SYNC_AND_HEALTH' : 'HEALTH_ONLY';
      told.set(name, { ...known, verifiedAt: at, verifiedBy });
    }
  }
  return told;
}

/** The applications whose changes a step proposes. */
function proposedBy({ steps, applications }: PlannedPromotion, step: string): PlannedApplication[] {
  const work = steps.find(({ id }) => id === step)?.work;
  return work?.kind === 'propose' ? work.applications.flatMap((each) => applications[each] ?? []) : [];
}

const toTold = ({ environment, digest, at, verifiedAt, verifiedBy }: DeploymentHistory): Told => ({
  environment,
  digest,
  at: at.getTime(),
  verifiedAt: verifiedAt?.getTime() ?? null,
  verifiedBy,
});

/** The digest of one application's content is the release's where it has no other. */
function same(found: DeploymentHistory, told: Told): boolean {
  const { environment, at, verifiedAt, verifiedBy } = toTold(found);
  const verified = verifiedAt === told.verifiedAt && verifiedBy === told.verifiedBy;
  return environment === told.environment && at === told.at && verified;
}

const time = (at: number | null): string => (at === null ? 'never' : new Date(at).toISOString());
const shown = ({ environment, digest, at, verifiedAt, verifiedBy }: Told): string =>
  `${digest.slice(0, 12)} in ${environment} at ${time(at)}, verified ${time(verifiedAt)} by ${verifiedBy ?? 'nothing'}`;
