import { systemClock } from '../../clock.ts';
import type { Clock } from '../../clock.ts';
import type { GitDriverSpec } from '../../core/definitions.ts';
import { sha256, verifyDigest } from '../content.ts';
import type { Driver, Effect, EffectContext, PinnedContent } from '../driver.ts';
import type { SecretSource } from '../secret-source.ts';
import { PermanentError, TransientError } from '../driver.ts';
import type { NetworkGuard } from '../network/guard.ts';
import { sleep } from '../sleep.ts';
import type { Address, Protocol } from './address.ts';
import { checkBranch, checkPath, parseAddress } from './address.ts';
import type { CacheLimits } from './cache.ts';
import { CACHE_LIMITS } from './cache.ts';
import { changesAndSkipped, pathsOf } from './changes.ts';
import { buildCommit, messageFor } from './commit.ts';
import type { CommitStyle } from './commit.ts';
import type { GitCredentials, Login } from './credentials.ts';
import { loginFor } from './credentials.ts';
import { isRace } from './errors.ts';
import { headsOf } from './heads.ts';
import { containedIn } from './contains.ts';
import { becameSo, lastTouching, shown } from './history.ts';
import { landed } from './landed.ts';
import { Mirror } from './mirror.ts';
import { Places } from './mutex.ts';
import { pinContent, revisionAt } from './pin.ts';
import { driftFrom, seenBeneath } from './drift.ts';
import type { Search, SigningKeys } from './proof.ts';
import { findEffect, findSigned, holdsAt, sealOf, written } from './proof.ts';
import { reachOf } from './reach.ts';
import { moveTo, refsIn } from './range.ts';
import { propose } from './propose.ts';
import { restoringChanges } from './restore.ts';
import { signatureBy } from './sign.ts';

/** How repositories are reached, kept and written to from this process. */
export interface GitSettings {
  /** Absolute; may be shared by several processes, and deleted at any time. */
  cacheDir: string;
  cacheLimits?: Partial<CacheLimits>;
  authorName: string;
  authorEmail: string;
  credentials?: GitCredentials;
  /** Logins that are kept as secrets; they win over those of the settings. */
  secrets?: Pick<SecretSource, 'gitLogins' | 'signingKey'>;
  /** Sign what is committed; the same in every process. At least one. */
  signingKeys: SigningKeys;
  /** Lets through which hosts are called. */
  guard: NetworkGuard;
  /** https and ssh when absent. */
  protocols?: readonly Protocol[];
  /** One exchange with a remote, in milliseconds; a fetch may be longer as long as it goes on. Default 120,000. */
  remoteTimeoutMs?: number;
  /** A fetch as a whole, in milliseconds; it goes on beside a caller that cannot wait so long. Default one hour. */
  fetchTimeoutMs?: number;
  /** One command on the local copy, in milliseconds; default 60,000. */
  localTimeoutMs?: number;
  /** Dates commits; this machine's own when absent. */
  clock?: Clock;
}

/** Each lost race means that another commit got in; after so many in a row the queue's backoff is kinder to the remote. */
const PUSH_TRIES = 10;

/** Repositories that one process works on at once, each with processes of git. Looks, which are small, are beside them. */
const REPOSITORIES_AT_ONCE = 64;

/** A look is small: a host that takes longer is away. In milliseconds. */
const LOOK_LIMIT = 30_000;

/**
 * Commits promoted content to the target's branch, without a checkout and never with force.
 *
 * The commit itself is the record: it carries the key with a signature, and every apply looks for the key on the remote's branch
 * before it builds anything. So a crash between push and record, a push whose answer was lost, and a second worker with the same
 * job all end in one commit.
 *
 * A push is a compare-and-set on the head that was looked at, and right before it the caller is asked whether the effect is still
 * wanted: what was given up meanwhile is not built on top of what came in its place.
 */
export function createGitDriver(settings: GitSettings): Driver<GitDriverSpec> {
  const mirrors = new Map<string, Mirror>();
  const atWork = new Places(REPOSITORIES_AT_ONCE);
  const author = { name: settings.authorName, email: settings.authorEmail };
  const timeouts = {
    remoteMs: settings.remoteTimeoutMs ?? 120_000,
    fetchMs: settings.fetchTimeoutMs ?? 60 * 60 * 1000,
    localMs: settings.localTimeoutMs ?? 60_000,
    lookMs: Math.min(settings.remoteTimeoutMs ?? LOOK_LIMIT, LOOK_LIMIT),
  };
  const limits = { ...CACHE_LIMITS, ...settings.cacheLimits };
  const clock = settings.clock ?? systemClock;

  async function loginOf(address: Address): Promise<Login | undefined> {
    const isHttp = address.protocol === 'https' || address.protocol === 'http';
    const kept = isHttp ? loginFor(address, (await settings.secrets?.gitLogins()) ?? {}) : undefined;
    return kept ?? loginFor(address, settings.credentials ?? {});
  }

  async function mirrorOf(repoURL: string): Promise<Mirror> {
    const address = parseAddress(repoURL, settings.protocols);
    const login = await loginOf(address);
    const id = `${address.url} ${sha256(JSON.stringify(login ?? null))}`;
    const known =
      mirrors.get(id) ?? new Mirror(settings.cacheDir, address, login, settings.guard, timeouts, limits, clock);
    mirrors.set(id, known);
    return known;
  }

  /** One at a time per repository; `where` goes into every message about it. */
  async function inRepository<T>(
    target: GitDriverSpec,
    application: string | undefined,
    signal: AbortSignal,
    work: (mirror: Mirror, where: string, folder: string) => Promise<T>,
  ): Promise<T> {
    const mirror = await mirrorOf(target.repoURL);
    const who = application === undefined ? '' : `application "${application}": `;
    const where = `${who}repository "${mirror.url}", branch "${target.branch}", path "${target.path}"`;
    return named(where, async () => {
      checkBranch(target.branch);
      const folder = checkPath(target.path, 'path');
      return await mirror.mutex.run(signal, () => atWork.run(signal, () => work(mirror, where, folder)));
    });
  }

  return {
    revision: (source, { commit }, signal) =>
      inRepository(source, undefined, signal, async (mirror, where) =>
        revisionAt(mirror, await mirror.fetchHead(source.branch, where, signal), source.path, commit, signal),
      ),

    heads: async ({ repoURL }, branches, signal) =>
      headsOf(repoURL, branches, signal, {
        open: async () => {
          const address = parseAddress(repoURL, settings.protocols);
          return { address, login: await loginOf(address), reach: await reachOf(address, settings.guard) };
        },
        timeoutMs: timeouts.lookMs,
      }),

    moved: (source, template, { from, digest, seen }, signal) => {
      const asked = clock.elapsed();
      if (from !== undefined && seen === from) return Promise.resolve({ relation: 'SAME' as const, head: from });
      return inRepository(source, undefined, signal, async (mirror, where) => {
        const keys = await settings.signingKeys();
        // What somebody saw may be old by now: only the remote's own word, later than `from`, tells going on from going back.
        const head = await mirror.headSince(asked, source.branch, where, signal);
        return moveTo(mirror, head, { source, template, from, digest, keys }, signal);
      });
    },

    refs: async (source, commit, signal) => {
      const mirror = await mirrorOf(source.repoURL);
      const { code, stdout, stderr } = await mirror.remote(
        ['ls-remote', '--heads', '--tags', '--', mirror.url],
        signal,
      );
      if (code !== 0) throw mirror.error(`repository "${mirror.url}"`, stderr);
      return refsIn(stdout.toString(), commit);
    },

    pin: (source, template, wanted, signal) =>
      inRepository(source, undefined, signal, async (mirror, where) => {
        const head = await mirror.fetchHead(source.branch, where, signal);
        return pinContent(mirror, head, source, template, wanted.commit, signal);
      }),

    apply: (target, content, context) =>
      inRepository(target, context.application, context.signal, async (mirror, where, folder) => {
        verifyDigest(content);
        for (let tried = 1; tried <= PUSH_TRIES; tried += 1) {
          const effect = await applyOnce(mirror, where, folder, target, content, context);
          if (effect) return effect;
          await sleep(25 * tried * (0.5 + Math.random()), context.signal);
        }
        throw new TransientError(`${where}: others pushed first, ${PUSH_TRIES} times in a row`);
      }),

    observe: (target, key, signal) =>
      inRepository(target, undefined, signal, async (mirror, where, folder) => {
        const head = await mirror.fetchHead(target.branch, where, signal);
        const found = await findSigned({ mirror, head, folder, keys: await settings.signingKeys() }, key, signal);
        return found && { ...shown(found.facts), changed: found.changed };
      }),

    propose: (parts, branch, context) => {
      const [{ target }] = parts as [(typeof parts)[number]];
      return inRepository(target, context.application, context.signal, async (mirror, where) => {
        for (const { content } of parts) verifyDigest(content);
        const placed = parts.map((each) => ({ ...each, folder: checkPath(each.target.path, 'path') }));
        const tools = { style: () => styleOf(target), signingKeys: settings.signingKeys, mustBeMine };
        return propose(mirror, where, target.branch, placed, branch, context, tools);
      });
    },

    landed: (target, content, asked, signal) => {
      const began = clock.elapsed();
      return inRepository(target, undefined, signal, async (mirror, where, folder) => {
        const head = await mirror.headSince(began, target.branch, where, signal);
        return landed(mirror, head, folder, content, asked, signal);
      });
    },

    matches: (target, content, signal) => {
      const asked = clock.elapsed();
      return inRepository(target, undefined, signal, async (mirror, where, folder) => {
        const head = await mirror.headSince(asked, target.branch, where, signal);
        const last = await lastTouching(mirror, head, pathsOf(folder, content), signal);
        const drift = await driftFrom(mirror, head, folder, [content], signal);
        return { commit: last?.commit, matches: drift === null, ...(drift && { drift }) };
      });
    },

    contains: (target, change, revision, signal) => {
      const asked = clock.elapsed();
      return inRepository(target, undefined, signal, (mirror, where, folder) =>
        containedIn({ mirror, where, folder, branch: target.branch, asked }, change, revision, signal),
      );
    },
  };

  /** How commits of this application look: as its definition says, and as the settings say where it does not. */
  async function styleOf({ commits }: GitDriverSpec): Promise<CommitStyle> {
    const { author: own, message, signOff, signingKey } = commits ?? {};
    const style = { ...author, ...own, ...(message !== undefined && { message }), ...(signOff && { signOff }) };
    if (signingKey === undefined) return style;
    const key = await settings.secrets?.signingKey(signingKey);
    if (key === undefined) throw new PermanentError(`there is no secret "${signingKey}" that signs commits`);
    return { ...style, sign: (commit, signal) => signatureBy(key, commit, signal) };
  }

  /** Undefined when another push came in between. */
  async function applyOnce(
    mirror: Mirror,
    where: string,
    folder: string,
    target: GitDriverSpec,
    content: PinnedContent,
    context: EffectContext,
  ): Promise<Effect | undefined> {
    const { signal } = context;
    const head = await mirror.fetchHead(target.branch, where, signal);
    const search: Search = { mirror, head, folder, keys: await settings.signingKeys() };
    const before = await findEffect(search, content, context);
    if (before) return { ...shown(before.facts), changed: before.changed };

    const { rollback } = context;
    const planned = rollback
      ? { changes: await restoringChanges(search, content, rollback.undo, context), skipped: [] }
      : await changesAndSkipped(mirror, head, folder, content, signal);
    const { changes } = planned;
    const skipped = planned.skipped.length > 0 ? { skipped: planned.skipped } : {};
    // A push of what is taken back may be on its way: a new head makes it come second, and then it is asked whether it is wanted.
    const fence = changes.length === 0 && rollback?.mayStillArrive !== undefined && (await rollback.mayStillArrive());
    if (changes.length === 0 && !fence) {
      const holds = (commit: string): Promise<boolean> => holdsAt(mirror, commit, folder, content, signal);
      const first = await becameSo(mirror, head, pathsOf(folder, content), holds, signal);
      return { ...(first && shown(first)), changed: false, ...skipped };
    }
    const drift = fence ? null : await seenBeneath(mirror, where, folder, head, content, context);
    const seal = sealOf(search.keys, context, written(changes, head.length));
    const style = await styleOf(target);
    const message = messageFor(content, context, seal, style);
    const facts = await buildCommit(mirror, head, changes, message, style, signal);
    await mustBeMine(where, context);
    const refspec = `${facts.commit}:refs/heads/${target.branch}`;
    // Only on top of the very head that was looked at: when another push comes in between, this one starts over.
    const lease = `--force-with-lease=refs/heads/${target.branch}:${head}`;
    const push = await mirror.remote(['push', '--porcelain', '--no-verify', lease, '--', mirror.url, refspec], signal);
    if (push.code === 0) return { ...shown(facts), changed: !fence, ...(drift && { drift }), ...skipped };
    const said = `${push.stderr}\n${push.stdout.toString()}`;
    if (isRace(said)) return undefined;
    throw mirror.error(where, said);
  }
}

/** @throws TransientError when the caller has given the effect up: what came of it counts for nothing. */
async function mustBeMine(where: string, { stillMine, signal }: EffectContext): Promise<void> {
  signal.throwIfAborted();
  if (stillMine === undefined || (await stillMine())) return;
  throw new TransientError(`${where}: the promotion was given up meanwhile, so nothing is pushed`);
}

async function named<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const name = (error as Error).message.includes(where) ? '' : `${where}: `;
    if (error instanceof PermanentError) throw new PermanentError(name + error.message, { cause: error.cause });
    if (error instanceof TransientError) throw error.named(name);
    throw error;
  }
}
