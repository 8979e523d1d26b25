import type { CommitRule } from '../../core/commit-rules.ts';
import type { ForgeKind } from '../../core/forges.ts';
import { PermanentError } from '../driver.ts';

/**
 * A host of repositories with pull requests, apart from its git: what is done there through its API.
 *
 * `repository` is the address as definitions have it. Every method asks before it acts or finds what is there already, so that done
 * twice is done once. Errors: `PermanentError` where the host refuses for good (permission, archived), among them `RepositoryMoved`;
 * `TransientError` where it may work later; `retryAfter` is in milliseconds. Neither holds a token.
 */
export interface Forge {
  readonly kind: ForgeKind;
  /**
   * Opens a pull request, or answers the newest one of this head and base, in whichever state it is. Labels and reviewers of an open one
   * are added; its text stays.
   * @throws NothingToPropose where the head holds no commit that the base has not.
   */
  open(repository: string, wanted: NewPullRequest, call: Call): Promise<PullRequestOpened>;
  /** The newest one with this head (a branch of this repository, never of a fork), in any state. */
  find(repository: string, by: PullRequestBranches, call: Call): Promise<PullRequestSeen | undefined>;
  get(repository: string, number: number, call: Call): Promise<PullRequestSeen>;
  /**
   * All that were touched, the newest first, in one call where the host can; `mergeable` and `by` may be unknown here.
   */
  list(repository: string, since: ListSince, call: Call): Promise<PullRequestList>;
  /** Closed or merged meanwhile: it is left, and answered as it is. */
  close(repository: string, number: number, call: Call): Promise<PullRequestSeen>;
  /**
   * Merges only what has `sha` as its head.
   * @throws PermanentError where waiting does not help: the head moved, conflicts, no permission, the method is not allowed.
   */
  merge(repository: string, number: number, how: HowToMerge, call: Call): Promise<MergeAnswer>;
  /** One that is gone already is deleted. */
  deleteBranch(repository: string, branch: string, call: Call): Promise<void>;
  /** One that has this state already is set. FAILURE and ERROR go first where calls are scarce. */
  setStatus(repository: string, sha: string, status: WantedStatus, call: Call): Promise<void>;
  /** Edits the comment with this key, or adds it. */
  comment(repository: string, number: number, comment: KeyedComment, call: Call): Promise<void>;
  /**
   * Whether the secret of this forge is enough to merge into `base`. `why` is what stands against it; with `may: true` what could not
   * be seen.
   */
  mayMerge(repository: string, base: string, call: Call): Promise<{ may: boolean; why?: string }>;
  /** What commits into a branch have to be. `unseen`: what this secret may not see of it, in words. */
  commitRules(repository: string, base: string, call: Call): Promise<{ rules: CommitRule[]; unseen?: string }>;
  /** Deliveries of webhooks that the host keeps; undefined where it has no such list. */
  readonly deliveries?: ForgeDeliveries;
}

/** Head and base hold the same: there is nothing to merge. */
export class NothingToPropose extends PermanentError {}

/** The repository was renamed or transferred: nothing is done at its new address by the call that learns of it. */
export class RepositoryMoved extends PermanentError {
  /** Its name before, and now at the same host: `owner/name`. `to` is undefined where the host did not tell. */
  readonly from: string;
  readonly to: string | undefined;
  constructor(message: string, { from, to }: { from: string; to: string | undefined }) {
    super(message);
    this.from = from;
    this.to = to;
  }
}

/** How a call is made. */
export interface Call {
  signal: AbortSignal;
  /** It goes before others of the same credential where calls are scarce; setting a red status is always so. */
  urgent?: boolean;
}

/** Of which branches a pull request is: of a repository's own, without `refs/heads/`. */
export interface PullRequestBranches {
  head: string;
  /** Undefined: whichever. */
  base?: string | undefined;
}

/** From when on pull requests are listed. */
export interface ListSince {
  /** As the last answer had it. */
  etag?: string | undefined;
  /** ISO 8601. */
  updatedAfter?: string | undefined;
}

/** Pull requests that were touched. */
export interface PullRequestList {
  seen: PullRequestSeen[];
  etag?: string;
  /** Nothing is new since the answer with this `etag`. */
  unchanged: boolean;
}

/** A pull request that is to be opened. */
export interface NewPullRequest {
  /** A branch of the same repository, without `refs/heads/`. */
  head: string;
  base: string;
  title: string;
  /** Markdown; cut to 65,536 characters. */
  body: string;
  labels?: readonly string[];
  /** User names; `team/NAME` is a team of the owner where the host has teams. */
  reviewers?: readonly string[];
  draft?: boolean;
}

/** A pull request as its host has it. */
export interface PullRequestSeen {
  number: number;
  /** For people. */
  url: string;
  state: 'OPEN' | 'MERGED' | 'CLOSED';
  draft: boolean;
  title: string;
  head: { branch: string; sha: string };
  base: string;
  /** Whether it has conflicts (NO); UNKNOWN until the host has computed it. */
  mergeable: 'YES' | 'NO' | 'UNKNOWN';
  /** What keeps an open one from being merged now, in words. */
  blocked?: string;
  /** ISO 8601. */
  mergedAt?: string;
  /** As the host says; absent where it is not known to be a commit of the base. */
  mergeCommit?: string;
  /** The user who merged or closed it, by name. */
  by?: string;
  /** ISO 8601. */
  updatedAt: string;
  /** Its repository takes no changes any more. */
  archived?: boolean;
  /**
   * Its host merges it in its turn. `commit` is the one that is to become the branch, on whose pipeline the queue waits: told by `get`
   * of GitLab, whose merge train it is; GitHub tells of its queue by webhook alone. In a list it may be no queue but auto-merge.
   */
  queue?: { commit?: string };
}

/** A pull request that was opened or found. */
export interface PullRequestOpened extends PullRequestSeen {
  /** False: it was there. */
  opened: boolean;
  /** What was wished beside it and is not so, such as a reviewer who is none: in words, and no reason to fail. */
  remarks: string[];
}

/** How the host makes one of two branches; `undefined`: as the host's own settings say. */
export type MergeMethod = 'MERGE' | 'SQUASH' | 'REBASE';

/** What is merged, and how. */
export interface HowToMerge {
  /** The head that was judged. */
  sha: string;
  method?: MergeMethod | undefined;
  title?: string | undefined;
}

/** What came of a merge. */
export type MergeAnswer =
  /** By this call or before it. */
  | { kind: 'MERGED'; commit?: string }
  /** The host merges it in its turn. */
  | { kind: 'QUEUED' }
  /** Ask again later. */
  | { kind: 'NOT_YET'; why: string };

/** A comment that is found again by its key. */
export interface KeyedComment {
  key: string;
  /** Markdown; cut to 65,536 characters. */
  body: string;
}

/** A commit status that is wanted. */
export interface WantedStatus {
  context: string;
  state: StatusState;
  /** Cut to 140 characters. */
  description: string;
  url?: string;
}

/** What a commit status says; hosts with other words get the nearest. */
export type StatusState = 'PENDING' | 'SUCCESS' | 'FAILURE' | 'ERROR';

/** A webhook's delivery, as its host keeps it. */
export interface ForgeDelivery {
  /** For `redeliver`. */
  id: string;
  /** Of the webhook that it belongs to; null: of the App. */
  hook: string | null;
  /** As the receiver sees it; the same for each try of one delivery. */
  deliveryId: string;
  event: string;
  at: Date;
  /** The HTTP status that the receiver answered; 0: none. */
  status: number;
  redelivery: boolean;
}

/** GitHub never sends a delivery again by itself, and keeps it for three days. */
export interface ForgeDeliveries {
  /**
   * Of the App, or of the webhooks of the repository whose address begins with `receiver`; the newest first, at most 1,000.
   */
  since(repository: string, at: Date, receiver: string, call: Call): Promise<ForgeDelivery[]>;
  redeliver(repository: string, delivery: Pick<ForgeDelivery, 'id' | 'hook'>, call: Call): Promise<void>;
}
