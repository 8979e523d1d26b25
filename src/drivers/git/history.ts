import { PermanentError } from '../driver.ts';
import type { Mirror } from './mirror.ts';

export interface CommitFacts {
  commit: string;
  author: string;
  message: string;
  date: string;
}

export const KEY_TRAILER = 'Sluice-Key';

/** Fields end in NUL, and so do records (-z): the one character that no commit can hold. */
const FORMAT = '--format=%H%x00%an <%ae>%x00%cI%x00%B';
const MAX_MESSAGE = 10_000;

export async function factsOf(mirror: Mirror, commit: string, signal: AbortSignal): Promise<CommitFacts> {
  const [facts] = records(await mirror.ask(['log', '-1', '-z', FORMAT, commit, '--'], signal));
  return facts!;
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

/**
 * The commit on the branch that carries the key. The whole history is searched, by git itself and without looking at any
 * tree: about 20 ms for 2,000 commits. A text that merely quotes the key is told from a trailer of its own.
 */
export async function findKey(
  mirror: Mirror,
  head: string,
  key: string,
  signal: AbortSignal,
): Promise<CommitFacts | undefined> {
  const trailer = `${KEY_TRAILER}: ${checkKey(key)}`;
  const args = ['log', '-z', '--fixed-strings', `--grep=${trailer}`, FORMAT, head, '--'];
  const found = records(await mirror.ask(args, signal));
  // The oldest: should it ever be there twice (cherry-picked by hand), the first one was the effect.
  return found.findLast((each) => each.message.split('\n').includes(trailer));
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
export const shown = (facts: CommitFacts): CommitFacts => ({ ...facts, message: facts.message.slice(0, MAX_MESSAGE) });
