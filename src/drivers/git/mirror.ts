import { LRUCache } from 'lru-cache';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { sha256 } from '../content.ts';
import { PermanentError, ThrottledError, TransientError } from '../driver.ts';
import { sleep } from '../sleep.ts';
import type { NetworkGuard } from '../network/guard.ts';
import type { Address } from './address.ts';
import type { Login } from './credentials.ts';
import type { CacheLimits } from './cache.ts';
import { packBytes, tidyCache, touch } from './cache.ts';
import type { GitObject } from './cat-file.ts';
import { CatFile } from './cat-file.ts';
import { spellings } from './credentials.ts';
import { isBrokenCache, isLocalContention, remoteError, withoutTrace } from './errors.ts';
import type { Places } from './mutex.ts';
import { abortable, Mutex } from './mutex.ts';
import { reachOf } from './reach.ts';
import type { GitCall, GitResult } from './run.ts';
import { runGit } from './run.ts';
import { writeObject } from './objects.ts';

/** How long git may take, in milliseconds. */
export interface Timeouts {
  /** One exchange with a remote; for a fetch, without any progress. */
  remoteMs: number;
  /** A fetch as a whole. */
  fetchMs: number;
  /** One command on the local mirror. */
  localMs: number;
  /** A fetch, for a caller that keeps others from the repository meanwhile; then it goes on by itself. Default 5,000. */
  inTurnMs?: number;
}

const CONTENTION_TRIES = 20;
/** How often the size of what arrives is looked at, and how often the cache is tidied, in milliseconds. */
const SIZE_EVERY = 1_000;
const TIDY_CACHE_EVERY = 60 * 60 * 1000;
/** Fetches between two clean-ups of the mirror's loose objects. */
const TIDY_EVERY = 200;

/** A caller waits so long for a fetch while it keeps others from the repository, in milliseconds. */
const IN_TURN = 5_000;
/** A caller that is told that the fetch goes on asks again after so long, in milliseconds. */
const ASK_AGAIN = 5_000;
/** A head that was seen so shortly ago is worth a push on top of it without another look; milliseconds. */
const STILL_KNOWN = 60_000;
/** Pushes between two notes of where the branch stands; a later fetch begins from there. */
const NOTE_EVERY = 50;

/** `retryAfter`: where it failed, and the host said when to come again; in milliseconds. */
type RemoteResult = GitResult & { retryAfter?: number | undefined };

/** What the remote said to a push that it did not take, and when to come again, in milliseconds. */
export interface Refused {
  said: string;
  retryAfter: number | undefined;
}

/** A fetch that its caller does not wait for any more. */
interface Going {
  /** Answers nothing; rejects as the fetch does. */
  ended: Promise<void>;
  /** `Clock.elapsed`. */
  began: number;
}

/** The commits of ours below a head, as far back as `from` (milliseconds, UTC): by the key in their messages, newest first. */
export interface KnownKeys {
  from: number;
  commits: Map<string, string[]>;
}

/** How a process fetches. */
export interface Fetching {
  /** First fetches at work; the others wait for their place. */
  firsts: Places;
  /** Aborted when the process ends. */
  closing: AbortSignal;
}

/** The repository is being fetched, and no caller has to wait for that: nothing was done, and it is no try. */
export class FetchGoesOn extends ThrottledError {}

/**
 * A bare repository that remembers what was fetched, one per remote. It is a cache: it may be deleted at any time, and
 * deletes itself when it is broken.
 *
 * A fetch belongs to the mirror, not to its caller. A caller that waits no longer leaves it going and is told how far it is; the next
 * one finds it going on or done: so a large repository is there in the end, however short the patience of each. A caller that was stopped
 * stops it, and so does the end of the process. The first fetch of a repository is made beside its place and moved there when it is done.
 *
 * Everything of a branch is fetched, contents included. `--filter=blob:none` would fetch less at first, and then one by one whatever
 * is asked about: sizes of files (the limits look at them), links, contents; each a new exchange with the remote.
 *
 * Within a process its mutex lets one user in at a time. Several processes on one cache folder are kept apart by git:
 * objects are only ever added, and a ref moves by compare-and-swap, so the worst is a "cannot lock ref", tried again.
 */
export class Mirror {
  readonly mutex = new Mutex();
  readonly url: string;
  private readonly dir: string;
  /** Another one after each time that the copy was thrown away. */
  generation = 0;
  private fetches = 0;
  private format: 'sha1' | 'sha256' = 'sha1';
  private going: Going | null = null;
  /** What git said last of the fetch that is at work. */
  private progress = '';
  private readonly objects: { contents: CatFile; sizes: CatFile };
  private pushes = 0;
  /** What commits say of each other never changes. */
  private readonly remembered = new LRUCache<string, Promise<unknown>>({ max: 64 });
  /** Where branches stood on the remote; `began`: the look did, as `Clock.elapsed` says. */
  private readonly heads = new LRUCache<string, { began: number; head: string }>({ max: 64 });
  /** The keys of commits of ours, by the head that they were read from. */
  readonly keys = new LRUCache<string, KnownKeys>({ max: 4 });

  constructor(
    private readonly cacheDir: string,
    private readonly address: Address,
    private readonly login: Login | undefined,
    private readonly guard: NetworkGuard,
    private readonly timeouts: Timeouts,
    private readonly limits: CacheLimits,
    readonly clock: Clock,
    private readonly fetching: Fetching,
  ) {
    this.url = address.url;
    this.dir = join(cacheDir, `${sha256(address.url).slice(0, 32)}.git`);
    const { localMs } = timeouts;
    this.objects = { contents: new CatFile(this.dir, true, localMs), sizes: new CatFile(this.dir, false, localMs) };
  }

  /** Asked once for many applications of the repository; `key` names commits by their ids. */
  async remember<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.remembered.get(key) as Promise<T> | undefined;
    if (known) return known;
    const asked = ask();
    this.remembered.set(key, asked);
    asked.catch(() => this.remembered.delete(key));
    return asked;
  }

  /** A local command. Its failure is answered, not thrown. */
  run(args: string[], signal: AbortSignal, input?: string | Buffer): Promise<GitResult> {
    return runGit({ gitDir: this.dir, args, input, signal, timeoutMs: this.timeouts.localMs });
  }

  /** A local command that has to work. */
  async ask(args: string[], signal: AbortSignal, input?: string | Buffer): Promise<Buffer> {
    const { code, stdout, stderr } = await this.run(args, signal, input);
    if (code === 0) return stdout;
    if (isBrokenCache(stderr)) await this.discard();
    throw new TransientError(
      `git ${args[0]} failed on the local copy of "${this.url}": ${stderr.trim().slice(0, 300)}`,
    );
  }

  /** Objects by id, or by what else `git rev-parse` takes; null for those that are not there. */
  contents(names: readonly string[], signal: AbortSignal): Promise<(GitObject | null)[]> {
    return this.read(this.objects.contents, names, signal);
  }

  /** The same without what is in them. */
  sizes(names: readonly string[], signal: AbortSignal): Promise<(GitObject | null)[]> {
    return this.read(this.objects.sizes, names, signal);
  }

  /** An object of git, written here. @returns its id */
  write(type: 'blob' | 'tree' | 'commit', bytes: Buffer, idLength: number): Promise<string> {
    return writeObject(this.dir, type, bytes, idLength);
  }

  private async read(objects: CatFile, names: readonly string[], signal: AbortSignal): Promise<(GitObject | null)[]> {
    try {
      return await objects.ask(names, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isBrokenCache((error as Error).message)) await this.discard();
      throw error;
    }
  }

  /** A command that talks to the remote. */
  async remote(args: string[], signal: AbortSignal): Promise<RemoteResult> {
    return this.called({ gitDir: this.dir, args, signal, timeoutMs: this.timeouts.remoteMs });
  }

  /** What git says of it is without the headers of the host, of which one is kept. */
  private async called(call: Omit<GitCall, 'login' | 'reach' | 'headers'>): Promise<RemoteResult> {
    const reach = await reachOf(this.address, this.guard);
    const result = await runGit({ ...call, login: this.login, reach, headers: true });
    const { said, retryAfter } = withoutTrace(result.stderr);
    return { ...result, stderr: said, ...(result.code !== 0 && { retryAfter }) };
  }

  /**
   * The head as it was on the remote at `asked` (`Clock.elapsed`) or later: many who ask at one time, and take turns, share
   * one exchange with it.
   */
  async headSince(asked: number, branch: string, where: string, signal: AbortSignal): Promise<string> {
    const known = this.heads.get(branch);
    if (known !== undefined && known.began >= asked) return known.head;
    return this.fetchHead(branch, where, signal);
  }

  /** Where the branch stood a moment ago: enough for a push that only counts when it still stands there. */
  lately(branch: string): { began: number; head: string } | undefined {
    const known = this.heads.get(branch);
    return known !== undefined && this.clock.elapsed() - known.began < STILL_KNOWN ? known : undefined;
  }

  private know(branch: string, began: number, head: string): void {
    const known = this.heads.get(branch);
    if (known === undefined || known.began <= began) this.heads.set(branch, { began, head });
  }

  /** The branch stands elsewhere, or may. */
  forget(branch: string): void {
    this.heads.delete(branch);
  }

  /**
   * A revision that is on no branch that was fetched, by its full id, with its history; whether the remote gave it. Some hosts give out
   * only what a branch or tag leads to. The head of a branch was fetched before.
   */
  async fetchRevision(revision: string, where: string, signal: AbortSignal): Promise<boolean> {
    const args = ['fetch', ...FETCH_FLAGS, '--', this.url, revision];
    const { code, stderr, retryAfter } = await this.withinSize(this.dir, where, signal, (within) =>
      this.download(this.dir, args, within),
    );
    if (code === 0) return true;
    if (/not our ref|unadvertised object|no such remote ref|couldn't find remote ref/i.test(stderr)) return false;
    throw this.error(where, stderr, retryAfter);
  }

  /**
   * Waits until the fetch that is going on has ended, if there is one. @throws as it does, and FetchGoesOn when that takes longer than `ms`
   */
  async afterFetch(where: string, ms: number, signal: AbortSignal): Promise<void> {
    const { going } = this;
    if (going === null) return;
    const patience = this.clock.limit('fetch', Math.max(0, Math.ceil(ms)));
    try {
      await abortable(going.ended, AbortSignal.any([signal, patience]));
    } catch (error) {
      if (signal.aborted ? ranOutOfTime(signal.reason) : patience.aborted) throw this.goesOn(where, going);
      // Who waited for it knows by now.
      if (!signal.aborted && this.going === going) this.going = null;
      throw error;
    }
  }

  /** The branch's head as it is on the remote now; the objects are here afterwards. @throws FetchGoesOn when that takes long */
  async fetchHead(branch: string, where: string, signal: AbortSignal): Promise<string> {
    // It brings nearly everything that this one needs.
    await this.afterFetch(where, this.timeouts.inTurnMs ?? IN_TURN, signal);
    signal.throwIfAborted();
    const began = this.clock.elapsed();
    const own = new AbortController();
    this.progress = '';
    const fetch = this.fetch(branch, where, AbortSignal.any([own.signal, this.fetching.closing])).then((head) => {
      this.know(branch, began, head);
      return head;
    });
    const patience = this.clock.limit('fetch', this.timeouts.inTurnMs ?? IN_TURN);
    try {
      return await abortable(fetch, AbortSignal.any([signal, patience]));
    } catch (error) {
      if (signal.aborted ? ranOutOfTime(signal.reason) : patience.aborted)
        throw this.goesOn(where, this.leaveGoing(began, fetch));
      if (!signal.aborted) throw error;
      own.abort(signal.reason);
      // Rejects with the same reason, once git has ended.
      return await fetch;
    }
  }

  /** Until it is done; when it fails, until somebody knows. */
  private leaveGoing(began: number, fetch: Promise<unknown>): Going {
    const ended = fetch.then(() => {
      if (this.going === going) this.going = null;
    });
    const going: Going = { began, ended };
    ended.catch(() => undefined);
    this.going = going;
    return going;
  }

  private goesOn(where: string, { began }: Going): FetchGoesOn {
    const seconds = Math.round((this.clock.elapsed() - began) / 1_000);
    const how = this.progress === '' ? 'nothing has arrived yet' : this.progress;
    return new FetchGoesOn(
      `${where}: the repository is still being fetched, for ${seconds} s so far (${how}): that goes on, and the next try finds it done or going on`,
      { retryAfter: ASK_AGAIN },
    );
  }

  /** Ends what is kept open for the next question. */
  async close(): Promise<void> {
    this.objects.contents.close();
    this.objects.sizes.close();
    await this.going?.ended.catch(() => undefined);
  }

  /** Answers the head. */
  private async fetch(branch: string, where: string, signal: AbortSignal): Promise<string> {
    if (!(await this.isThere())) await this.fetchFirst(branch, where, signal);
    else await this.fetchInto(this.dir, branch, where, signal);
    await touch(this.dir, this.clock.now());
    await tidyNowAndThen(this.cacheDir, this.limits, this.clock);
    await this.tidy(signal);
    const [found] = await this.sizes([`${refOf(branch)}^{commit}`], signal);
    // Another process threw the broken cache away between our two commands.
    if (!found) throw new TransientError(`${where}: the local copy changed meanwhile`);
    return found.id;
  }

  /** Made beside its place and moved there: no process ever sees half of it, and nothing is left of one that was cut off. */
  private async fetchFirst(branch: string, where: string, signal: AbortSignal): Promise<void> {
    this.progress = 'it waits until other repositories are fetched';
    await this.fetching.firsts.run(signal, async () => {
      this.progress = '';
      await mkdir(this.cacheDir, { recursive: true, mode: 0o700 });
      const fresh = await mkdtemp(join(this.cacheDir, 'new-'));
      try {
        await this.begin(fresh, signal);
        await this.fetchInto(fresh, branch, where, signal);
        // Something of that name which is no repository: a copy that was removed while it was written to.
        if (!(await this.isThere())) await this.discard();
        await rename(fresh, this.dir).catch(() =>
          // Another process was first, and may have fetched another branch.
          this.fetchInto(this.dir, branch, where, signal),
        );
      } finally {
        await rm(fresh, { recursive: true, force: true });
      }
    });
  }

  private async fetchInto(dir: string, branch: string, where: string, signal: AbortSignal): Promise<void> {
    const args = ['fetch', '--progress', ...FETCH_FLAGS, '--', this.url, `+refs/heads/${branch}:${refOf(branch)}`];
    for (let tried = 1; ; tried += 1) {
      const { code, stderr, retryAfter } = await this.withinSize(dir, where, signal, (within) =>
        this.download(dir, args, within),
      );
      if (code === 0) return;
      const format = /mismatched algorithms: client sha\d+; server (sha1|sha256)\b/.exec(stderr)?.[1];
      if (format && tried < CONTENTION_TRIES) {
        this.format = format as typeof this.format;
        await this.startOver(dir, signal);
        continue;
      }
      if (isBrokenCache(stderr) || tried >= CONTENTION_TRIES) await this.discard();
      if (!isLocalContention(stderr) || tried >= CONTENTION_TRIES) throw this.error(where, stderr, retryAfter);
      await sleep(20 * tried * (0.5 + Math.random()), signal);
    }
  }

  /** An empty repository, of the remote's own format. */
  private async startOver(dir: string, signal: AbortSignal): Promise<void> {
    if (dir === this.dir) await this.discard();
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { mode: 0o700 });
    await this.begin(dir, signal);
  }

  private async begin(dir: string, signal: AbortSignal): Promise<void> {
    const args = ['init', '--quiet', '--bare', '--template=', `--object-format=${this.format}`, '--', dir];
    const { code, stderr } = await runGit({ args, signal, timeoutMs: this.timeouts.localMs });
    if (code !== 0) throw new TransientError(`the git cache "${this.cacheDir}" cannot be used: ${stderr.trim()}`);
  }

  private isThere(): Promise<boolean> {
    return access(join(this.dir, 'HEAD')).then(
      () => true,
      () => false,
    );
  }

  private async download(dir: string, args: string[], signal: AbortSignal): Promise<RemoteResult> {
    const { remoteMs: idleMs, fetchMs: timeoutMs } = this.timeouts;
    const onSaid = (said: string): void => {
      this.progress = said.match(PROGRESS)?.at(-1) ?? this.progress;
    };
    return this.called({ gitDir: dir, args, signal, timeoutMs, idleMs, onSaid });
  }

  /** @throws PermanentError when the local copy grows over the limit while `work` goes on. */
  private async withinSize<T>(
    dir: string,
    where: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { maxRepositoryBytes } = this.limits;
    const tooLarge = new PermanentError(
      `${where}: the repository has more than ${maxRepositoryBytes} bytes, the limit of SLUICE_GIT_MAX_REPOSITORY_MB`,
    );
    const controller = new AbortController();
    const look = async (): Promise<void> => {
      if ((await packBytes(dir)) > maxRepositoryBytes) controller.abort(tooLarge);
    };
    const timer = setInterval(() => {
      // What cannot be measured now is measured once more at the end.
      look().catch(() => undefined);
    }, SIZE_EVERY);
    try {
      const answer = await work(AbortSignal.any([signal, controller.signal]));
      await look();
      controller.signal.throwIfAborted();
      return answer;
    } catch (error) {
      if (error === tooLarge && dir === this.dir) await this.discard();
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  /** Moves the branch on the remote, only from the very head that was looked at; never with force. Null: it was moved. */
  async push(branch: string, { from, to }: { from: string; to: string }, signal: AbortSignal): Promise<Refused | null> {
    const lease = `--force-with-lease=refs/heads/${branch}:${from}`;
    const args = ['push', '--porcelain', '--no-verify', lease, '--', this.url, `${to}:refs/heads/${branch}`];
    const began = this.clock.elapsed();
    const { code, stdout, stderr, retryAfter } = await this.remote(args, signal);
    this.forget(branch);
    if (code !== 0) return { said: `${stderr}\n${stdout.toString()}`, retryAfter };
    this.know(branch, began, to);
    await this.tidy(signal);
    this.pushes += 1;
    // Another process may be at it; then a later fetch brings a little more.
    if (this.pushes % NOTE_EVERY === 0) await this.run(['update-ref', refOf(branch), to], signal);
    return null;
  }

  error(where: string, stderr: string, retryAfter?: number): PermanentError | TransientError {
    const error = remoteError(where, stderr, spellings(this.login), retryAfter);
    return error instanceof PermanentError && error.message.includes('the branch does not exist')
      ? new PermanentError(`${where}: the branch does not exist (is the repository empty?)`)
      : error;
  }

  /** Throws the broken cache away; the next try starts from a new one. */
  async discard(): Promise<void> {
    this.generation += 1;
    this.heads.clear();
    this.keys.clear();
    this.remembered.clear();
    this.objects.contents.close();
    this.objects.sizes.close();
    const away = `${this.dir}.broken-${process.pid}-${this.clock.now().getTime()}`;
    await rename(this.dir, away).catch(() => {});
    await rm(away, { recursive: true, force: true });
  }

  /** git would do this in the background by itself, and outlive the job and its timeout. */
  private async tidy(signal: AbortSignal): Promise<void> {
    this.fetches += 1;
    if (this.fetches % TIDY_EVERY === 0)
      await this.run(['-c', 'gc.auto=2000', '-c', 'gc.autoDetach=false', 'gc', '--auto', '--quiet'], signal);
  }
}

const refOf = (branch: string): string => `refs/sluice/heads/${branch}`;

const FETCH_FLAGS = ['--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', '--no-auto-maintenance'];

/** As git tells of it on stderr. */
const PROGRESS = /(?:Counting|Compressing|Receiving|Resolving|Unpacking) (?:objects|deltas): +\d+% \(\d+\/\d+\)/g;

/** By `AbortSignal.timeout`, or with a step whose time is over: the caller stopped waiting, and the fetch is still of use. */
const ranOutOfTime = (reason: unknown): boolean =>
  reason === 'overdue' || (reason instanceof DOMException && reason.name === 'TimeoutError');

const tidiedAt = new Map<string, number>();

/** Per process; the processes of one folder do not disturb each other. */
async function tidyNowAndThen(cacheDir: string, limits: CacheLimits, clock: Clock): Promise<void> {
  const now = clock.elapsed();
  if (now - (tidiedAt.get(cacheDir) ?? -Infinity) < TIDY_CACHE_EVERY) return;
  tidiedAt.set(cacheDir, now);
  await tidyCache(cacheDir, limits, clock.now().getTime());
}
