import type { EffectContext, PinnedContent } from '../driver.ts';
import type { Change } from './changes.ts';
import type { CommitFacts } from './history.ts';
import { filledMessage, subjectOf } from '../../core/commit-message.ts';
import type { Seal } from './claim.ts';
import { claimOf, oneLine, trailersOf } from './claim.ts';
import { isoDate } from './history.ts';
import type { Mirror } from './mirror.ts';
import { writeTree } from './write.ts';

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
 * A commit on top of `head` with exactly these changes, in the mirror only. Its objects are written by this process, as git would
 * write them: just the folders that change, and no process of git for any of them.
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
  const seconds = Math.floor(mirror.clock.now().getTime() / 1000);
  const name = identityOf(style);
  const who = `${name} ${seconds} +0000`;
  const tree = await writeTree(mirror, head, changes, signal);
  const headers = `tree ${tree}\nparent ${head}\nauthor ${who}\ncommitter ${who}\n`;
  const plain = Buffer.from(`${headers}\n${message}`);
  const signature = style.sign === undefined ? '' : signedBy(await style.sign(plain, signal), head.length);
  const commit = await mirror.write('commit', Buffer.from(`${headers}${signature}\n${message}`), head.length);
  return { commit, author: name, message: message.trimEnd(), date: isoDate(seconds * 1000) };
}

/** A header goes on in the next line behind a space. */
function signedBy(signature: string, idLength: number): string {
  const header = idLength === 40 ? 'gpgsig' : 'gpgsig-sha256';
  return `${header} ${signature.trimEnd().replaceAll('\n', '\n ')}\n`;
}

const nameable = (text: string): string => text.replace(/[<>\p{Cc}]/gu, '').trim() || 'Sluice';
