import { LRUCache } from 'lru-cache';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../clock.ts';
import type { Clock } from '../../clock.ts';
import { sha256 } from '../content.ts';
import { PermanentError, TransientError } from '../driver.ts';
import { sleep } from '../sleep.ts';
import type { NetworkGuard } from '../network/guard.ts';
import type { Address } from './address.ts';
import type { Login } from './credentials.ts';
import type { CacheLimits } from './cache.ts';
import { CACHE_LIMITS, packBytes, tidyCache, touch } from './cache.ts';
import { spellings } from './credentials.ts';
import { isBrokenCache, isLocalContention, remoteError, withoutTrace } from './errors.ts';
import { abortable, Mutex } from './mutex.ts';
import { reachOf } from './reach.ts';
import type { GitResult } from './run.ts';
import { runGit } from './run.ts';

/** How long git may take, in milliseconds. */
export interface Timeouts {
  /** One exchange with a remote; for a fetch, without any progress. */
  remoteMs: number;
  /** A fetch as a whole. */
  fetchMs: number;
  /** One command on the local mirror. */
  localMs: number;
}

const CONTENTION_TRIES = 20;
/** How often the size of what arrives is looked at, and how often the cache is tidied, in milliseconds. */
const SIZE_EVERY = 1_000;
const TIDY_CACHE_EVERY = 60 * 60 * 1000;
/** Fetches between two clean-ups of the mirror's loose objects. */
const TIDY_EVERY = 200;

/**
 * A bare repository that remembers what was fetched, one per remote. It is a cache: it may be deleted at any time, and
 * deletes itself when it is broken.
 *
 * A fetch belongs to the mirror, not to its caller. A caller whose time is over leaves it going, and the next one finds it going on
 * or done: so a large repository is there in the end, however short the patience of each. A caller that was stopped stops it.
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
  private ready = false;
  private fetches = 0;
  private format: 'sha1' | 'sha256' = 'sha1';
  /** A fetch that its caller has left. */
  private leftGoing: Promise<unknown> | null = null;
  /** What commits say of each other never changes. */
  private readonly remembered = new LRUCache<string, Promise<unknown>>({ max: 64 });
  private fetched: { branch: string; began: number; head: string } | null = null;

  constructor(
    private readonly cacheDir: string,
    private readonly address: Address,
    private readonly login: Login | undefined,
    private readonly guard: NetworkGuard,
    private readonly timeouts: Timeouts,
    private readonly limits: CacheLimits = CACHE_LIMITS,
    readonly clock: Clock = systemClock,
  ) {
    this.url = address.url;
    this.dir = join(cacheDir, `${sha256(address.url).slice(0, 32)}.git`);
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

  /** A command that talks to the remote. */
  async remote(args: string[], signal: AbortSignal): Promise<GitResult> {
    const reach = await reachOf(this.address, this.guard);
    return runGit({ gitDir: this.dir, args, login: this.login, reach, signal, timeoutMs: this.timeouts.remoteMs });
  }

  /**
   * The head as it was on the remote at `asked` (`Clock.elapsed`) or later: many who ask at one time, and take turns, share
   * one exchange with it.
   */
  async headSince(asked: number, branch: string, where: string, signal: AbortSignal): Promise<string> {
    const known = this.fetched;
    if (known?.branch === branch && known.began >= asked) return known.head;
    return this.fetchHead(branch, where, signal);
  }

  /**
   * A revision that is on no branch that was fetched, by its full id, with its history; whether the remote gave it. Some hosts give out
   * only what a branch or tag leads to. The head of a branch was fetched before.
   */
  async fetchRevision(revision: string, where: string, signal: AbortSignal): Promise<boolean> {
    const flags = ['--no-tags', '--no-recurse-submodules', '--no-write-fetch-head', '--no-auto-maintenance'];
    const args = ['fetch', ...flags, '--', this.url, revision];
    const { code, stderr, retryAfter } = await this.withinSize(where, signal, (within) => this.download(args, within));
    if (code === 0) return true;
    if (/not our ref|unadvertised object|no such remote ref|couldn't find remote ref/i.test(stderr)) return false;
    throw this.error(where, stderr, retryAfter);
  }

  /** The branch's head as it is on the remote now; the objects are here afterwards. */
  async fetchHead(branch: string, where: string, signal: AbortSignal): Promise<string> {
    // A fetch that an earlier caller left going brings nearly everything that this one needs.
    if (this.leftGoing) await abortable(this.leftGoing, signal);
    await this.open(signal);
    signal.throwIfAborted();
    const began = this.clock.elapsed();
    const own = new AbortController();
    const fetch = this.fetch(branch, where, own.signal);
    try {
      const head = await abortable(fetch, signal);
      this.fetched = { branch, began, head };
      return head;
    } catch (error) {
      if (!signal.aborted) throw error;
      if (ranOutOfTime(signal.reason)) {
        this.leaveGoing(fetch);
        throw error;
      }
      own.abort(signal.reason);
      // Rejects with the same reason, once git has ended.
      return await fetch;
    }
  }

  private leaveGoing(fetch: Promise<unknown>): void {
    const going: Promise<unknown> = fetch
      .catch(() => undefined)
      .finally(() => {
        if (this.leftGoing === going) this.leftGoing = null;
      });
    this.leftGoing = going;
  }

  private async fetch(branch: string, where: string, signal: AbortSignal): Promise<string> {
    const ref = `refs/sluice/heads/${branch}`;
    const flags = [
      '--progress',
      '--no-tags',
      '--no-recurse-submodules',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
    ];
    for (let tried = 1; ; tried += 1) {
      const args = ['fetch', ...flags, '--', this.url, `+refs/heads/${branch}:${ref}`];
      const { code, stderr, retryAfter } = await this.withinSize(where, signal, (within) =>
        this.download(args, within),
      );
      if (code === 0) break;
      const format = /mismatched algorithms: client sha\d+; server (sha1|sha256)\b/.exec(stderr)?.[1];
      if (format && tried < CONTENTION_TRIES) {
        this.format = format as typeof this.format;
        await this.discard();
        await this.open(signal);
        continue;
      }
      if (isBrokenCache(stderr) || tried >= CONTENTION_TRIES) await this.discard();
      if (!isLocalContention(stderr) || tried >= CONTENTION_TRIES) throw this.error(where, stderr, retryAfter);
      await sleep(20 * tried * (0.5 + Math.random()), signal);
    }
    await touch(this.dir, this.clock.now());
    await this.tidy(signal);
    const { code, stdout } = await this.run(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], signal);
    // Another process threw the broken cache away between our two commands.
    if (code !== 0) throw new TransientError(`${where}: the local copy changed meanwhile`);
    return stdout.toString().trim();
  }

  private async download(
    args: string[],
    signal: AbortSignal,
  ): Promise<GitResult & { retryAfter?: number | undefined }> {
    const reach = await reachOf(this.address, this.guard);
    const { remoteMs: idleMs, fetchMs: timeoutMs } = this.timeouts;
    const call = { gitDir: this.dir, args, login: this.login, reach, signal, timeoutMs, idleMs };
    const result = await runGit({ ...call, headers: true });
    const { said, retryAfter } = withoutTrace(result.stderr);
    return { ...result, stderr: said, ...(result.code !== 0 && { retryAfter }) };
  }

  /** @throws PermanentError when the local copy grows over the limit while `work` goes on. */
  private async withinSize<T>(
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
      if ((await packBytes(this.dir)) > maxRepositoryBytes) controller.abort(tooLarge);
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
      if (error === tooLarge) await this.discard();
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  error(where: string, stderr: string, retryAfter?: number): PermanentError | TransientError {
    const error = remoteError(where, stderr, spellings(this.login), retryAfter);
    return error instanceof PermanentError && error.message.includes('the branch does not exist')
      ? new PermanentError(`${where}: the branch does not exist (is the repository empty?)`)
      : error;
  }

  /** Made beside its place and moved there: another process never sees half of it. */
  private async open(signal: AbortSignal): Promise<void> {
    if (this.ready && (await exists(join(this.dir, 'HEAD')))) return;
    await mkdir(this.cacheDir, { recursive: true, mode: 0o700 });
    if (!(await exists(join(this.dir, 'HEAD')))) {
      const fresh = await mkdtemp(join(this.cacheDir, 'new-'));
      const args = ['init', '--quiet', '--bare', '--template=', `--object-format=${this.format}`, '--', fresh];
      const { code, stderr } = await runGit({ args, signal, timeoutMs: this.timeouts.localMs });
      if (code !== 0) throw new TransientError(`the git cache "${this.cacheDir}" cannot be used: ${stderr.trim()}`);
      // It is there already: another process was first, and its copy is as good.
      await rename(fresh, this.dir).catch(() => rm(fresh, { recursive: true, force: true }));
    }
    this.ready = true;
    await touch(this.dir, this.clock.now());
    await tidyNowAndThen(this.cacheDir, this.limits, this.clock);
  }

  /** Throws the broken cache away; the next try starts from a new one. */
  async discard(): Promise<void> {
    this.ready = false;
    this.fetched = null;
    this.remembered.clear();
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

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

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
