import { PermanentError, TransientError } from '../driver.ts';
import { openedSecrets } from '../../opened-secrets.ts';
import { withoutSecrets } from './address.ts';

/**
 * What a remote said no to, and will again. Everything that is not recognised here may pass: it is tried again. So a refused push
 * is final only where a hook, a protected branch or a rule of the host has refused it.
 */
const PERMANENT: [RegExp, string][] = [
  [/couldn't find remote ref|src refspec .* does not match|Remote branch .* not found/i, 'the branch does not exist'],
  [
    /Authentication failed|could not read (Username|Password)|returned error: 40[13]|HTTP 40[13]/i,
    'access was refused',
  ],
  [/Permission denied|Permission to .* denied|access denied|not authorized/i, 'access was refused'],
  [/Host key verification failed/i, 'the host key is not known'],
  [/certificate (verify|problem)|SSL certificate/i, 'its certificate is not trusted'],
  [/detected dubious ownership/i, 'the folder belongs to another user'],
  [
    /repository .*not found|returned error: 404|does not appear to be a git repository|does not exist|not a git repository/i,
    'the repository was not found',
  ],
  [
    /returned error: 30\d|unable to update url base from redirection/i,
    'it has moved, and redirects are not followed: use its new address',
  ],
  [/transport '.*' not allowed/i, 'its protocol is not allowed'],
  [
    /\[remote rejected\][^\n]*\((?:[^)]*(?:hook declined|protected branch|protected ref|push declined|rule violations|prohibited|denied|not allowed|refusing|deny |hidden ref|currently checked out|is archived|read-only|funny refname)[^)]*)\)/i,
    'the remote rejected the push',
  ],
  [/GH0(06|13)\b|remote: (error|fatal): .*protected branch/i, 'the remote rejected the push'],
];

/**
 * A host that cannot ask its own parts (GitLab's hook its API, GitHub's hook its store) says so, and that its hook has declined:
 * that is no answer to the push.
 */
const ILL =
  /returned error: (5\d\d|429)|Could not resolve host|fatal error in commit_refs|internal (server )?(error|api)|internal server connection error|API is not accessible|execution exceeded .*timeout|hook.*timed out|service unavailable|bad gateway/i;

/** These come with words that look final, and are not. */
const TRANSIENT =
  /Could not resolve host|Failed to connect|Couldn't connect|Connection (refused|timed out|reset)|timed out|unreachable|returned error: (5\d\d|429)|early EOF|hung up unexpectedly|RPC failed|cannot lock ref|failed to update ref|unable to create .*\.lock/i;
/** It refused without a reason of its own: an incident of the host, a lock, a full disk. */
const REFUSED = /\[remote rejected\]/i;

/** A push that came second: fetch, build on what is there now, push again. */
export const isRace = (stderr: string): boolean =>
  /non-fast-forward|fetch first|\[rejected\]|cannot lock ref|failed to update ref|incorrect old value|reference already exists/i.test(
    stderr,
  );

/** The remote has looked at the push and does not take it: what it carries may be why. */
export const isRefusal = (stderr: string): boolean => REFUSED.test(stderr);

/** Two processes on one cache folder: git itself keeps them apart, and says so. */
export const isLocalContention = (stderr: string): boolean => /cannot lock ref|Unable to create .*\.lock/i.test(stderr);

/** Whether git says that its local copy is damaged: then it is thrown away and fetched anew. */
export const isBrokenCache = (stderr: string): boolean =>
  /object file .* is empty|loose object .* corrupt|bad object|bad tree object|unable to read tree|missing blob|packfile .* (cannot|corrupt|index)|did not send all necessary objects/i.test(
    stderr,
  );

/** Why a remote said no for good, as `PERMANENT` has it; undefined when the failure may pass. */
export const finalReason = (stderr: string): string | undefined =>
  // "hung up" follows many a refusal over ssh: a refusal that is recognised counts first, unless the host is ill.
  ILL.test(stderr) ? undefined : PERMANENT.find(([pattern]) => pattern.test(stderr))?.[1];

/** The host says when to come again. GitHub's secondary limits answer 403, as a refusal does. */
export const isForLater = (stderr: string, retryAfter: number | undefined): boolean =>
  retryAfter !== undefined && /returned error: (403|429|503)/.test(stderr);

/** The error for a failed call on a remote; `where` names repository, branch and path. */
export function remoteError(
  where: string,
  stderr: string,
  secrets: string[],
  retryAfter?: number,
): PermanentError | TransientError {
  // Before it is cut to a length: half a secret is still too much of it.
  const said = wordsOf(openedSecrets.hide(withoutSecrets(stderr, secrets)));
  if (isForLater(stderr, retryAfter))
    return new TransientError(`${where}: its host asks to come again later (${said})`, { retryAfter });
  const final = finalReason(stderr);
  if (final !== undefined) return new PermanentError(`${where}: ${final} (${said})${cureFor(said)}`);
  const refused = REFUSED.test(stderr) ? 'the remote could not take the push just now' : 'git failed';
  const reason = TRANSIENT.test(stderr) ? 'the repository could not be reached' : refused;
  return new TransientError(`${where}: ${reason} (${said})`, { retryAfter });
}

/** The same error with `where` in its message: before it, or in the place of `instead`, which stands for another of the same push. */
export function namedError(where: string, error: unknown, instead = where): unknown {
  if (!(error instanceof PermanentError || error instanceof TransientError)) return error;
  const { message } = error;
  const said = message.includes(instead) ? message.replace(instead, () => where) : `${where}: ${message}`;
  return error instanceof PermanentError ? new PermanentError(said, { cause: error.cause }) : error.saying(said);
}

/** What a host that insists on how commits look wants to be set; it says so in words of its own. */
const CURES: readonly [RegExp, string][] = [
  [/verified signature|must (have|be) .*sign(ed|ature)|is not signed|unsigned commit/i, 'signingKey'],
  [/signed[- ]off|sign-?off|\bDCO\b/i, 'signOff'],
  [/author .*(not a member|is not|must|does not)|(committer|author)('s)? e?-?mail|author_email/i, 'author'],
  [/commit message (does not|must|pattern)|commit_message/i, 'message'],
];

function cureFor(said: string): string {
  const field = CURES.find(([pattern]) => pattern.test(said))?.[1];
  if (field !== undefined) return `: set \`driver.git.commits.${field}\` of the application`;
  // A branch that takes no pushes takes pull requests.
  return /protected branch|pull request|GH0(06|13)\b/i.test(said) ? ': use `action: pr` in the flow' : '';
}

/** git's own lines, without the noise and the advice. */
function wordsOf(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const telling = lines.filter((line) => /^(fatal|error|remote|ssh|!)/i.test(line) && !/^remote:\s*$/.test(line));
  return (telling.length > 0 ? telling : lines.filter(Boolean)).slice(0, 4).join('; ').slice(0, 600);
}

const TRACED = /^\d\d:\d\d:\d\d\.\d+ \S+:\d+ +/;

/** Git's own lines, and what the host said about when to come again, in milliseconds. */
export function withoutTrace(stderr: string): { said: string; retryAfter?: number } {
  const lines = stderr.split('\n');
  const said = lines.filter((line) => !TRACED.test(line)).join('\n');
  const header = (name: string): string | undefined =>
    lines.map((line) => new RegExp(`<= recv header: ${name}: *(.*?)\\s*$`, 'i').exec(line)?.[1]).findLast(Boolean);
  const told = header('retry-after');
  if (told === undefined) return { said };
  // A date counts from what the host takes for now.
  const wait = /^\d+$/.test(told) ? Number(told) * 1_000 : Date.parse(told) - Date.parse(header('date') ?? '');
  return { said, ...(Number.isFinite(wait) && { retryAfter: Math.min(Math.max(0, wait), LONGEST_PAUSE) }) };
}

/** A host that says more is asked again after a day. In milliseconds. */
const LONGEST_PAUSE = 24 * 60 * 60_000;
