import { git, valuesFile } from '../repositories.ts';
import type { Repository } from '../repositories.ts';
import type { History, Invariant } from './history.ts';
import { Rule } from './history.ts';

interface Commit {
  id: string;
  parents: string[];
  key: string | null;
  environment: string | null;
  paths: string[];
}

/** Promise 3, where the effect can be seen: each effect once, nothing else touched, nothing ever pushed by force. */
export async function judgeGit(
  repositories: { product: string; repository: Repository }[],
  history: History,
): Promise<Invariant[]> {
  const once = new Rule('an effect is in git once: no key twice, every recorded commit there');
  const untouched = new Rule('a promotion changes the promoted value and nothing else');
  const sound = new Rule('the branch only ever grew, straight, and is intact');
  for (const { product, repository } of repositories) {
    const commits = await commitsOf(repository.bare);
    judgeEffects(once, product, commits, history);
    for (const commit of commits) {
      if (commit.key === null) continue;
      await judgeContent(untouched, repository.bare, commit, isOfRollback(commit.key, history));
    }
    await judgeBranch(sound, repository.bare, commits);
  }
  return [once, untouched, sound];
}

/**
 * A rollback that has nothing to change, while a push of what it takes back may still come, makes a commit without a change: that
 * push is then too late.
 */
const isOfRollback = (key: string, { releases }: History): boolean =>
  releases.get(key.slice(0, UUID_LENGTH))?.kind === 'ROLLBACK';
const UUID_LENGTH = 36;

function judgeEffects(rule: Rule, product: string, commits: Commit[], history: History): void {
  const byKey = new Map<string, string[]>();
  const isEmpty = (id: string): boolean => commits.find((each) => each.id === id)?.paths.length === 0;
  for (const { id, key } of commits) if (key !== null) byKey.set(key, [...(byKey.get(key) ?? []), id]);
  for (const [key, ids] of byKey)
    rule.expect(ids.length === 1, () => `${key} was committed ${ids.length} times: ${ids.join(', ')}`);
  for (const { event, releaseId, product: of } of history.log) {
    if (of !== product || event.type !== 'ActionCommitted') continue;
    const key = `${releaseId}.${event.attempt}.${event.environment}.${event.step}`;
    const ids = byKey.get(key) ?? [];
    // What was found right already has no commit of its own: one that has was made and then forgotten.
    const fences = isOfRollback(key, history) && ids.length === 1 && isEmpty(ids[0] as string);
    const right = event.changed ? ids.length === 1 && ids[0] === event.commit : ids.length === 0 || fences;
    rule.expect(
      right,
      () =>
        `${key} is recorded as ${event.changed ? event.commit : 'nothing to do'}, git has ${ids.join(', ') || 'nothing'}`,
    );
  }
}

async function judgeContent(
  rule: Rule,
  bare: string,
  { id, environment, paths }: Commit,
  ofRollback: boolean,
): Promise<void> {
  const path = `${environment}/values.yaml`;
  const right = (paths.length === 1 && paths[0] === path) || (ofRollback && paths.length === 0);
  rule.expect(right, () => `${id} changes ${paths.join(', ')} instead of ${path}`);
  const text = await git(bare, 'show', `${id}:${path}`).catch(() => '');
  const tag = /tag: "(\d+)"/.exec(text)?.[1];
  rule.expect(
    tag !== undefined && text === valuesFile(environment as string, tag),
    () => `${id} leaves ${path} as ${JSON.stringify(text)}`,
  );
}

async function judgeBranch(rule: Rule, bare: string, commits: Commit[]): Promise<void> {
  for (const { id, parents } of commits) rule.expect(parents.length <= 1, () => `${id} is a merge`);
  const problems = await git(bare, 'fsck', '--full', '--strict', '--no-dangling').catch((error: unknown) =>
    String(error),
  );
  rule.expect(problems.trim() === '', () => `git fsck: ${problems.trim()}`);
  // Newest first; each update of the branch must have been made on top of the one before.
  const moves = (await git(bare, 'log', '-g', '--format=%H', 'main')).trim().split('\n').reverse();
  for (let index = 1; index < moves.length; index += 1) {
    const [from, to] = [moves[index - 1] as string, moves[index] as string];
    const grew = await git(bare, 'merge-base', '--is-ancestor', from, to).then(
      () => true,
      () => false,
    );
    rule.expect(grew, () => `the branch was moved from ${from} to ${to}, which does not follow it`);
  }
}

async function commitsOf(bare: string): Promise<Commit[]> {
  const fields = [
    '%H',
    '%P',
    '%(trailers:key=Sluice-Key,valueonly)',
    '%(trailers:key=Sluice-Environment,valueonly)',
  ].join('%x1f');
  const text = await git(bare, 'log', `--format=%x1e${fields}%x1f`, '--name-only', 'main');
  return text
    .split('\x1e')
    .slice(1)
    .map((record) => {
      const [id = '', parents = '', key = '', environment = '', paths = ''] = record
        .split('\x1f')
        .map((each) => each.trim());
      return {
        id,
        parents: parents.split(' ').filter(Boolean),
        key: key || null,
        environment: environment || null,
        paths: paths.split('\n').filter(Boolean),
      };
    });
}
