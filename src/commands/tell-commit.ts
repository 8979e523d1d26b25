import type { StatusState } from '../core/gates/merge-state.ts';
import { short } from '../core/gates/merge.ts';
import type { ReleaseStatus } from '../core/release.ts';
import { clientOf } from '../entities/data-source.ts';
import type { Parts } from '../parts.ts';
import { followedReleases, wantStatuses } from '../store/commit-statuses.ts';
import type { FollowedRelease, WantedCommitStatus } from '../store/commit-statuses.ts';
import { releaseUrl } from './release-url.ts';

/**
 * The commits that a release pinned get a status, `sluice/PRODUCT`, where a forge is known for their repository. From then on the
 * status follows the release. Whatever goes wrong with it, the release knows nothing of it.
 */
export async function tellCommit(app: Parts, releaseId: string, outboxKey: string): Promise<void> {
  const to = await app.releaseEngine.look(releaseId, { fresh: true });
  const commits = to === null ? [] : await tellable(app, to.release.plan.triggerEnvironment, to.release);
  await app.dataSource.transaction(async (tx) => {
    const client = await clientOf(tx);
    if (to !== null) {
      const { product, number, version } = to.release;
      const { status, terminating, firstProblem } = to.state;
      const why = terminating?.reason ?? firstProblem?.message ?? null;
      const level = levelOfRelease({ status, version, why });
      const common = {
        context: `sluice/${product}`,
        releaseId,
        url: releaseUrl(app.config, releaseId),
        version: versionOf({ number, sequence: to.state.sequence }),
      };
      await wantStatuses(
        client,
        commits.map((each) => ({ ...common, ...each, ...level, about: 'RELEASE', position: null })),
      );
    }
    await client.query('DELETE FROM outbox WHERE key = $1', [outboxKey]);
  });
}

type Frozen = NonNullable<Awaited<ReturnType<Parts['releaseEngine']['look']>>>['release'];

/** The pinned commits whose host can be told, each once. */
async function tellable(
  { drivers, log }: Parts,
  triggerEnvironment: string,
  { plan, contents }: Frozen,
): Promise<{ repository: string; sha: string }[]> {
  const source = plan.promotions.find(({ environment }) => environment === triggerEnvironment);
  const found = new Map<string, { repository: string; sha: string }>();
  for (const { content, spec } of source?.applications ?? []) {
    const sha = contents[content]?.commit;
    if (spec.driver.type !== 'git' || sha === undefined) continue;
    const repository = spec.driver.repoURL;
    const forge = await drivers.forge(repository).catch((error: unknown) => {
      log.debug({ error, repository }, 'no forge for a commit status');
      return undefined;
    });
    if (forge) found.set(`${repository} ${sha}`, { repository, sha });
  }
  return [...found.values()];
}

/** What changed of releases since their commits were told is written down. */
export async function followReleases(app: Parts): Promise<void> {
  const followed = await followedReleases(app.pool);
  const wanted = followed.flatMap((each): WantedCommitStatus[] => {
    const { status, why, version, ended, number, sequence, ...row } = each;
    const level = levelOfRelease({ status, version, why });
    const isSame = row.state === level.state && row.description === level.description;
    if (isSame && !ended) return [];
    return [
      { ...row, ...level, about: 'RELEASE', position: null, version: versionOf({ number, sequence }), follows: !ended },
    ];
  });
  await wantStatuses(app.pool, wanted);
}

/**
 * Of two releases of a commit the newer one has the word, and of one release its newer state: what was read before a retry is not written
 * after it.
 */
const versionOf = ({ number, sequence }: Pick<FollowedRelease, 'number' | 'sequence'>): number =>
  number * EVENTS + Math.min(sequence, EVENTS - 1);

/** More than one release has. */
const EVENTS = 1_000_000;

const STATES: Record<ReleaseStatus, StatusState> = {
  QUEUED: 'PENDING',
  RUNNING: 'PENDING',
  SUSPENDED: 'PENDING',
  TERMINATING: 'PENDING',
  SUCCEEDED: 'SUCCESS',
  FAILED: 'FAILURE',
  TERMINATED: 'FAILURE',
};

const DOES: Record<ReleaseStatus, string> = {
  QUEUED: 'waits for its turn',
  RUNNING: 'is on its way',
  SUSPENDED: 'waits for people or outside systems',
  TERMINATING: 'is being stopped',
  SUCCEEDED: 'has arrived everywhere',
  FAILED: 'failed',
  TERMINATED: 'was terminated',
};

function levelOfRelease({ status, version, why }: Pick<FollowedRelease, 'status' | 'version' | 'why'>): {
  state: StatusState;
  description: string;
} {
  const bad = STATES[status] === 'FAILURE' && why !== null ? `: ${why}` : '';
  return { state: STATES[status], description: short(`release of ${version} ${DOES[status]}${bad}`) };
}
