import { afterAll, describe, expect, test } from 'vitest';
import type { GitDriverSpec, PromotionTemplateSpec } from '../../src/core/definitions.ts';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import type { PinnedContent } from '../../src/drivers/driver.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { contextOf, git, makeFolder, Repository, settingsIn } from './repository.ts';

const folder = makeFolder();
afterAll(folder.remove);
const never = new AbortController().signal;
const template: PromotionTemplateSpec = { promotion: { 'values.yaml': { jsonPaths: ['$.tag'] } } };
const at = (repo: Repository, path: string): GitDriverSpec => ({
  type: 'git',
  repoURL: repo.url,
  branch: 'main',
  path,
});

const BRANCH = 'sluice/billing/eu/0123456789abcdef';
let names = 0;

/** Version 2 in dev, version 1 in eu and us, all in one repository; two drivers are two processes with a cache of their own. */
async function place(): Promise<{
  repo: Repository;
  drivers: ReturnType<typeof createGitDriver>[];
  content: PinnedContent;
}> {
  const repo = new Repository(folder, `repo-${(names += 1)}`, {
    'dev/values.yaml': 'tag: "2"\n',
    'eu/values.yaml': 'tag: "1"\nreplicas: 3\n',
    'us/values.yaml': 'tag: "1"\n',
  });
  const drivers = ['a', 'b'].map((name) => createGitDriver(settingsIn(folder.path(`cache-${names}-${name}`))));
  return { repo, drivers, content: await drivers[0]!.pin(at(repo, 'dev'), template, {}, never) };
}

/** What a person, or a host, does with branches: in a clone of its own. */
class Clone {
  readonly #dir: string;

  constructor(repo: Repository) {
    this.#dir = folder.path(`clone-${(names += 1)}`);
    git(folder.path('.'), ['clone', '--quiet', repo.url, this.#dir]);
  }

  do(...commands: string[][]): string {
    git(this.#dir, ['fetch', '--quiet', 'origin']);
    return commands.map((each) => git(this.#dir, each)).at(-1)!;
  }

  push(onto = 'main'): void {
    git(this.#dir, ['push', '--quiet', 'origin', `HEAD:refs/heads/${onto}`]);
  }

  commit(file: string, text: string, message = 'By hand'): void {
    git(this.#dir, ['hash-object', '-w', '--stdin'], text);
    const blob = git(this.#dir, ['hash-object', '-w', '--stdin'], text).trim();
    git(this.#dir, ['update-index', '--add', '--cacheinfo', `100644,${blob},${file}`]);
    git(this.#dir, ['commit', '--quiet', '-m', message]);
  }
}

describe('a proposal', () => {
  test('is one commit on a branch of its own, and leaves the target as it is', async () => {
    const { repo, drivers, content } = await place();
    const before = repo.head();
    const [a] = drivers;
    const proposal = await a!.propose([{ target: at(repo, 'eu'), content }], BRANCH, contextOf('k'));
    expect(repo.head()).toBe(before);
    expect(repo.head(BRANCH)).toBe(proposal.head);
    expect(proposal).toMatchObject({ changed: true, base: before, branch: BRANCH, commit: proposal.head });
    expect(proposal.files).toEqual([{ path: 'eu/values.yaml', added: 1, removed: 1 }]);
    expect(repo.read('eu/values.yaml', BRANCH)).toBe('tag: "2"\nreplicas: 3\n');
    expect(repo.keys(BRANCH)).toEqual(['k']);
  });

  test('asked for again, also by another process, is found and made once', async () => {
    const { repo, drivers, content } = await place();
    const [a, b] = drivers;
    const parts = [{ target: at(repo, 'eu'), content }];
    const both = await Promise.all([
      a!.propose(parts, BRANCH, contextOf('k')),
      b!.propose(parts, BRANCH, contextOf('k')),
    ]);
    const again = await b!.propose(parts, BRANCH, contextOf('k'));
    expect(new Set([...both, again].map(({ commit }) => commit)).size).toBe(1);
    expect(repo.keys(BRANCH)).toEqual(['k']);
    expect(again.base).toBe(repo.head());
    expect(again.files).toEqual(both[0].files);
  });

  test('trap 2: with a commit of somebody on top it is still ours, and says where the branch stands', async () => {
    const { repo, drivers, content } = await place();
    const [a] = drivers;
    const parts = [{ target: at(repo, 'eu'), content }];
    const made = await a!.propose(parts, BRANCH, contextOf('k'));
    const person = new Clone(repo);
    person.do(['checkout', '--quiet', BRANCH]);
    person.commit('eu/values.yaml', 'tag: "3"\n');
    person.push(BRANCH);
    const seen = await a!.propose(parts, BRANCH, contextOf('k'));
    expect(seen.commit).toBe(made.commit);
    expect(seen.head).toBe(repo.head(BRANCH));
    expect(seen.head).not.toBe(made.head);
  });

  test('trap 11: nothing to change makes no branch', async () => {
    const { repo, drivers, content } = await place();
    const [a] = drivers;
    repo.commit({ 'eu/values.yaml': 'tag: "2"\nreplicas: 3\n' }, 'By hand');
    const there = repo.head();
    const proposal = await a!.propose([{ target: at(repo, 'eu'), content }], BRANCH, contextOf('k'));
    expect(proposal).toMatchObject({ changed: false, commit: there, files: [] });
    expect(proposal.head).toBeUndefined();
    expect(repo.has(BRANCH)).toBe(false);
  });

  test('trap 12: two applications of one repository are one commit', async () => {
    const { repo, drivers, content } = await place();
    const [a] = drivers;
    const parts = ['eu', 'us'].map((path) => ({ target: at(repo, path), content }));
    const proposal = await a!.propose(parts, BRANCH, contextOf('k'));
    expect(proposal.files.map(({ path }) => path)).toEqual(['eu/values.yaml', 'us/values.yaml']);
    expect(repo.count(BRANCH)).toBe(repo.count() + 1);
    expect(await a!.propose(parts, BRANCH, contextOf('k'))).toMatchObject({ commit: proposal.commit });
  });

  test('trap 15: a branch of that name that is not ours is never written over', async () => {
    const { repo, drivers, content } = await place();
    const [a] = drivers;
    const person = new Clone(repo);
    person.do(['checkout', '--quiet', '-b', 'mine']);
    person.commit('eu/values.yaml', 'tag: "9"\n');
    person.push(BRANCH);
    const head = repo.head(BRANCH);
    const given = a!.propose([{ target: at(repo, 'eu'), content }], BRANCH, contextOf('k'));
    await expect(given).rejects.toThrow(PermanentError);
    await expect(given).rejects.toThrow('that this promotion has not made');
    expect(repo.head(BRANCH)).toBe(head);
  });

  test('that is given up meanwhile makes no branch', async () => {
    const { repo, drivers, content } = await place();
    const given = drivers[0]!.propose(
      [{ target: at(repo, 'eu'), content }],
      BRANCH,
      contextOf('k', { stillMine: async () => false }),
    );
    await expect(given).rejects.toThrow(TransientError);
    expect(repo.has(BRANCH)).toBe(false);
  });
});

describe('trap 3: what was proposed is found on the branch by its content, wherever its commit went', () => {
  const MERGES: Record<string, (host: Clone) => void> = {
    'a merge commit': (host) =>
      void host.do(['checkout', '--quiet', 'main'], ['merge', '--quiet', '--no-ff', '-m', 'Merge', `origin/${BRANCH}`]),
    squash: (host) =>
      void host.do(
        ['checkout', '--quiet', 'main'],
        ['merge', '--quiet', '--squash', `origin/${BRANCH}`],
        ['commit', '--quiet', '-m', 'Promote (#1)'],
      ),
    rebase: (host) =>
      void host.do(
        ['checkout', '--quiet', '-B', 'rebased', `origin/${BRANCH}`],
        ['rebase', '--quiet', '--force-rebase', '--onto', 'origin/main', 'origin/main~1'],
      ),
    'fast-forward': (host) => void host.do(['checkout', '--quiet', '--detach', `origin/${BRANCH}`]),
  };

  test.each(Object.keys(MERGES))('%s', async (way) => {
    const { repo, drivers, content } = await place();
    const [a, b] = drivers;
    const target = at(repo, 'eu');
    const { base, commit } = await a!.propose([{ target, content }], BRANCH, contextOf('k'));
    const host = new Clone(repo);
    if (way !== 'fast-forward') repo.commit({ 'us/values.yaml': 'tag: "1"\nother: 1\n' }, 'Meanwhile');
    expect(await b!.landed(target, content, { since: base, contains: commit! }, never)).toMatchObject({
      contains: false,
    });
    host.do(['checkout', '--quiet', 'main'], ['reset', '--quiet', '--hard', 'origin/main']);
    MERGES[way]!(host);
    host.push();
    const merged = repo.head();
    repo.commit({ 'us/values.yaml': 'tag: "1"\nlater: 1\n' }, 'Later');
    const seen = await b!.landed(target, content, { since: base }, never);
    expect(seen.effect?.commit).toBe(merged);
    expect(seen).toMatchObject({ drift: null, head: repo.head() });
  });

  test('what another commit did to it later does not undo that it was there', async () => {
    const { repo, drivers, content } = await place();
    const [a] = drivers;
    const target = at(repo, 'eu');
    const { base } = await a!.propose([{ target, content }], BRANCH, contextOf('k'));
    const there = repo.commit({ 'eu/values.yaml': 'tag: "2"\nreplicas: 5\n' }, 'Brought by hand, with more replicas');
    repo.commit({ 'eu/values.yaml': 'tag: "7"\nreplicas: 5\n' }, 'And overwritten');
    const seen = await a!.landed(target, content, { since: base }, never);
    expect(seen.effect?.commit).toBe(there);
    expect(seen.drift?.files).toEqual(['values.yaml']);
  });

  test('what the branch held when it was proposed has not come since, and says so', async () => {
    const { repo, drivers, content } = await place();
    const [a] = drivers;
    const there = repo.commit({ 'us/values.yaml': 'tag: "2"\n' }, 'By hand');
    const parts = ['eu', 'us'].map((path) => ({ target: at(repo, path), content }));
    const { base } = await a!.propose(parts, BRANCH, contextOf('k'));
    const of = (path: string, since?: string) =>
      a!.landed(at(repo, path), content, { ...(since !== undefined && { since }) }, never);
    expect(await of('us', base)).toMatchObject({ before: true, effect: { commit: there, changed: false } });
    expect(await of('eu', base)).toMatchObject({ before: false });
    expect((await of('eu', base)).effect).toBeUndefined();
    repo.commit({ 'eu/values.yaml': 'tag: "2"\nreplicas: 3\n' }, 'Merged');
    expect(await of('eu', base)).toMatchObject({ before: false, effect: { commit: repo.head(), changed: true } });
    expect(await of('us')).toMatchObject({ before: null });
    expect(await of('us', 'f'.repeat(40))).toMatchObject({ before: null });
  });

  test('what the branch held is known after a push with force that leaves its commit behind', async () => {
    const { repo, drivers, content } = await place();
    const [a] = drivers;
    repo.commit({ 'us/values.yaml': 'tag: "2"\n' }, 'By hand');
    const parts = ['eu', 'us'].map((path) => ({ target: at(repo, path), content }));
    const { base } = await a!.propose(parts, BRANCH, contextOf('k'));
    const person = new Clone(repo);
    person.do(['checkout', '--quiet', 'main'], ['reset', '--quiet', '--soft', 'HEAD~1']);
    person.do(['commit', '--quiet', '-m', 'The same, rewritten']);
    person.do(['push', '--quiet', '--force', 'origin', 'HEAD:refs/heads/main']);
    expect(repo.head()).not.toBe(base);
    expect(await a!.landed(at(repo, 'us'), content, { since: base }, never)).toMatchObject({
      before: true,
      effect: { commit: repo.head(), changed: false },
    });
    expect((await a!.landed(at(repo, 'eu'), content, { since: base }, never)).effect).toBeUndefined();
  });

  test('trap 2: other content on the branch is no merge of ours', async () => {
    const { repo, drivers, content } = await place();
    const [a] = drivers;
    const target = at(repo, 'eu');
    const { base } = await a!.propose([{ target, content }], BRANCH, contextOf('k'));
    const other = repo.commit({ 'eu/values.yaml': 'tag: "3"\nreplicas: 3\n' }, 'Something else');
    const seen = await a!.landed(target, content, { since: base, contains: other }, never);
    expect(seen.effect).toBeUndefined();
    expect(seen).toMatchObject({ contains: true, drift: { files: ['values.yaml'], commit: other } });
  });
});
