/** A commit as the core looks at it. */
export interface CommitFacts {
  commit: string;
  /** `NAME <ADDRESS>`. */
  author: string;
  /** Of the author, in small letters. */
  email?: string;
  message: string;
  /** ISO 8601, UTC. */
  date: string;
  claim?: CommitClaim;
}

/** What a commit says that a Sluice made it, or made what was squashed into it. */
export interface CommitClaim {
  /** It is proved: a process of this installation made it. */
  signed: boolean;
  /** It names this installation, or none. */
  here: boolean;
  /** The releases that it names. */
  releases: string[];
  /** How many installations made what led to it, one after the other. */
  chain: number;
}
