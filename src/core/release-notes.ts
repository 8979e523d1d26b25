import { issueAddress } from './forges.ts';
import type { ForgeKind } from './forges.ts';

// What commits say of a version: who made them, what for. Messages come from outside; nothing here is believed, and all of it is bounded.

/** An issue that a commit names. */
export interface IssueReference {
  /** As people write it: `#12`, `acme/shop#12`, `SHOP-12`. */
  key: string;
  /** Where it can be read; null: not known. */
  url: string | null;
}

/** A commit in the notes of a release. */
export interface NotedCommit {
  /** The application of the trigger environment whose folder it touched. */
  application: string;
  commit: string;
  /** `NAME <ADDRESS>`, as the commit says. */
  author: string;
  /** ISO 8601, UTC. */
  date: string;
  /** The first line of its message. */
  subject: string;
  issues: IssueReference[];
}

/** Where the issues of a source are. */
export interface IssuePlaces {
  repoURL: string;
  /** Of the host of the repository; undefined: not known. */
  forge?: ForgeKind;
  /** Of a tracker beside it, with `${KEY}` where the key of an issue goes. */
  tracker?: string;
}

/** An annotation of a product: the address of an issue in its tracker, with `${KEY}` in it. */
export const TRACKER = 'sluice.dev/issue-url';

const MOST_ISSUES = 20;

/** Words with a number that are no keys of issues. */
const NO_KEYS = new Set(['AES', 'CVE', 'HTTP', 'IPV', 'ISO', 'RFC', 'RSA', 'SHA', 'TLS', 'UTF']);

// No run of letters can be entered in its middle: a long message is read once.
const NUMBERED = /(?<![\w./#-])((?:[\w.-]{1,100}\/[\w.-]{1,100})?#|GH-)(\d{1,9})(?!\w)/g;
const KEYED = /(?<![\w-])([A-Z][A-Z0-9]{1,9})-(\d{1,9})(?![\w-])/g;

/** The issues that a message names, each once, as far as 20. */
export function issuesIn(message: string, { repoURL, forge, tracker }: IssuePlaces): IssueReference[] {
  const found = new Map<string, IssueReference>();
  for (const [, before = '', number = ''] of message.matchAll(NUMBERED)) {
    const repository = before.length > 1 && before !== 'GH-' ? before.slice(0, -1) : undefined;
    const key = `${repository ?? ''}#${number}`;
    found.set(key, { key, url: issueAddress(repoURL, forge, { repository, number }) });
  }
  for (const [key, letters = ''] of message.matchAll(KEYED)) {
    if (letters === 'GH' || NO_KEYS.has(letters)) continue;
    found.set(key, { key, url: tracker === undefined ? null : trackerAddress(tracker, key) });
  }
  return [...found.values()].slice(0, MOST_ISSUES);
}

function trackerAddress(tracker: string, key: string): string | null {
  const url = tracker.replaceAll('${KEY}', key);
  return /^https?:\/\//.test(url) && URL.canParse(url) ? url : null;
}

/** A commit as notes show it. */
export function noted(
  { commit, author, date, message }: { commit: string; author: string; date: string; message: string },
  application: string,
  places: IssuePlaces,
): NotedCommit {
  const subject = message.split('\n', 1)[0] ?? '';
  return { application, commit, author, date, subject, issues: issuesIn(message, places) };
}

/** Of several sources, the newest first and each once; so many of them. */
export function newestOf(commits: readonly NotedCommit[], most: number): NotedCommit[] {
  const once = new Map(commits.map((each) => [each.commit, each]));
  return [...once.values()].sort((one, other) => Date.parse(other.date) - Date.parse(one.date)).slice(0, most);
}
