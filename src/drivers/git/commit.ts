import { randomUUID } from 'node:crypto';
import type { EffectContext, PinnedContent } from '../driver.ts';
import { TransientError } from '../driver.ts';
import type { Change } from './changes.ts';
import type { CommitFacts } from './history.ts';
import { claimOf, oneLine, trailersOf } from './claim.ts';
import { isoDate } from './history.ts';
import type { Mirror } from './mirror.ts';

/** Who commits are made by. */
export interface Author {
  name: string;
  email: string;
}

/**
 * A subject for people, trailers for us: a commit is found again by its key among all commits of the branch, and believed by
 * its signature (proof.ts).
 */
export function messageFor(content: PinnedContent, context: EffectContext, signature: string): string {
  const { rollback } = context;
  const subject = rollback
    ? `Roll back ${context.product} in ${context.environment} from ${rollback.takesBack} to ${content.label}`
    : `Promote ${context.product} ${content.label} to ${context.environment}`;
  const why = rollback ? `${oneLine(rollback.reason)}\n\n` : '';
  return `${oneLine(subject)}\n\n${why}${trailersOf(claimOf(context), signature)}\n`;
}

/**
 * A commit on top of `head` with exactly these changes, in the mirror only. One `git fast-import` writes blobs, trees and
 * commit: it loads just the folders that change, where an index would list every file of a large repository.
 * @returns the commit as `git log` would tell of it
 */
export async function buildCommit(
  mirror: Mirror,
  head: string,
  changes: Change[],
  message: string,
  author: Author,
  signal: AbortSignal,
): Promise<CommitFacts> {
  const ref = `refs/sluice/work/${randomUUID()}`;
  const seconds = Math.floor(mirror.clock.now().getTime() / 1000);
  const name = `${nameable(author.name)} <${nameable(author.email)}>`;
  const who = `${name} ${seconds} +0000`;
  const parts: (string | Buffer)[] = [
    `commit ${ref}\nmark :1\nauthor ${who}\ncommitter ${who}\n`,
    ...data(Buffer.from(message)),
    `from ${head}\n`,
  ];
  for (const change of changes) {
    if (change.mode === null) parts.push(`D ${quoted(change.path)}\n`);
    else parts.push(`M ${change.mode} inline ${quoted(change.path)}\n`, ...data(change.bytes));
  }
  // The ref goes again in the same stream; what is pushed is the commit by its id.
  parts.push(`\nget-mark :1\nreset ${ref}\nfrom ${'0'.repeat(head.length)}\n\ndone\n`);
  const stream = Buffer.concat(parts.map((each) => Buffer.from(each)));
  const answer = (await mirror.ask(['fast-import', '--quiet', '--done'], signal, stream)).toString().trim();
  if (!/^[0-9a-f]{40,64}$/.test(answer)) throw new TransientError('git fast-import did not name its commit');
  return { commit: answer, author: name, message: message.trimEnd(), date: isoDate(seconds * 1000) };
}

const data = (bytes: Buffer): (string | Buffer)[] => [`data ${bytes.length}\n`, bytes, '\n'];

const quoted = (path: string): string => `"${path.replace(/["\\]/g, '\\$&')}"`;
const nameable = (text: string): string => text.replace(/[<>\p{Cc}]/gu, '').trim() || 'Sluice';
