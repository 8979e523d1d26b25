import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ArgoCdSpec, GitDriverSpec, HealthSourceSpec } from '../../src/core/definitions.ts';
import type { PinnedContent } from '../../src/drivers/driver.ts';
import type { OpenedSecret, SecretSource } from '../../src/drivers/secret-source.ts';
import type { HealthAnswer } from '../../src/drivers/health/source.ts';
import type { SyncAnswer } from '../../src/drivers/sync/source.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { checkHealth } from '../../src/drivers/health/index.ts';
import { folderOf } from '../../src/drivers/sync/contains.ts';
import { checkSync } from '../../src/drivers/sync/index.ts';
import type { Drivers } from '../../src/drivers/index.ts';
import { startArgoCd } from '../peers/argocd.ts';
import type { ArgoCdPeer, PeerApplication, WantedApplication } from '../peers/argocd.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { localHttp, noSecrets } from './http-server.ts';
import { makeFolder, settingsIn } from './repository.ts';

// Argo CD's stand-in syncs real revisions of a real git host; the change is made by the git driver, as a promotion makes it.

const folder = makeFolder();
afterAll(() => folder.remove());
const never = new AbortController().signal;

let host: GitHost;
let repository: HostedRepository;
let argoCd: ArgoCdPeer;
const driver = createGitDriver({ ...settingsIn(folder.path('cache')), protocols: ['http'] });

beforeAll(async () => {
  host = await startGitHost();
});
afterAll(() => host.close());
let count = 0;
beforeEach(async () => {
  repository = await host.repository(`sample-${(count += 1)}`);
  await repository.commit({ 'eu/app.yaml': 'version: 1.3.0\n', 'us/app.yaml': 'version: 1.3.0\n' }, 'First');
  argoCd = await startArgoCd((url) => host.find(url.replace(`${host.url}/`, '').replace(/\.git$/, ''))?.path);
});
afterEach(async () => {
  expect(argoCd.problems).toEqual([]);
  await argoCd.close();
});

const target = (path = 'eu'): GitDriverSpec => ({ type: 'git', repoURL: repository.url, branch: 'main', path });

const secrets: SecretSource = {
  ...noSecrets,
  open: async (names) =>
    new Map(names.map((name): [string, OpenedSecret] => [name, { value: argoCd.token, hosts: ['127.0.0.1'] }])),
};

const spec = (more: Partial<ArgoCdSpec> = {}): ArgoCdSpec => ({
  type: 'argocd',
  server: argoCd.url,
  application: 'billing-eu',
  project: 'shop',
  token: '${secrets.argocd}',
  sync: 'AUTO',
  prune: false,
  requireSynced: true,
  ...more,
});

function application(more: Partial<WantedApplication> = {}): PeerApplication {
  return argoCd.application('billing-eu', {
    project: 'shop',
    sources: [{ repoURL: repository.url, path: 'eu', targetRevision: 'main' }],
    ...more,
  });
}

/** What a promotion does in a folder: the commit that it made, and the content that it pinned. */
interface Promoted {
  commit: string;
  content: PinnedContent;
  at: GitDriverSpec;
}

async function promote(version: string, path = 'eu'): Promise<Promoted> {
  const commit = await repository.commit({ [`${path}/app.yaml`]: `version: ${version}\n` }, `Promote ${version}`);
  const content = await driver.pin(target(path), undefined, { commit }, never);
  return { commit, content, at: target(path) };
}

/** Looks as a worker does, from one look to the next; `seconds` have gone by since the first one. */
class Looks {
  progress: Record<string, unknown> | undefined;
  stillMine = true;
  readonly #source: ArgoCdSpec;
  readonly #promoted: Promoted;
  readonly #key: string;

  constructor(promoted: Promoted, source = spec(), key = 'r-1.1.eu.billing-eu/SYNC') {
    this.#source = source;
    this.#promoted = promoted;
    this.#key = key;
  }

  async look(seconds = 0): Promise<SyncAnswer> {
    const { commit, content, at } = this.#promoted;
    const drivers = { driver: () => driver } as unknown as Drivers;
    const answer = await checkSync(
      this.#source,
      {
        application: 'billing-eu',
        product: 'billing',
        change: { version: '1.4.0', commit },
        ...folderOf(drivers, at, { commit, content: async () => content }, never),
        since: new Date(),
        now: new Date(Date.now() + seconds * 1_000),
        key: this.#key,
        stillMine: async () => this.stillMine,
        progress: this.progress,
        signal: never,
      },
      localHttp,
      secrets,
    );
    this.progress = answer.progress;
    return answer;
  }
}

async function health(
  more: Partial<Extract<HealthSourceSpec, { type: 'argocd' }>> = {},
  sinceMinutes = 0,
): Promise<HealthAnswer> {
  const now = new Date();
  return checkHealth(
    { type: 'argocd', ...more },
    {
      application: 'billing-eu',
      environment: 'eu',
      product: 'billing',
      since: new Date(now.getTime() - sinceMinutes * 60_000),
      now,
      argoCd: spec(),
      signal: never,
    },
    localHttp,
    secrets,
  );
}

const synced = { synced: true };
const waits = (message: string | RegExp): object => ({
  synced: false,
  message: typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
});

describe('synced', () => {
  test('means that the commit is an ancestor of the synced revision: other environments commit to the same branch', async () => {
    application();
    const eu = await promote('1.4.0');
    const us = await promote('1.4.0', 'us');
    expect(await new Looks(eu).look()).toMatchObject(synced);
    expect(us.commit).not.toBe(eu.commit);
  });

  test('is false while the revision is from before the change, and the answer names it', async () => {
    const app = application();
    const before = await repository.head();
    await app.reconcile();
    const looks = new Looks(await promote('1.4.0'));
    // Argo CD is too busy to compare it.
    app.reconcile = async () => undefined;
    expect(await looks.look()).toMatchObject(
      waits(`Argo CD application billing-eu is at ${before!.slice(0, 9)}, which does not have the change`),
    );
  });

  test('is false where the folder holds something else by now, although the commit is in its history', async () => {
    application();
    const promoted = await promote('1.4.0');
    await repository.commit({ 'eu/app.yaml': 'version: 6.6.6\n' }, 'By hand');
    expect(await new Looks(promoted).look()).toMatchObject(waits('where app.yaml no longer holds what was promoted'));
  });

  test('a comparison is asked for at first, and then once a minute', async () => {
    const app = application({ auto: false });
    await app.reconcile();
    const looks = new Looks(await promote('1.4.0'));
    for (const seconds of [0, 5, 10, 55, 61, 66]) await looks.look(seconds);
    const compared = argoCd.asked.filter((each) => each.includes('refresh=normal'));
    expect(compared).toHaveLength(2);
    expect(argoCd.asked.filter((each) => each.includes('refresh=hard'))).toEqual([]);
  });

  test('a cache without the revision fetches it, also where it is on no branch that Sluice promotes to', async () => {
    const promoted = await promote('1.4.0');
    await repository.commit({ 'docs/a.md': 'a' }, 'Elsewhere', { branch: 'live', from: promoted.commit });
    application({ sources: [{ repoURL: repository.url, path: 'eu', targetRevision: 'live' }] });
    expect(await new Looks(promoted).look()).toMatchObject(synced);
  });
});

describe('who syncs', () => {
  test('trap 46: where auto-sync is on, Argo CD is only told to look', async () => {
    application();
    expect(await new Looks(await promote('1.4.0'), spec({ sync: 'REQUEST' })).look()).toMatchObject(synced);
    expect([...argoCd.syncs]).toEqual([]);
  });

  test('trap 46: where it is off, a sync of the commit is asked for once, with the key', async () => {
    const app = application({ auto: false });
    await app.reconcile();
    const promoted = await promote('1.4.0');
    const looks = new Looks(promoted, spec({ sync: 'REQUEST' }));
    expect(await looks.look()).toMatchObject(waits('was asked for'));
    expect(await looks.look(5)).toMatchObject(synced);
    expect([...argoCd.syncs]).toEqual([['r-1.1.eu.billing-eu/SYNC', 1]]);
    expect(app.live).toEqual([promoted.commit]);
  });

  test('trap 46: a worker that takes over finds the key in the operation and asks for none', async () => {
    const app = application({ auto: false });
    await app.reconcile();
    app.ends = 'Running';
    const promoted = await promote('1.4.0');
    const first = new Looks(promoted, spec({ sync: 'REQUEST' }));
    await first.look();
    // It died before anything was recorded.
    const second = new Looks(promoted, spec({ sync: 'REQUEST' }));
    expect(await second.look(5)).toMatchObject(waits('is syncing, asked for by Sluice for this change'));
    app.ignoring = true;
    await app.finish();
    expect(await new Looks(promoted, spec({ sync: 'REQUEST' })).look(10)).toMatchObject(waits('is OutOfSync'));
    app.ignoring = false;
    expect(await new Looks(promoted, spec({ sync: 'REQUEST' })).look(15)).toMatchObject(synced);
    expect([...argoCd.syncs.values()]).toEqual([1]);
  });

  test('an application that was deleted and made again is asked once more, and no oftener', async () => {
    const options = { auto: false };
    const app = application(options);
    await app.reconcile();
    app.ends = 'Running';
    const promoted = await promote('1.4.0');
    const looks = new Looks(promoted, spec({ sync: 'REQUEST' }));
    expect(await looks.look()).toMatchObject(waits('was asked for'));
    const anew = application(options);
    await anew.reconcile();
    anew.ignoring = true;
    expect(await looks.look(5)).toMatchObject(waits('was asked for'));
    await looks.look(10);
    expect([...argoCd.syncs.values()]).toEqual([2]);
    anew.ignoring = false;
    expect(await looks.look(70)).toMatchObject(synced);
    expect(anew.live).toEqual([promoted.commit]);
  });

  test("trap 46: somebody else's operation is followed, and judged by its revision", async () => {
    const app = application({ auto: false });
    await app.reconcile();
    const promoted = await promote('1.4.0');
    await app.reconcile();
    app.ends = 'Running';
    await app.syncBy('ann');
    const looks = new Looks(promoted, spec({ sync: 'REQUEST' }));
    expect(await looks.look()).toMatchObject(waits('is syncing, asked for by ann'));
    await app.finish();
    expect(await looks.look(5)).toMatchObject(synced);
    expect([...argoCd.syncs]).toEqual([]);
  });

  test('trap 46: an operation that began between the look and the question is waited for', async () => {
    const app = application({ auto: false });
    await app.reconcile();
    const looks = new Looks(await promote('1.4.0'), spec({ sync: 'REQUEST' }));
    app.ends = 'Running';
    argoCd.intercept = async (line) => {
      if (line.startsWith('POST')) await app.syncBy('ann');
    };
    expect(await looks.look()).toMatchObject(waits('another operation is already in progress'));
    argoCd.intercept = undefined;
    expect(await looks.look(5)).toMatchObject(waits('is syncing, asked for by ann'));
    expect([...argoCd.syncs]).toEqual([]);
  });

  test("trap 46: Argo CD's own windows hold the change back, and that time does not count", async () => {
    const app = application();
    await app.reconcile();
    app.window = { kind: 'deny', manual: false };
    const promoted = await promote('1.4.0');
    const closed = { ...waits('a sync window of Argo CD application billing-eu is closed'), held: true };
    expect(await new Looks(promoted).look()).toMatchObject(closed);
    app.auto = false;
    expect(await new Looks(promoted, spec({ sync: 'REQUEST' })).look()).toMatchObject(closed);
    // It closed between the look and the question.
    app.window = null;
    argoCd.intercept = (line) => {
      if (line.startsWith('POST')) app.window = { kind: 'deny', manual: false };
    };
    expect(await new Looks(promoted, spec({ sync: 'REQUEST' })).look()).toMatchObject(closed);
    expect([...argoCd.syncs]).toEqual([]);
  });

  test("trap 46: what was asked for is not asked for again when somebody else's operation has taken its place", async () => {
    const app = application({ auto: false });
    await app.reconcile();
    app.ends = 'Running';
    const looks = new Looks(await promote('1.4.0'), spec({ sync: 'REQUEST' }));
    await looks.look();
    app.ends = 'Failed';
    await app.finish('Failed');
    await app.syncBy('ann');
    expect(await looks.look(5)).toMatchObject(waits('ended its sync as Failed'));
    expect([...argoCd.syncs.values()]).toEqual([1]);
  });

  test('a sync that failed under the key fails the step, with what Argo CD says', async () => {
    const app = application({ auto: false });
    await app.reconcile();
    app.ends = 'Failed';
    const looks = new Looks(await promote('1.4.0'), spec({ sync: 'REQUEST' }));
    await looks.look();
    await expect(looks.look(5)).rejects.toThrow('ended its sync as Failed: one or more hooks failed');
  });

  test('an auto-sync whose hook failed is no sync, although the application counts as Synced', async () => {
    const app = application();
    await app.reconcile();
    const promoted = await promote('1.4.0');
    app.ends = 'Running';
    await app.reconcile();
    await app.finish();
    expect(await new Looks(promoted).look()).toMatchObject(synced);
    await app.finish('Failed', 'the hook smoke-test failed');
    expect(await new Looks(promoted).look(5)).toMatchObject(waits('Failed: the hook smoke-test failed'));
  });

  test('a person has to sync where auto-sync is off and Sluice may not ask, and the answer says so', async () => {
    const app = application({ auto: false });
    await app.reconcile();
    expect(await new Looks(await promote('1.4.0')).look()).toMatchObject(
      waits('its auto-sync is off: a person has to'),
    );
  });

  test('nothing is asked for when the promotion was given up meanwhile', async () => {
    const app = application({ auto: false });
    await app.reconcile();
    const looks = new Looks(await promote('1.4.0'), spec({ sync: 'REQUEST' }));
    looks.stillMine = false;
    await looks.look();
    expect([...argoCd.syncs]).toEqual([]);
  });
});

describe('sources', () => {
  test('trap 43: of several, the one of the repository and the path counts, with its own revision', async () => {
    const other = await host.repository(`other-${count}`);
    await other.commit({ 'values.yaml': 'a: 1\n' }, 'First');
    const app = application({
      auto: false,
      sources: [
        { repoURL: 'https://charts.example.com', chart: 'billing', targetRevision: '4.2.0' },
        { repoURL: other.url, targetRevision: 'main', ref: 'values' },
        { repoURL: repository.url, path: 'us', targetRevision: 'main' },
        { repoURL: repository.url.replace(/\.git$/, ''), path: './eu/', targetRevision: 'main' },
      ],
    });
    await app.reconcile();
    const before = [...app.live];
    const promoted = await promote('1.4.0');
    const looks = new Looks(promoted, spec({ sync: 'REQUEST' }));
    await looks.look();
    expect(before).toEqual([]);
    // The others stay at what Argo CD tracks.
    expect(app.live[3]).toBe(promoted.commit);
    expect(app.live[0]).toBe('4.2.0');
    expect(await looks.look(5)).toMatchObject(synced);
  });

  test('trap 43: where two could be meant at different revisions, nothing is guessed', async () => {
    await repository.commit({ 'a.txt': 'a' }, 'Branch', { branch: 'live' });
    application({
      sources: [
        { repoURL: repository.url, path: 'charts/a', targetRevision: 'main' },
        { repoURL: repository.url, path: 'charts/b', targetRevision: 'live' },
      ],
    });
    const promoted = await promote('1.4.0');
    expect(await new Looks(promoted).look()).toMatchObject(waits('say which by `source`'));
    const elsewhere = spec({ source: 0 });
    expect((await new Looks(promoted, elsewhere).look()).message).not.toContain('say which');
    argoCd.application('billing-eu', { project: 'shop', sources: [{ repoURL: 'https://git.example.com/x.git' }] });
    expect(await new Looks(promoted).look()).toMatchObject(waits('none of its sources is of repository'));
  });

  test('trap 44: with a source hydrator the dry commit is ours, and what came of it is synced', async () => {
    const app = application({
      sources: [{ repoURL: repository.url, path: 'eu', targetRevision: 'main' }],
      hydrator: { branch: 'env/eu', path: 'eu' },
    });
    await app.reconcile();
    const promoted = await promote('1.4.0');
    app.hydration = 'the chart is broken';
    const looks = new Looks(promoted);
    expect(await looks.look()).toMatchObject(
      waits(/hydrated commit .*does not have the change; the hydrator is Failed: the chart/),
    );
    app.hydration = 'works';
    expect(await looks.look(61)).toMatchObject(synced);
    // Its branch has commits of its own.
    expect(app.live).toEqual([await repository.head('env/eu')]);
  });

  test('trap 44: a dry commit that changes nothing has no hydrated commit of its own', async () => {
    const app = application({ hydrator: { branch: 'env/eu', path: 'eu' } });
    await app.reconcile();
    const before = await repository.head('env/eu');
    const content = await driver.pin(target(), undefined, {}, never);
    const commit = await repository.commit({ 'README.md': 'changes no manifest' }, 'Nothing for eu');
    expect(await new Looks({ commit, content, at: target() }).look()).toMatchObject(synced);
    expect(await repository.head('env/eu')).toBe(before);
  });

  test('trap 44: a hydrator that never gets there is named with its field', async () => {
    const app = application({ hydrator: { branch: 'env/eu', path: 'eu' } });
    await app.reconcile();
    app.hydration = 'stuck';
    expect(await new Looks(await promote('1.4.0')).look()).toMatchObject(
      waits('(status.sourceHydrator.lastSuccessfulOperation.drySHA)'),
    );
  });

  test('trap 45: an older revision than the head is right where the folder did not change since', async () => {
    const app = application({ generatePaths: true });
    await app.reconcile();
    const promoted = await promote('1.4.0');
    await app.reconcile();
    await promote('1.5.0', 'us');
    expect(await new Looks(promoted).look()).toMatchObject(synced);
    expect(app.live).toEqual([promoted.commit]);
  });

  test('trap 45: a version that was pinned at a commit of something else runs where its folder was changed last', async () => {
    const app = application({ generatePaths: true });
    await app.reconcile();
    const first = await promote('1.4.0');
    await app.reconcile();
    // The trigger environment: nothing is committed, and the head was pinned, which is a commit of another folder.
    const commit = await repository.commit({ 'docs/a.md': 'a' }, 'Docs');
    const content = await driver.pin(target(), undefined, { commit }, never);
    expect(await new Looks({ commit, content, at: target() }).look()).toMatchObject(synced);
    expect(app.live).toEqual([first.commit]);
  });

  test('trap 47: an application that is OutOfSync for good counts by its last sync where the definition says so', async () => {
    const app = application();
    app.ignoring = true;
    const promoted = await promote('1.4.0');
    expect(await new Looks(promoted).look()).toMatchObject(waits('is OutOfSync'));
    const lenient = spec({ requireSynced: false });
    expect(await new Looks(promoted, lenient).look()).toMatchObject(synced);
    const next = await promote('1.5.0');
    app.ends = 'Running';
    expect(await new Looks(next, lenient).look()).toMatchObject(waits('is syncing, asked for by auto-sync'));
  });

  test('trap 47: what OutOfSync was compared with does not run; only the last sync that succeeded counts', async () => {
    const app = application();
    app.ignoring = true;
    const lenient = spec({ requireSynced: false });
    expect(await new Looks(await promote('1.4.0'), lenient).look()).toMatchObject(synced);
    app.auto = false;
    const next = await promote('1.5.0');
    // A comparison finds the new head, and nothing syncs it.
    expect(await new Looks(next, lenient).look()).toMatchObject(
      waits(/is at [0-9a-f]{9}, which does not have the change/),
    );
    expect(app.live).not.toEqual([next.commit]);
    await app.syncBy('ada');
    expect(app.live).toEqual([next.commit]);
    expect(await new Looks(next, lenient).look()).toMatchObject(synced);
  });
});

describe('access', () => {
  test('trap 48: the project is always sent; a missing application says which permission the token needs', async () => {
    application({ auto: false });
    const promoted = await promote('1.4.0');
    const missing = spec({ application: 'gone', namespace: 'team-a' });
    expect(await new Looks(promoted, missing).look()).toMatchObject(
      waits(
        /no application "gone" in project "shop", or the token may not see it \(404.*`applications, get`.*on shop\/gone/,
      ),
    );
    await new Looks(promoted, spec({ sync: 'REQUEST' })).look();
    expect(argoCd.asked.some((each) => each.startsWith('POST'))).toBe(true);
    expect(new Set(argoCd.projects)).toEqual(new Set(['shop']));
    expect(argoCd.asked[0]).toContain('appNamespace=team-a');
  });

  test('trap 48: a token that has expired fails the step and names its secret, in sync and in health', async () => {
    application();
    argoCd.expired = true;
    const why = /does not accept the token in secret "argocd": invalid session: .*expired.*`sluice secret set argocd`/;
    await expect(new Looks(await promote('1.4.0')).look()).rejects.toThrow(why);
    await expect(health()).rejects.toThrow(why);
  });

  test('a server that does not answer, or answers with something else, is asked again', async () => {
    application();
    const promoted = await promote('1.4.0');
    const down = spec({ server: 'http://127.0.0.1:9' });
    expect(await new Looks(promoted, down).look()).toMatchObject({ ...waits('no answer'), recheckAfter: 5_000 });
    argoCd.intercept = (_line, response) => {
      response.writeHead(200).end('<html>Please sign in</html>');
      return true;
    };
    expect(await new Looks(promoted).look()).toMatchObject(waits('it is not JSON'));
    expect(await health()).toMatchObject({ status: 'UNKNOWN', message: expect.stringContaining('it is not JSON') });
  });

  test('a server that may take many days to answer is waited for', async () => {
    application();
    const promoted = await promote('1.4.0');
    const patient = spec({ timeout: 60 * 24 * 3_600_000 });
    argoCd.intercept = (_line, response) => {
      setTimeout(() => response.writeHead(401).end(), 50);
      return true;
    };
    await expect(new Looks(promoted, patient).look()).rejects.toThrow('the token');
  });

  const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toUTCString();

  test.each([
    [429, '120', 120_000],
    [503, '120', 120_000],
    [429, 'a date', 120_000],
    [503, 'a date', 120_000],
    [429, '999999999', 24 * 60 * 60_000],
    [503, '1', 5_000],
    [503, 'soon', 5_000],
  ] as const)('%i with Retry-After %s: it is asked again no sooner', async (status, said, ms) => {
    application({ auto: false });
    const promoted = await promote('1.4.0');
    const source = spec({ sync: 'REQUEST' });
    const obeys = (recheckAfter: number | undefined): void => {
      // A date has whole seconds.
      expect(recheckAfter).toBeLessThanOrEqual(ms);
      expect(recheckAfter).toBeGreaterThan(said === 'a date' ? ms - 5_000 : ms - 1);
    };
    const refuses = (only?: 'POST'): void => {
      argoCd.busy = { status, retryAfter: said === 'a date' ? inSeconds(120) : said, ...(only && { only }) };
    };
    refuses();
    const looked = await new Looks(promoted, source).look();
    expect(looked).toMatchObject(waits(`answered ${status}: try again later`));
    obeys(looked.recheckAfter);
    refuses();
    const seen = await health();
    expect(seen).toMatchObject({ status: 'UNKNOWN', message: expect.stringContaining(`answered ${status}`) });
    obeys(seen.recheckAfter);
    // It answers, and takes no sync now: the next look asks for it.
    const looks = new Looks(promoted, source);
    refuses('POST');
    const asked = await looks.look();
    expect(asked).toMatchObject(waits(`answered ${status}: try again later`));
    obeys(asked.recheckAfter);
    delete argoCd.busy;
    expect(await looks.look()).toMatchObject(waits('a sync of Argo CD application billing-eu was asked for'));
  });
});

describe('health', () => {
  const running = async (): Promise<PeerApplication> => {
    const app = application();
    await promote('1.4.0');
    await app.reconcile();
    return app;
  };

  test.each([
    ['Healthy', 'HEALTHY'],
    ['Progressing', 'PROGRESSING'],
    ['Degraded', 'DEGRADED'],
    ['Missing', 'PROGRESSING'],
    ['Unknown', 'UNKNOWN'],
  ])('%s is %s', async (status, ours) => {
    const app = await running();
    app.health = { status, message: 'as told' };
    expect(await health({ interval: 700 })).toMatchObject({
      status: ours,
      message: expect.stringContaining(`Argo CD application billing-eu is ${status}: as told`),
      recheckAfter: 700,
    });
  });

  test('Missing for long is DEGRADED', async () => {
    const app = await running();
    app.health = { status: 'Missing' };
    expect(await health({}, 4)).toMatchObject({ status: 'PROGRESSING' });
    expect(await health({}, 6)).toMatchObject({ status: 'DEGRADED' });
  });

  test('trap 41: a health from before the end of the last sync is not believed: it is compared anew', async () => {
    const app = await running();
    app.comparesAfterSync = false;
    await promote('1.5.0');
    await app.reconcile();
    argoCd.asked.length = 0;
    expect(await health()).toMatchObject({ status: 'HEALTHY' });
    expect(argoCd.asked.filter((each) => each.includes('refresh=normal'))).toHaveLength(1);
    // Argo CD does not get to it.
    await promote('1.6.0');
    await app.reconcile();
    app.reconcile = async () => undefined;
    expect(await health()).toMatchObject({
      status: 'PROGRESSING',
      message: expect.stringContaining('was not looked at since its last sync'),
    });
  });

  test('trap 41: while a sync goes on nothing is healthy yet', async () => {
    const app = await running();
    app.ends = 'Running';
    await promote('1.5.0');
    await app.reconcile();
    expect(await health()).toMatchObject({ status: 'PROGRESSING', message: expect.stringContaining('is syncing') });
  });

  test.each([
    ['paused', 'Healthy', 'Suspended', 'PROGRESSING', 'PERSON'],
    ['paused, the application knows', 'Suspended', 'Suspended', 'PROGRESSING', 'PERSON'],
    ['aborted, and all is Synced', 'Healthy', 'Degraded', 'DEGRADED', undefined],
    ['still moving', 'Healthy', 'Progressing', 'PROGRESSING', undefined],
    ['of a generation that was not observed', 'Healthy', undefined, 'PROGRESSING', undefined],
    ['through', 'Healthy', 'Healthy', 'HEALTHY', undefined],
  ])('trap 42: a Rollout that is %s', async (_name, status, rollout, ours, waitsFor) => {
    const app = await running();
    app.health = { status };
    app.rollouts = [{ name: 'billing', status: rollout, message: 'CanaryPauseStep' }];
    const answer = await health();
    expect([answer.status, answer.waitsFor]).toEqual([ours, waitsFor]);
    if (waitsFor)
      expect(answer.message).toMatch(
        /Rollout billing\/billing is Suspended: CanaryPauseStep.*Rollout\/resume` on shop\/billing-eu.*kubectl argo rollouts promote billing -n billing/,
      );
  });

  test('an error of the comparison is UNKNOWN: Argo CD does not see what runs', async () => {
    const app = await running();
    app.conditions = [{ type: 'ComparisonError', message: 'the repository does not answer' }];
    expect(await health()).toMatchObject({
      status: 'UNKNOWN',
      message: expect.stringContaining('ComparisonError: the repository does not answer'),
    });
  });
});
