import { randomUUID } from 'node:crypto';
import type { EffectContext, PinnedContent } from '../driver.ts';
import { TransientError } from '../driver.ts';
import type { Change } from './changes.ts';
import type { CommitFacts } from './history.ts';
import { filledMessage, subjectOf } from '../../core/commit-message.ts';
import type { Seal } from './claim.ts';
import { claimOf, oneLine, trailersOf } from './claim.ts';
import { isoDate } from './history.ts';
import type { Mirror } from './mirror.ts';

/** Who commits are made by. */
export interface Author {
  name: string;
  email: string;
}

/** How the commits of an application look; a protected branch may insist on it. */
export interface CommitStyle extends Author {
  /** With the placeholders of `MESSAGE_PLACEHOLDERS`; the subject of Sluice when absent. */
  message?: string;
  signOff?: boolean;
  /** The armored signature over a commit object. */
  sign?: (commit: Buffer, signal: AbortSignal) => Promise<string>;
}

/**
 * A subject for people, trailers for us: a commit is found again by its key among all commits of the branch, and believed by
 * its signature (proof.ts).
 */
export function messageFor(
  content: PinnedContent,
  context: EffectContext,
  seal: Seal,
  style?: Pick<CommitStyle, 'name' | 'email' | 'message' | 'signOff'>,
): string {
  const { rollback, product, environment, application, releaseId } = context;
  const values = {
    SUBJECT: subjectOf(context, content.label, rollback?.takesBack),
    PRODUCT: product,
    VERSION: content.label,
    ENVIRONMENT: environment,
    APPLICATION: application,
    RELEASE: releaseId,
  };
  const said = filledMessage(style?.message, values, oneLine);
  const why = rollback ? `${oneLine(rollback.reason)}\n\n` : '';
  const signedOff = style?.signOff ? `\nSigned-off-by: ${identityOf(style)}` : '';
  return `${said.trim()}\n\n${why}${trailersOf(claimOf(context), seal)}${signedOff}\n`;
}

/** As git writes it. */
const identityOf = ({ name, email }: Author): string => `${nameable(name)} <${nameable(email)}>`;

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
  style: Pick<CommitStyle, 'name' | 'email' | 'sign'>,
  signal: AbortSignal,
): Promise<CommitFacts> {
  const ref = `refs/sluice/work/${randomUUID()}`;
  const seconds = Math.floor(mirror.clock.now().getTime() / 1000);
  const name = identityOf(style);
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
  const commit = style.sign === undefined ? answer : await signed(mirror, answer, style.sign, signal);
  return { commit, author: name, message: message.trimEnd(), date: isoDate(seconds * 1000) };
}

/** The same commit with a signature: fast-import cannot sign, so its object is written once more. */
async function signed(
  mirror: Mirror,
  commit: string,
  sign: NonNullable<CommitStyle['sign']>,
  signal: AbortSignal,
): Promise<string> {
  const plain = await mirror.ask(['cat-file', 'commit', commit], signal);
  const signature = await sign(plain, signal);
  const header = commit.length === 40 ? 'gpgsig' : 'gpgsig-sha256';
  // A header goes on in the next line behind a space.
  const lines = `\n${header} ${signature.trimEnd().replaceAll('\n', '\n ')}`;
  const end = plain.indexOf('\n\n');
  const object = Buffer.concat([plain.subarray(0, end), Buffer.from(lines), plain.subarray(end)]);
  return (await mirror.ask(['hash-object', '-t', 'commit', '-w', '--stdin'], signal, object)).toString().trim();
}

const data = (bytes: Buffer): (string | Buffer)[] => [`data ${bytes.length}\n`, bytes, '\n'];

const quoted = (path: string): string => `"${path.replace(/["\\]/g, '\\$&')}"`;
const nameable = (text: string): string => text.replace(/[<>\p{Cc}]/gu, '').trim() || 'Sluice';
