import { PermanentError } from '../driver.ts';
import { KEY_TRAILER } from './claim.ts';
import type { KnownKeys, Mirror } from './mirror.ts';

/** What a commit says of itself; `date` is ISO 8601, UTC. */
export interface CommitFacts {
  commit: string;
  author: string;
  message: string;
  date: string;
}

/** Fields end in NUL, and so do records (-z): the one character that no commit can hold. */
const FORMAT = '--format=%H%x00%an <%ae>%x00%cI%x00%B';
const MAX_MESSAGE = 10_000;
const MAX_AUTHOR = 1_000;

/** Of one commit of the mirror, by its full id. */
export async function factsOf(mirror: Mirror, commit: string, signal: AbortSignal): Promise<CommitFacts> {
  const [facts] = records(await mirror.ask(['log', '-1', '-z', FORMAT, commit, '--'], signal));
  return facts!;
}

/** As `git log` with these arguments tells of them, each with its author's address in small letters. */
export async function recordsWithEmail(
  mirror: Mirror,
  args: string[],
  signal: AbortSignal,
): Promise<(CommitFacts & { email: string })[]> {
  const found = records(await mirror.ask(['log', '-z', FORMAT, ...args], signal));
  return found.map((each) => ({ ...each, email: (/<([^<>]*)>$/.exec(each.author)?.[1] ?? '').toLowerCase() }));
}

/** The commit that last touched one of the paths; all paths when there are none. */
export async function lastTouching(
  mirror: Mirror,
  head: string,
  paths: string[],
  signal: AbortSignal,
): Promise<CommitFacts | undefined> {
  return records(await mirror.ask(['log', '-1', '-z', FORMAT, head, '--', ...paths], signal))[0];
}

/** So far back is looked for the commit at which a target came to hold its content; further back any of them will do. */
const MOST_BACK = 32;

/**
 * The commit at which the paths came to hold what they hold at `head`: the first one of the newest in a row at which it `holds`. Where
 * values of a file are meant, later commits may have touched that file and not them.
 */
export async function becameSo(
  mirror: Mirror,
  head: string,
  paths: string[],
  holds: (commit: string) => Promise<boolean>,
  signal: AbortSignal,
): Promise<CommitFacts | undefined> {
  const newest = ['log', `--max-count=${MOST_BACK}`, '-z', FORMAT, head, '--', ...paths];
  const [last, ...older] = records(await mirror.ask(newest, signal));
  let found = last;
  for (const each of paths.length > 0 ? older : []) {
    if (!(await holds(each.commit))) break;
    found = each;
  }
  return found;
}

/** How many commits are looked at first; each further look takes in eight times as many. */
const FIRST_LOOK = 256;
/** So many commits in a row that are older than the search goes back: the rest is older, too, whatever one clock said. */
const OLD_IN_A_ROW = 64;
/** Clocks of people who commit, in milliseconds. */
const CLOCKS_DIFFER = 24 * 60 * 60 * 1000;

/** More commits of ours than these are not kept in mind: then each key is looked for by itself. */
const MOST_KEYS = 20_000;

/**
 * The commits of the branch whose messages carry the key on a line of its own, newest first. `since`: the key is not older than that
 * (milliseconds, UTC), and what is older than a day before is not read: a search costs what happened since, not what the branch
 * is. Without it the whole branch is read. What was read of a head is kept for the next key.
 */
export async function commitsWithKey(
  mirror: Mirror,
  head: string,
  key: string,
  since: number | undefined,
  signal: AbortSignal,
): Promise<CommitFacts[]> {
  const trailer = `${KEY_TRAILER}: ${checkKey(key)}`;
  const known = since === undefined ? null : await knownKeys(mirror, head, since - CLOCKS_DIFFER, signal);
  if (known) {
    const commits = known.commits.get(key) ?? [];
    if (commits.length === 0) return [];
    return records(await mirror.ask(['log', '--no-walk=unsorted', '-z', FORMAT, ...commits, '--'], signal));
  }
  const search = ['log', '-z', '--fixed-strings', `--grep=${trailer}`, FORMAT];
  const range = since === undefined ? [head] : await youngerThan(mirror, head, since - CLOCKS_DIFFER, signal);
  const found = records(await mirror.ask([...search, ...range, '--'], signal));
  return found.filter((each) => each.message.split('\n').includes(trailer));
}

/** Read once for a head; null where there are too many. */
async function knownKeys(mirror: Mirror, head: string, from: number, signal: AbortSignal): Promise<KnownKeys | null> {
  const known = mirror.keys.get(head);
  if (known && known.from <= from) return known;
  const read = (await newestKeys(mirror, head, from, signal)) ?? (await allKeys(mirror, head, from, signal));
  if (read) mirror.keys.set(head, read);
  return read;
}

/** By one look at the newest commits; null where they do not reach back far enough. */
async function newestKeys(mirror: Mirror, head: string, from: number, signal: AbortSignal): Promise<KnownKeys | null> {
  const args = ['log', '-z', `--max-count=${FIRST_LOOK}`, '--format=%H%x00%ct%x00%B', head, '--'];
  const fields = (await mirror.ask(args, signal)).toString('utf8').split('\0');
  const read: KnownKeys = { from, commits: new Map() };
  let old = 0;
  let at = 0;
  for (; at + 2 < fields.length && old < OLD_IN_A_ROW; at += 3) {
    old = Number(fields[at + 1]) * 1000 < from ? old + 1 : 0;
    keepAll(read, fields[at]!, fields[at + 2]!);
  }
  return old === OLD_IN_A_ROW || at < 3 * FIRST_LOOK ? read : null;
}

async function allKeys(mirror: Mirror, head: string, from: number, signal: AbortSignal): Promise<KnownKeys | null> {
  const range = await youngerThan(mirror, head, from, signal);
  const shape = ['-z', '--format=%H%x00%B', `--max-count=${MOST_KEYS}`, `--grep=^${KEY_TRAILER}: `];
  const fields = (await mirror.ask(['log', ...shape, ...range, '--'], signal)).toString('utf8').split('\0');
  if (fields.length > 2 * (MOST_KEYS - 1)) return null;
  const read: KnownKeys = { from, commits: new Map() };
  for (let at = 0; at + 1 < fields.length; at += 2) keepAll(read, fields[at]!, fields[at + 1]!);
  return read;
}

function keepAll(read: KnownKeys, commit: string, message: string): void {
  for (const [, key] of message.matchAll(KEY_LINE)) keep(read, key!, commit.trim(), 'older');
}

const KEY_LINE = new RegExp(`^${KEY_TRAILER}: (.+)$`, 'gm');

function keep({ commits }: KnownKeys, key: string, commit: string, how: 'older' | 'newer'): void {
  const others = (commits.get(key) ?? []).filter((each) => each !== commit);
  commits.set(key, how === 'newer' ? [commit, ...others] : [...others, commit]);
}

/** A commit with the key was made on top of `head`: nothing is read anew for it. */
export function keyAdded(mirror: Mirror, head: string, commit: string, key: string): void {
  const known = mirror.keys.get(head);
  if (!known) return;
  mirror.keys.delete(head);
  keep(known, key, commit, 'newer');
  mirror.keys.set(commit, known);
}

/** The part of the branch's history that can be younger: as arguments of `git log`. */
async function youngerThan(mirror: Mirror, head: string, since: number, signal: AbortSignal): Promise<string[]> {
  for (let most = FIRST_LOOK; ; most *= 8) {
    const args = ['rev-list', '--timestamp', `--max-count=${most}`, head, '--'];
    const lines = (await mirror.ask(args, signal)).toString('latin1').split('\n').filter(Boolean);
    let old = 0;
    for (const line of lines) {
      const [seconds, commit] = line.split(' ');
      old = Number(seconds) * 1000 < since ? old + 1 : 0;
      if (old === OLD_IN_A_ROW) return [head, `^${commit}`];
    }
    if (lines.length < most) return [head];
  }
}

function checkKey(key: string): string {
  if (key === '' || key !== key.trim() || /[\p{Cc}\u2028\u2029]/u.test(key) || key.length > 500)
    throw new PermanentError(`"${key.slice(0, 100)}" is not usable as an idempotency key`);
  return key;
}

/** The full id of a commit that the branch contains. */
export async function resolveCommit(
  mirror: Mirror,
  head: string,
  wanted: string,
  signal: AbortSignal,
): Promise<string> {
  if (!/^[0-9a-f]{4,64}$/i.test(wanted)) throw new PermanentError(`"${wanted}" is not a commit id`);
  const found = await mirror.run(['rev-parse', '--verify', '--quiet', `${wanted}^{commit}`], signal);
  const commit = found.stdout.toString().trim();
  const inside =
    found.code === 0 && (await mirror.run(['merge-base', '--is-ancestor', commit, head], signal)).code === 0;
  if (!inside) throw new PermanentError(`commit ${wanted} is not on the branch`);
  return commit;
}

function records(output: Buffer): CommitFacts[] {
  const fields = output.toString('utf8').split('\0');
  const all: CommitFacts[] = [];
  for (let at = 0; at + 3 < fields.length; at += 4) {
    const message = fields[at + 3]!.trimEnd();
    all.push({ commit: fields[at]!.trim(), author: fields[at + 1]!, date: isoDate(fields[at + 2]!), message });
  }
  return all;
}

/** In UTC, in one spelling, whatever the committer's zone and the age of git. */
export const isoDate = (date: string | number): string => new Date(date).toISOString().replace('.000Z', 'Z');

/** As it is kept and shown; the search above needs it whole. */
export const shown = (facts: CommitFacts): CommitFacts => ({
  ...facts,
  author: cut(facts.author, MAX_AUTHOR),
  message: cut(facts.message, MAX_MESSAGE),
});

/** Not between the halves of a character: PostgreSQL keeps none of them. */
const cut = (text: string, most: number): string => text.slice(0, most).replace(/[\ud800-\udbff]$/, '');
