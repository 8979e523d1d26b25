import type { Contained, PinnedContent } from '../driver.ts';
import { pathsOf } from './changes.ts';
import { driftFrom } from './drift.ts';
import { lastTouching } from './history.ts';
import type { Mirror } from './mirror.ts';

/** Where to look: a folder of a repository, and the branch on which the revision most likely is. */
interface Place {
  mirror: Mirror;
  where: string;
  folder: string;
  branch: string;
  /** When the question came up (`performance.now()`): a fetch that began later answers it. */
  asked: number;
}

const COMMIT = /^[0-9a-f]{7,64}$/;
const FULL = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Whether a revision contains a change. Several environments share a branch, so the revision that a target runs is rarely the commit of the
 * change itself: a later one runs the change, too, as long as the folder still holds what was promoted to it.
 */
export async function containedIn(
  place: Place,
  { commit, content }: { commit: string; content?: PinnedContent },
  revision: string,
  signal: AbortSignal,
): Promise<Contained> {
  const { mirror, folder } = place;
  const there = await findRevision(place, revision.toLowerCase(), commit, signal);
  if (there === undefined) return { kind: 'UNKNOWN' };
  const has = async (each: string): Promise<boolean> =>
    (await mirror.run(['merge-base', '--is-ancestor', each, there], signal)).code === 0;
  if (content === undefined) return { kind: (await has(commit)) ? 'HOLDS' : 'BEFORE' };
  if (!(await has(commit))) {
    // A target that follows its folder alone stays at an older revision where the commit changed something else.
    const last = await lastTouching(mirror, commit, pathsOf(folder, content), signal).catch(() => undefined);
    if (last === undefined || !(await has(last.commit))) return { kind: 'BEFORE' };
  }
  const drift = await driftFrom(mirror, there, folder, [content], signal);
  return drift === null ? { kind: 'HOLDS' } : { kind: 'OTHER', files: drift.files };
}

/** Its full id. The remote is asked only when the local copy lacks it, or lacks the commit that it is compared with. */
async function findRevision(
  { mirror, where, branch, asked }: Place,
  revision: string,
  commit: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!COMMIT.test(revision)) return undefined;
  const known = await fullId(mirror, revision, signal);
  if (known !== undefined && (await fullId(mirror, commit, signal)) !== undefined) return known;
  await mirror.headSince(asked, branch, where, signal);
  const fetched = await fullId(mirror, revision, signal);
  if (fetched !== undefined || !FULL.test(revision)) return fetched;
  return (await mirror.fetchRevision(revision, where, signal)) ? fullId(mirror, revision, signal) : undefined;
}

async function fullId(mirror: Mirror, commit: string, signal: AbortSignal): Promise<string | undefined> {
  const found = await mirror.run(['rev-parse', '--verify', '--quiet', `${commit}^{commit}`], signal);
  return found.code === 0 ? found.stdout.toString().trim() : undefined;
}
