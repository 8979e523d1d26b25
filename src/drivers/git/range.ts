import type { GitDriverSpec, PromotionTemplateSpec } from '../../core/definitions.ts';
import type { CommitFacts } from '../../core/trigger/commits.ts';
import type { Move } from '../driver.ts';
import { PermanentError } from '../driver.ts';
import { checkPath } from './address.ts';
import { claimedIn, instancesOf } from './claim.ts';
import { recordsWithEmail, shown } from './history.ts';
import { hasLinks } from './links.ts';
import type { Mirror } from './mirror.ts';
import { pinContent } from './pin.ts';
import { isSignedCommit } from './proof.ts';

/** What is asked about the move of a branch. */
export interface MoveAsked {
  source: GitDriverSpec;
  template: PromotionTemplateSpec | undefined;
  /** The head as of the last look; absent: there was none. */
  from: string | undefined;
  /** The digest of what was promoted of the folder then. */
  digest: string | undefined;
  /** Believed to sign what is ours. */
  keys: readonly string[];
}

/** So many commits are told of a move; what came before them is in the content all the same. */
const MOST_COMMITS = 200;
/** So many changed paths are named; beyond them any path may have changed. */
const MOST_PATHS = 2_000;

/**
 * What happened in an application's folder since the branch stood at `from`, asked of git alone. The content decides: a folder that
 * was touched may hold what it held, and one that was not may lead elsewhere by a symbolic link.
 */
export async function moveTo(mirror: Mirror, head: string, asked: MoveAsked, signal: AbortSignal): Promise<Move> {
  const { source, template, from, keys } = asked;
  const folder = checkPath(source.path, 'path');
  if (from === undefined) return { relation: 'FIRST', head };
  const relation = await relationOf(mirror, from, head, signal);
  if (relation === 'SAME') return { relation, head };
  const all = await changedPaths(mirror, from, head, signal);
  const touched = all && below(folder, all);
  if (relation === 'AHEAD' && touched?.length === 0 && !(await hasLinks(mirror, head, signal)))
    return { relation, head, touched: [] };
  const content = await pinContent(mirror, head, source, template, undefined, signal);
  const before = asked.digest ?? (await digestAt(mirror, from, source, template, signal));
  const { commit, author, message, date, digest, label } = content;
  return {
    relation,
    head,
    ...(touched && { touched }),
    content: { commit: commit!, author: author!, message: message!, date: date!, digest, label },
    changed: digest !== before,
    commits: all || relation === 'AHEAD' ? await rangeOf(mirror, from, head, folder, keys, signal) : [],
  };
}

/** Undefined: there was nothing that could be promoted, or nothing is known of the commit any more. */
async function digestAt(
  mirror: Mirror,
  commit: string,
  source: GitDriverSpec,
  template: PromotionTemplateSpec | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { code } = await mirror.run(['cat-file', '-e', `${commit}^{commit}`], signal);
  if (code !== 0) return undefined;
  try {
    return (await pinContent(mirror, commit, source, template, undefined, signal)).digest;
  } catch (error) {
    if (error instanceof PermanentError) return undefined;
    throw error;
  }
}

/** AHEAD: `head` has `from` among its ancestors. LEFT: it has not, or nothing is known of `from` any more. */
async function relationOf(
  mirror: Mirror,
  from: string,
  head: string,
  signal: AbortSignal,
): Promise<'SAME' | 'AHEAD' | 'LEFT'> {
  if (from === head) return 'SAME';
  const { code } = await mirror.remember(`ancestor ${from} ${head}`, () =>
    mirror.run(['merge-base', '--is-ancestor', from, head], signal),
  );
  return code === 0 ? 'AHEAD' : 'LEFT';
}

/** Of the whole repository, once for all applications in it; null: too many, or `from` is gone. */
async function changedPaths(mirror: Mirror, from: string, head: string, signal: AbortSignal): Promise<string[] | null> {
  return mirror.remember(`changed ${from} ${head}`, async () => {
    const { code, stdout } = await mirror.run(
      ['diff-tree', '-r', '-z', '--name-only', '--no-renames', from, head],
      signal,
    );
    if (code !== 0) return null;
    const paths = stdout.toString('utf8').split('\0').filter(Boolean);
    return paths.length > MOST_PATHS ? null : paths;
  });
}

/** Of a path below the folder the part below it. */
function below(folder: string, paths: readonly string[]): string[] {
  if (folder === '') return [...paths];
  return paths.filter((each) => each.startsWith(`${folder}/`)).map((each) => each.slice(folder.length + 1));
}

/** The commits since `from` that touched the folder, newest first; a merge that changed nothing itself is not one of them. */
async function rangeOf(
  mirror: Mirror,
  from: string,
  head: string,
  folder: string,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<CommitFacts[]> {
  const paths = folder === '' ? [] : [folder];
  const found = await recordsWithEmail(
    mirror,
    [`--max-count=${MOST_COMMITS}`, `${from}..${head}`, '--', ...paths],
    signal,
  );
  const own = new Set(instancesOf(keys));
  const commits: CommitFacts[] = [];
  for (const { email, ...facts } of found) {
    const claimed = claimedIn(facts.message);
    commits.push({
      ...shown(facts),
      email,
      ...(claimed && {
        claim: {
          signed: await isSignedCommit(mirror, keys, facts, signal),
          here: claimed.instances.length === 0 || claimed.instances.some((each) => own.has(each)),
          releases: claimed.releases,
          chain: claimed.chain,
        },
      }),
    });
  }
  return commits;
}

/** What stands at a commit on the remote: branches whose head it is, and tags, annotated ones too. */
export function refsIn(listed: string, commit: string): { branches: string[]; tags: string[] } {
  const at = (kind: string): string[] =>
    listed
      .split('\n')
      .map((line) => line.split('\t'))
      .filter(([id, ref]) => id === commit && ref?.startsWith(kind))
      .map(([, ref]) => ref!.slice(kind.length).replace(/\^\{\}$/, ''));
  return { branches: [...new Set(at('refs/heads/'))], tags: [...new Set(at('refs/tags/'))] };
}
