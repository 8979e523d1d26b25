import type { Undo } from '../core/plan.ts';
import type { HeadsAnswer } from '../core/receiver/look.ts';
import type { CommitFacts } from '../core/trigger/commits.ts';
import type { DriverSpec, OnMissing, PromotionTemplateSpec } from '../core/definitions.ts';
import type { PromotedFiles } from '../core/file-pattern.ts';

/** A version that was pinned when the release was created: what it is called and where it comes from. */
export interface PinnedVersion {
  /** What the version source says, or the short commit, or the caller's version string. */
  label: string;
  /**
   * sha-256 (hex) over a canonical form of the files, so that two labels with different content are seen to differ. Of the label for
   * drivers without files.
   */
  digest: string;
  /** The full commit id of the source, when there is one. */
  commit?: string;
  /** Author, message and date (ISO 8601) of that commit. */
  author?: string;
  message?: string;
  date?: string;
  /** As the template says; REFUSE when absent. Not a part of the version: the digest is over the files. */
  onMissing?: OnMissing;
  /** Files of the target that these mean, as a whole, and that the version does not have are removed. Absent: none is. As above no part of it. */
  removes?: PromotedFiles;
  /** What a person should know before it is promoted; told with the release. */
  warnings?: string[];
}

/** The commit of a source, without its content. */
export type SourceRevision = Pick<PinnedVersion, 'commit' | 'author' | 'message' | 'date'>;

/** A version with its files; none for drivers without files. */
export interface PinnedContent extends PinnedVersion {
  files: PinnedFiles;
}

/** Path below the application's folder → what is promoted of that file. */
export type PinnedFiles = Record<string, PinnedFile>;

/**
 * A file is either promoted whole (`text`, UTF-8, or `base64` when it is not text; `executable` keeps its mode) or by the values at
 * JSON paths (`values`: path expression → the JSON values that it matched, in order, each with its concrete location).
 */
export type PinnedFile =
  | { kind: 'whole'; text?: string; base64?: string; executable?: boolean }
  | { kind: 'values'; values: { path: string; locations: PinnedValue[] }[] };

/**
 * A value and its concrete place in the source file. `text` keeps how a scalar was written where the value alone would lose it:
 * `appVersion: 1.10` is 1.1 to every parser, and 1.1 is another version; `yes` without quotes is a text to some readers and
 * true to others.
 */
export interface PinnedValue {
  location: (string | number)[];
  value: unknown;
  text?: string;
  /**
   * What chose the steps of `location` that are neither names nor indexes of the path: in another file the same entry may stand
   * elsewhere. Absent in content that was pinned before this was kept: then the path alone says it.
   */
  chosen?: ChosenStep[];
}

/** How one step of a location was chosen, and what it can be found by in another file. */
export interface ChosenStep {
  /** Its position in `location`. */
  at: number;
  /** The selector as RFC 9535 writes it (`-1`, `-2:`, `*`, `?@.name == 'api'`), or `..`. */
  by: string;
  /** The selector chose so many entries there, and this was the one at `place`, from 0. */
  of?: number;
  place?: number;
  /** The identity of a list's entry: fields of a map such as its name, or the scalar itself, or else a digest of the whole. */
  entry?: { fields: Record<string, string | number | boolean> } | { value: unknown } | { digest: string };
}

export type { Undo };

/** Who asks for an effect: enough for a trailer, a log line and an idempotency key. */
export interface EffectContext {
  /** Same release, environment, application and attempt → same key, whatever crashed in between. */
  key: string;
  releaseId: string;
  product: string;
  environment: string;
  application: string;
  attempt: number;
  /** How many times this step was tried before in this attempt; for backoff and `simulate`. */
  tries: number;
  signal: AbortSignal;
  /** When the release was created, in milliseconds (UTC): an effect with this key is not older. */
  since?: number;
  /** The release is older than signed keys: an effect without a signature is believed where everything else fits. */
  unsignedKeys?: boolean;
  /**
   * Whether the effect is still this run's to make: asked right before it is made, and again before each further try of it. False: it
   * was given up (its time is over, a rollback took its place), or another run has made it or is to: nothing may come of this one.
   */
  stillMine?: () => Promise<boolean>;
  /**
   * Whether the effect was given up: what came of it all the same has to be taken back. False where another run has made it or is to:
   * under one key the effect is that run's, too.
   */
  givenUp?: () => Promise<boolean>;
  /**
   * Whether this worker still has the lock of its job; it is renewed. False: another worker may be at the same step, and has the same key.
   * For an effect that its host cannot tell from a second one; nothing is taken back for it.
   */
  holdsLock?: () => Promise<boolean>;
  /** The effect takes a version back: the commit says so, and what that version added goes with it. */
  rollback?: {
    takesBack: string;
    reason: string;
    undo: Undo;
    /** Whether the change that is taken back was begun and its end is unknown: it may arrive after this effect, unless that prevents it. */
    mayStillArrive?: () => Promise<boolean>;
  };
  /** How many installations of Sluice made what led to this, one after the other; 0: a person did. */
  chain?: number;
  /** What is known to be live; left out where the driver need not look at what it writes over. */
  live?: KnownLive;
}

/** Any of these contents may be live. Anything else there was changed by hand. */
export interface KnownLive {
  /** Asked for only by a driver that can look, and only when it is about to write. None: nothing was ever promoted there. */
  contents: () => Promise<PinnedContent[]>;
  /** REFUSE: a `PermanentError`, and nothing is written. TELL: the effect says what it went over. */
  otherwise: 'REFUSE' | 'TELL';
}

/** A target that does not hold what was promoted to it: what differs, and the commit that touched it last. */
export interface Drift {
  /** Below the application's folder; at most 20. */
  files: string[];
  commit?: string;
  author?: string;
  /** ISO 8601, UTC. */
  date?: string;
  /** The commit's first line. */
  subject?: string;
}

/** What a driver did, or found done. */
export interface Effect {
  /** The commit that carries the change; absent when the content was already right or the driver has no commits. */
  commit?: string;
  author?: string;
  message?: string;
  date?: string;
  /** False when the target already held exactly this content: done, without an empty commit. */
  changed: boolean;
  /** It went over a change by hand. */
  drift?: Drift;
  /** Entries that stand in the source alone and were left out, as the template says: file and place, in words; at most 50. */
  skipped?: string[];
}

/** What is proposed for one application. */
export interface PartOfProposal<S extends DriverSpec = DriverSpec> {
  target: S;
  content: PinnedContent;
  /** As in an effect's context, of this application. */
  rollback?: EffectContext['rollback'];
  live?: KnownLive;
}

/** A file that a proposal changes; `added` and `removed` are lines, null where it is not text. */
export interface ProposedFile {
  /** From the root of the repository. */
  path: string;
  added: number | null;
  removed: number | null;
}

/** What was proposed, or found proposed. `changed` false: the target holds it already, and no branch was made. */
export interface Proposal extends Effect {
  branch: string;
  /** Where the branch stands; absent where none was made. Others may have pushed onto `commit`, which is the one of this proposal. */
  head?: string;
  /** The commit of the target's branch on which it was made. */
  base: string;
  files: ProposedFile[];
  /** How many files there are besides those that are listed. */
  more?: number;
}

/** How a branch stands to a content that was proposed for it. */
export interface Landing {
  /** The commit of the branch itself at which it came to hold the content; absent: it never did. */
  effect?: Effect;
  /** Whether the commit that it was proposed for held the content already, so that nothing of it can have come since; null: it is not known. */
  before: boolean | null;
  /** Where the branch stands. */
  head: string;
  /** Whether the commit that was asked about is a part of the branch; null: none was. */
  contains: boolean | null;
  /** How the head differs from the content now; null: it holds it. */
  drift: Drift | null;
  /** Of a rollback: the head has, besides, what it takes away or puts back as it was. */
  left?: boolean;
}

/**
 * One way of changing an application. Errors: `PermanentError` is never tried again; `TransientError` (network, 5xx,
 * 429, a race lost) is tried again with backoff; anything else counts as transient. No credential appears in either.
 */
export interface Driver<S extends DriverSpec = DriverSpec> {
  /** Where the source stands: the commit that `pin` would read, and no content. Nothing for drivers without commits. Network. */
  revision(source: S, wanted: { commit?: string; version?: string }, signal: AbortSignal): Promise<SourceRevision>;
  /**
   * Where branches of the source's repository stand: one call for all of them, beside whatever else is done with the repository.
   * Undefined for drivers without branches. Network; never inside a transaction. Failures are answers.
   */
  heads(source: S, branches: readonly string[], signal: AbortSignal): Promise<HeadsAnswer | undefined>;
  /**
   * What became of the application's folder since its branch stood at `from`, with the content of `digest`. `seen`: the head as somebody
   * saw it: where it is `from` nothing is asked, anything else is a reason to ask the remote. Undefined for drivers without commits. Network.
   */
  moved(
    source: S,
    template: PromotionTemplateSpec | undefined,
    since: { from?: string; digest?: string; seen?: string },
    signal: AbortSignal,
  ): Promise<Move | undefined>;
  /** Branches and tags that stand at a commit. None for drivers without commits. Network. */
  refs(source: S, commit: string, signal: AbortSignal): Promise<{ branches: string[]; tags: string[] }>;
  /** Reads the version to be released from the source application. Network; never inside a transaction. */
  pin(
    source: S,
    template: PromotionTemplateSpec | undefined,
    wanted: { commit?: string; version?: string },
    signal: AbortSignal,
  ): Promise<PinnedContent>;
  /** Brings the target to the content. Asking twice with one key changes nothing the second time. */
  apply(target: S, content: PinnedContent, context: EffectContext): Promise<Effect>;
  /** Whether the effect of `key` already happened, after a crash between the effect and its record. */
  observe(target: S, key: string, signal: AbortSignal): Promise<Effect | undefined>;
  /**
   * Makes a branch with the changes of all parts, which share a repository and a branch, and leaves their target as it is. The branch is
   * created and never written over; asked twice with one key it is made once.
   * @throws PermanentError where this kind of target has no branches
   */
  propose(parts: readonly PartOfProposal<S>[], branch: string, context: EffectContext): Promise<Proposal>;
  /**
   * The same with whole files, from the root of the repository: their text, or null for one that is removed. The message of the commit is
   * that of the target's `commits`.
   * @throws PermanentError where this kind of target has no branches
   */
  proposeFiles(
    target: S,
    files: Readonly<Record<string, string | null>>,
    branch: string,
    context: EffectContext,
  ): Promise<Proposal>;
  /**
   * Whether the target holds the content, or held it since the commit `since`, and where it came to do so.
   * @param asked `contains`: the commit of its merge, as far as that is known; `back`: of a rollback to this content
   * @throws PermanentError where this kind of target has no branches
   */
  landed(
    target: S,
    content: PinnedContent,
    asked: { since?: string; contains?: string; back?: WayBack },
    signal: AbortSignal,
  ): Promise<Landing>;
  /**
   * What is live: the commit that last touched the target, and whether it still holds exactly this content; if not, what
   * differs. Undefined where there is nothing to look at: then the record is all that anybody can know.
   */
  matches(
    target: S,
    content: PinnedContent,
    signal: AbortSignal,
  ): Promise<{ commit?: string; matches: boolean; drift?: Drift } | undefined>;
  /**
   * Whether a revision, a full or shortened commit id, contains the change: its commit by history and, when `content` is given, its content
   * in the target's folder. The revision may be on any branch. Undefined for drivers without commits. Network only where the
   * local copy does not know both.
   */
  contains(
    target: S,
    change: { commit: string; content?: PinnedContent },
    revision: string,
    signal: AbortSignal,
  ): Promise<Contained | undefined>;
  /**
   * Which commits two commits of a source do not share, of those that touched its folder. Answered from what this process has fetched, beside
   * whatever else is done with the repository, and never from the remote. Undefined for drivers without commits.
   * @param asked `list`: so many of the commits that `to` alone has are told, newest first
   */
  between(
    source: S,
    asked: { from: string; to: string; list: number },
    signal: AbortSignal,
  ): Promise<CommitsBetween | undefined>;
  /**
   * What `apply` with this content would write on top of the target as it is now; nothing is written. Undefined for drivers without files.
   * Network. @throws PermanentError as `apply` does where the content cannot be brought there
   * @param back of a rollback to this content
   */
  preview(target: S, content: PinnedContent, signal: AbortSignal, back?: WayBack): Promise<WritePreview | undefined>;
  /**
   * The files below a folder whose names end in one of `endings`, as they are at the head of the branch, in the order of their paths; those
   * whose path has a part that begins with a dot are left out. Undefined for drivers without files. Network.
   * @throws PermanentError where there is no such folder or branch, and where it holds more than is read
   */
  read(source: S, endings: readonly string[], signal: AbortSignal): Promise<FolderRead | undefined>;
  /** Ends what goes on without a caller. */
  close(): Promise<void>;
}

/** Files of a folder at one commit. */
export interface FolderRead {
  commit: string;
  /** `path` from the root of the repository. `text` null: it is not UTF-8. */
  files: { path: string; text: string | null }[];
}

/** What a rollback takes back, and where. */
export type WayBack = { undo: Undo } & Pick<EffectContext, 'environment' | 'application'>;

/** The changes that a promotion would commit. */
export interface WritePreview {
  /** The commit on top of which they are. */
  head: string;
  /** At most 100; none: the target holds the content. */
  files: PreviewedFile[];
  /** How many files there are besides those. */
  more: number;
  /** As in an effect. */
  skipped: string[];
}

/** A file that would change; `path` from the root of the repository. `hidden`: why its texts are not shown. */
export type PreviewedFile = { path: string; kind: 'ADDED' | 'CHANGED' | 'REMOVED' } & (
  | { before: string; after: string; hidden?: undefined }
  | { hidden: 'LARGE' | 'NO_TEXT' }
);

/** KNOWN: how many commits `from` alone and `to` alone have, counted up to 10,000. UNKNOWN: this commit was not fetched here. */
export type CommitsBetween =
  | { kind: 'KNOWN'; gone: number; added: number; commits: Required<SourceRevision>[] }
  | { kind: 'UNKNOWN'; missing: string };

/**
 * How a revision of a repository relates to a change. HOLDS: it has the change's commit in its history, and the folder holds the change's
 * content there. BEFORE: it does not have that commit. OTHER: it has, and the folder holds something else. UNKNOWN: no such revision was found.
 */
export type Contained =
  | { kind: 'HOLDS' }
  | { kind: 'BEFORE' }
  | { kind: 'OTHER'; files: string[] }
  | { kind: 'UNKNOWN' };

/** What happened to an application's folder since the branch stood somewhere else. */
export interface Move {
  /**
   * FIRST: there was no place to compare with. SAME: the branch stands where it stood. AHEAD: it went on from there. LEFT: the commits that
   * it had are not below its head any more; it was pushed with force.
   */
  relation: 'FIRST' | 'SAME' | 'AHEAD' | 'LEFT';
  head: string;
  /** Paths below the folder that differ; absent where there are too many to name, or nothing is known of the place before. */
  touched?: string[];
  /** The content at the head, and the commit that brought it; absent where the folder was not touched. */
  content?: Required<SourceRevision> & Pick<PinnedVersion, 'digest' | 'label'>;
  /** The content is another one. */
  changed?: boolean;
  /** The commits since then that touched the folder, newest first; at most 200. */
  commits?: CommitFacts[];
}

/** It will never work: the step fails, and nothing is tried again by itself. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
}

/** It may work later (network, 5xx, 429, a push that lost a race): the step is tried again as its `retry` says. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
  /** When the other side said how long to wait (Retry-After), in milliseconds. */
  readonly retryAfter?: number;
  constructor(message: string, options?: { cause?: unknown; retryAfter?: number }) {
    super(message, options);
    this.retryAfter = options?.retryAfter;
  }

  /** The same in other words. */
  saying(message: string): TransientError {
    return new TransientError(message, { cause: this.cause, retryAfter: this.retryAfter });
  }
}

/**
 * There was no room for it, here or by the limits of the host, so nothing was done: it is no try. `retryAfter` says in how many
 * milliseconds there may be.
 */
export class ThrottledError extends TransientError {
  declare readonly retryAfter: number;
  constructor(message: string, options: { cause?: unknown; retryAfter: number }) {
    super(message, options);
  }

  override saying(message: string): ThrottledError {
    return new ThrottledError(message, { cause: this.cause, retryAfter: this.retryAfter });
  }
}
