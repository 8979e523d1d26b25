import { git, GitFailed } from './git.ts';
import type { Person } from './git.ts';
import type { HostedRepository } from './git-host.ts';

/** How a pull request goes in. */
export type Method = 'merge' | 'squash' | 'rebase' | 'fast-forward';

/** What is merged: commits, as the host knows them. */
export interface Wanted {
  base: string;
  head: string;
  message: string;
  /** Who presses the button: committer, and author of a merge or a squash. */
  by: Person;
}

/** Base and head change the same lines. */
export class Conflict extends Error {
  override name = 'Conflict';
}

/**
 * Makes the commit that the base branch would stand at, in the bare repository; no ref moves.
 * @returns its sha: `head` itself where a fast-forward is enough
 * @throws Conflict
 */
export async function mergedCommit(repository: HostedRepository, method: Method, wanted: Wanted): Promise<string> {
  const { base, head, message, by } = wanted;
  if (method === 'fast-forward') {
    if (!(await contains(repository, head, base))) throw new Conflict('the branch has to be rebased first');
    return head;
  }
  if (method === 'rebase') return await rebased(repository, wanted);
  const tree = await mergedTree(repository, base, head);
  const parents = method === 'merge' ? ['-p', base, '-p', head] : ['-p', base];
  return await commitTree(repository, [tree, ...parents], message, by, by);
}

/** Whether `ancestor` is in the history of `commit`. */
export async function contains(repository: HostedRepository, commit: string, ancestor: string): Promise<boolean> {
  try {
    await repository.git('merge-base', '--is-ancestor', ancestor, commit);
    return true;
  } catch (error) {
    if (error instanceof GitFailed && error.code === 1) return false;
    throw error;
  }
}

/** Whether base and head go together. */
export async function mergeable(repository: HostedRepository, base: string, head: string): Promise<boolean> {
  return await mergedTree(repository, base, head).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Conflict) return false;
      throw error;
    },
  );
}

async function mergedTree(repository: HostedRepository, base: string, head: string): Promise<string> {
  try {
    return (await repository.git('merge-tree', '--write-tree', base, head)).split('\n')[0]!;
  } catch (error) {
    if (error instanceof GitFailed && error.code === 1) throw new Conflict('both sides change the same lines');
    throw error;
  }
}

/** Each commit of the branch on top of the base, its author kept; merges of the base into it are left out. */
async function rebased(repository: HostedRepository, { base, head, by }: Wanted): Promise<string> {
  const said = await repository.git('rev-list', '--reverse', '--no-merges', `${base}..${head}`);
  let onto = base;
  for (const commit of said.split('\n').filter(Boolean)) {
    // What merge-tree takes for the common base is the commit's parent: `beside` has the content of `onto` and that parent.
    const parent = await repository.git('rev-parse', `${commit}^`);
    const beside = await commitTree(repository, [`${onto}^{tree}`, '-p', parent], 'beside', by, by);
    const tree = await mergedTree(repository, beside, commit);
    const [name, email] = (await repository.git('log', '-1', '--format=%an%n%ae', commit)).split('\n');
    const message = await repository.git('log', '-1', '--format=%B', commit);
    onto = await commitTree(repository, [tree, '-p', onto], message, { name: name!, email: email! }, by);
  }
  return onto;
}

async function commitTree(
  repository: HostedRepository,
  args: string[],
  message: string,
  by: Person,
  committer: Person,
): Promise<string> {
  const [tree = '', ...parents] = args;
  const id = tree.endsWith('^{tree}') ? await repository.git('rev-parse', tree) : tree;
  return (await git(repository.path, ['commit-tree', id, ...parents], { input: message, by, committer })).trim();
}
