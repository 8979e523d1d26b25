import { LRUCache } from 'lru-cache';
import { systemClock } from '../../clock.ts';
import type { Clock } from '../../clock.ts';
import type { GitDriverSpec } from '../../core/definitions.ts';
import { contentDigest, sha256, verifyDigest } from '../content.ts';
import type { CommitsBetween, Driver, PinnedContent } from '../driver.ts';
import type { SecretSource } from '../secret-source.ts';
import { PermanentError } from '../driver.ts';
import type { NetworkGuard } from '../network/guard.ts';
import type { Address, Protocol } from './address.ts';
import { checkBranch, checkPath, parseAddress } from './address.ts';
import type { CacheLimits } from './cache.ts';
import { CACHE_LIMITS } from './cache.ts';
import { commitsBetween } from './between.ts';
import { changesAndSkipped, pathsOf } from './changes.ts';
import type { CommitStyle } from './commit.ts';
import type { GitCredentials, Login } from './credentials.ts';
import { loginFor } from './credentials.ts';
import { namedError } from './errors.ts';
import { headsOf } from './heads.ts';
import { containedIn } from './contains.ts';
import { lastTouching, shown } from './history.ts';
import { landed } from './landed.ts';
import { FetchGoesOn, Mirror } from './mirror.ts';
import { Places } from './mutex.ts';
import { pinContent, revisionAt } from './pin.ts';
import { driftFrom } from './drift.ts';
import type { SigningKeys } from './proof.ts';
import { findSigned } from './proof.ts';
import { previewAt } from './preview.ts';
import { mustBeMine, preparePromotion } from './promote.ts';
import { PushLine } from './push-line.ts';
import { reachOf } from './reach.ts';
import { readFolder } from './read.ts';
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
  /** How long a caller waits for a fetch, in milliseconds; then it goes on beside it. Default 45,000. */
  patienceMs?: number;
  /** One command on the local copy, in milliseconds; default 60,000. */
  localTimeoutMs?: number;
  /** Dates commits; this machine's own when absent. */
  clock?: Clock;
}

/** Repositories that one process works on at once, each with processes of git. Looks, which are small, are beside them. */
const REPOSITORIES_AT_ONCE = 64;

/** Commits that are compared at once for readers, beside all that. */
const COMPARISONS_AT_ONCE = 4;

/** Repositories that one process fetches for the first time at once. */
const FIRST_FETCHES = 4;

/** A look is small: a host that takes longer is away. In milliseconds. */
const LOOK_LIMIT = 30_000;

/**
 * Commits promoted content to the target's branch, without a checkout and never with force.
 *
 * The commit itself is the record: it carries the key with a signature, and every apply looks for the key on the remote's branch
 * before it builds anything. So a crash between push and record, a push whose answer was lost, and a second worker with the same
 * job all end in one commit.
 *
 * A push is a compare-and-set on the head that was looked at, and right before it each caller is asked whether its effect is still
 * wanted: what was given up meanwhile is not built on top of what came in its place. Promotions of one branch that are ready together
 * share a push (push-line.ts).
 */
export function createGitDriver(settings: GitSettings): Driver<GitDriverSpec> {
  const mirrors = new Map<string, Mirror>();
  const lines = new WeakMap<Mirror, Map<string, PushLine>>();
  const never = new AbortController().signal;
  const closing = new AbortController();
  const fetching = { firsts: new Places(FIRST_FETCHES), closing: closing.signal };
  const patience = settings.patienceMs ?? 45_000;
  const atWork = new Places(REPOSITORIES_AT_ONCE);
  const reading = new Places(COMPARISONS_AT_ONCE);
  /** What commits say of each other never changes. */
  const compared = new LRUCache<string, CommitsBetween>({ max: 2_000 });
  const author = { name: settings.authorName, email: settings.authorEmail };
  const timeouts = {
    remoteMs: settings.remoteTimeoutMs ?? 120_000,
    fetchMs: settings.fetchTimeoutMs ?? 60 * 60 * 1000,
    localMs: settings.localTimeoutMs ?? 60_000,
    inTurnMs: Math.min(patience, 5_000),
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
    const make = (): Mirror =>
      new Mirror(settings.cacheDir, address, login, settings.guard, timeouts, limits, clock, fetching);
    const known = mirrors.get(id) ?? make();
    mirrors.set(id, known);
    return known;
  }

  /** A fetch that takes long goes on beside everything else, and is waited for outside of the turns of a repository. */
  async function afterFetches<T>(
    mirror: Mirror,
    where: string,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> {
    const began = clock.elapsed();
    for (;;) {
      await mirror.afterFetch(where, patience - (clock.elapsed() - began), signal);
      try {
        return await work();
      } catch (error) {
        const isOver = signal.aborted || clock.elapsed() - began >= patience;
        if (!(error instanceof FetchGoesOn) || isOver) throw error;
      }
    }
  }

  /** One at a time per repository; `where` goes into every message about it, and `asked` says since when it is wanted. */
  async function inRepository<T>(
    target: GitDriverSpec,
    application: string | undefined,
    signal: AbortSignal,
    work: (mirror: Mirror, at: { where: string; folder: string; asked: number }) => Promise<T>,
  ): Promise<T> {
    const asked = clock.elapsed();
    const mirror = await mirrorOf(target.repoURL);
    const where = wordsFor(mirror, target, application);
    return named(where, async () => {
      checkBranch(target.branch);
      const at = { where, folder: checkPath(target.path, 'path'), asked };
      return await afterFetches(mirror, where, signal, () =>
        mirror.mutex.run(signal, () => atWork.run(signal, () => work(mirror, at))),
      );
    });
  }

  function lineOf(mirror: Mirror, branch: string): PushLine {
    const ofMirror = lines.get(mirror) ?? new Map<string, PushLine>();
    lines.set(mirror, ofMirror);
    const known = ofMirror.get(branch);
    if (known) return known;
    const line = new PushLine({
      mirror,
      branch,
      prepare: (head, promotion) =>
        preparePromotion(mirror, head, promotion, { style: styleOf, signingKeys: settings.signingKeys }),
      inTurn: (work) => mirror.mutex.run(never, () => atWork.run(never, work)),
    });
    ofMirror.set(branch, line);
    return line;
  }

  return {
    revision: (source, { commit }, signal) =>
      inRepository(source, undefined, signal, async (mirror, { where, asked }) => {
        const head = await mirror.headSince(asked, source.branch, where, signal);
        return revisionAt(mirror, head, source.path, commit, signal);
      }),

    heads: async ({ repoURL }, branches, signal) =>
      headsOf(repoURL, branches, signal, {
        open: async () => {
          const address = parseAddress(repoURL, settings.protocols);
          return { address, login: await loginOf(address), reach: await reachOf(address, settings.guard) };
        },
        timeoutMs: timeouts.lookMs,
      }),

    moved: (source, template, { from, digest, seen }, signal) => {
      if (from !== undefined && seen === from) return Promise.resolve({ relation: 'SAME' as const, head: from });
      return inRepository(source, undefined, signal, async (mirror, { where, asked }) => {
        const keys = await settings.signingKeys();
        // What somebody saw may be old by now: only the remote's own word, later than `from`, tells going on from going back.
        const head = await mirror.headSince(asked, source.branch, where, signal);
        return moveTo(mirror, head, { source, template, from, digest, keys }, signal);
      });
    },

    refs: async (source, commit, signal) => {
      const mirror = await mirrorOf(source.repoURL);
      const { code, stdout, stderr, retryAfter } = await mirror.remote(
        ['ls-remote', '--heads', '--tags', '--', mirror.url],
        signal,
      );
      if (code !== 0) throw mirror.error(`repository "${mirror.url}"`, stderr, retryAfter);
      return refsIn(stdout.toString(), commit);
    },

    pin: (source, template, wanted, signal) =>
      inRepository(source, undefined, signal, async (mirror, { where, asked }) => {
        const head = await mirror.headSince(asked, source.branch, where, signal);
        return pinContent(mirror, head, source, template, wanted.commit, signal);
      }),

    apply: async (target, content, context) => {
      const mirror = await mirrorOf(target.repoURL);
      const where = wordsFor(mirror, target, context.application);
      return named(where, async () => {
        checkBranch(target.branch);
        const folder = checkPath(target.path, 'path');
        verifyDigest(content);
        const line = lineOf(mirror, target.branch);
        const promotion = { where, target, folder, content, context };
        return await afterFetches(mirror, where, context.signal, () => line.promote(promotion));
      });
    },

    observe: (target, key, signal) =>
      inRepository(target, undefined, signal, async (mirror, { where, folder, asked }) => {
        const head = await mirror.headSince(asked, target.branch, where, signal);
        const found = await findSigned({ mirror, head, folder, keys: await settings.signingKeys() }, key, signal);
        return found && { ...shown(found.facts), changed: found.changed };
      }),

    propose: (parts, branch, context) => {
      const [{ target }] = parts as [(typeof parts)[number]];
      return inRepository(target, context.application, context.signal, async (mirror, { where }) => {
        for (const { content } of parts) verifyDigest(content);
        const placed = parts.map((each) => ({ ...each, folder: checkPath(each.target.path, 'path') }));
        const tools = { style: () => styleOf(target), signingKeys: settings.signingKeys, mustBeMine };
        return propose(mirror, where, target.branch, placed, branch, context, tools);
      });
    },

    proposeFiles: (target, given, branch, context) =>
      inRepository(target, undefined, context.signal, (mirror, { where }) => {
        const part = { target, content: wholeFiles(given), folder: '' };
        const tools = { style: () => styleOf(target), signingKeys: settings.signingKeys, mustBeMine };
        return propose(mirror, where, target.branch, [part], branch, context, tools);
      }),

    landed: (target, content, about, signal) =>
      inRepository(target, undefined, signal, async (mirror, { where, folder, asked }) => {
        const head = await mirror.headSince(asked, target.branch, where, signal);
        const search = { mirror, head, folder, keys: await settings.signingKeys() };
        return landed(search, content, about, signal);
      }),

    matches: (target, content, signal) =>
      inRepository(target, undefined, signal, async (mirror, { where, folder, asked }) => {
        const head = await mirror.headSince(asked, target.branch, where, signal);
        const last = await lastTouching(mirror, head, pathsOf(folder, content), signal);
        const drift = await driftFrom(mirror, head, folder, [content], signal);
        return { commit: last?.commit, matches: drift === null, ...(drift && { drift }) };
      }),

    contains: (target, change, revision, signal) =>
      inRepository(target, undefined, signal, (mirror, at) =>
        containedIn({ mirror, branch: target.branch, ...at }, change, revision, signal),
      ),

    preview: (target, content, signal, back) =>
      inRepository(target, undefined, signal, async (mirror, { where, folder, asked }) => {
        verifyDigest(content);
        const head = await mirror.headSince(asked, target.branch, where, signal);
        if (!back)
          return previewAt(mirror, head, await changesAndSkipped(mirror, head, folder, content, signal), signal);
        const search = { mirror, head, folder, keys: await settings.signingKeys() };
        const changes = await restoringChanges(search, content, back.undo, { ...back, signal });
        return previewAt(mirror, head, { changes, skipped: [] }, signal);
      }),

    read: (source, endings, signal) =>
      inRepository(source, undefined, signal, async (mirror, { where, folder, asked }) => {
        const head = await mirror.headSince(asked, source.branch, where, signal);
        return readFolder(mirror, head, folder, endings, signal);
      }),

    between: async (source, { from, to, list }, signal) => {
      const mirror = await mirrorOf(source.repoURL);
      return named(wordsFor(mirror, source, undefined), async () => {
        const folder = checkPath(source.path, 'path');
        const key = [mirror.url, folder, from, to, list].join(' ');
        const known = compared.get(key);
        if (known) return known;
        // Not in turn: commits are only ever added, and a promotion does not wait for a reader.
        const answer = await reading.run(signal, () => commitsBetween(mirror, { from, to, folder, list }, signal));
        if (answer.kind === 'KNOWN') compared.set(key, answer);
        return answer;
      });
    },

    close: async () => {
      closing.abort(new Error('this process ends'));
      await Promise.all([...mirrors.values()].map((each) => each.close()));
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
}

function wholeFiles(given: Readonly<Record<string, string | null>>): PinnedContent {
  const files: PinnedContent['files'] = {};
  const removes: NonNullable<PinnedContent['removes']> = {};
  for (const [path, text] of Object.entries(given)) {
    if (text === null) removes[path] = {};
    else files[path] = { kind: 'whole', text };
  }
  return { label: '', digest: contentDigest(files), files, removes };
}

/** Goes into every message about it. */
function wordsFor(mirror: Mirror, { branch, path }: GitDriverSpec, application: string | undefined): string {
  const who = application === undefined ? '' : `application "${application}": `;
  return `${who}repository "${mirror.url}", branch "${branch}", path "${path}"`;
}

async function named<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw namedError(where, error);
  }
}
