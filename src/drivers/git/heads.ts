import type { HeadsAnswer, LookFailure } from '../../core/receiver/look.ts';
import { PermanentError } from '../driver.ts';
import type { Address } from './address.ts';
import { checkBranch, withoutSecrets } from './address.ts';
import type { Login } from './credentials.ts';
import { spellings } from './credentials.ts';
import { finalReason, isForLater, remoteError, withoutTrace } from './errors.ts';
import type { Reach } from './reach.ts';
import { runGit } from './run.ts';

/** How a repository is called. */
interface Way {
  open: () => Promise<{ address: Address; login: Login | undefined; reach: Reach }>;
  timeoutMs: number;
}

/** More names than these are not asked for one by one: all branches are listed. */
const MOST_NAMED = 200;
/** Bytes: a hundred thousand branches. */
const MAX_OUTPUT = 8 * 1024 * 1024;

/**
 * Asks the remote where branches stand, by `ls-remote`: without the local mirror, and so beside everything that holds it. What
 * comes in the way is an answer, never thrown, except for the end of `signal`.
 */
export async function headsOf(
  repoURL: string,
  branches: readonly string[],
  signal: AbortSignal,
  { open, timeoutMs }: Way,
): Promise<HeadsAnswer> {
  const where = `repository "${withoutSecrets(repoURL)}"`;
  try {
    const { address, login, reach } = await open();
    const names = branches.length > MOST_NAMED ? [] : branches.map((each) => `refs/heads/${checkBranch(each)}`);
    const args = ['ls-remote', '--heads', '--', address.url, ...names];
    const { code, stdout, stderr } = await runGit({
      args,
      login,
      reach,
      signal,
      timeoutMs,
      maxOutput: MAX_OUTPUT,
      headers: true,
    });
    if (code === 0) return { kind: 'HEADS', heads: headsIn(stdout.toString(), branches) };
    const { said, retryAfter } = withoutTrace(stderr);
    const { message } = remoteError(where, said, spellings(login), retryAfter);
    return { kind: 'FAILED', why: whyOf(said, retryAfter), message, ...(retryAfter !== undefined && { retryAfter }) };
  } catch (error) {
    signal.throwIfAborted();
    const { message } = error as Error;
    const told = message.includes(where) ? message : `${where}: ${message}`;
    return { kind: 'FAILED', why: error instanceof PermanentError ? 'REFUSED' : 'UNREACHABLE', message: told };
  }
}

/** A pattern of `ls-remote` also fits `refs/heads/x/refs/heads/main`, so names are compared here. */
function headsIn(listed: string, branches: readonly string[]): ReadonlyMap<string, string> {
  const wanted = new Set(branches);
  const found = new Map<string, string>();
  for (const line of listed.split('\n')) {
    const [, commit, branch] = /^([0-9a-f]{40,64})\trefs\/heads\/(.+)$/.exec(line) ?? [];
    if (commit !== undefined && branch !== undefined && wanted.has(branch)) found.set(branch, commit);
  }
  return found;
}

const FINAL: Record<string, LookFailure> = {
  'access was refused': 'CREDENTIALS',
  'the repository was not found': 'NOT_FOUND',
};

function whyOf(said: string, retryAfter: number | undefined): LookFailure {
  if (/returned error: 429/.test(said) || isForLater(said, retryAfter)) return 'RATE_LIMITED';
  const final = finalReason(said);
  return final === undefined ? 'UNREACHABLE' : (FINAL[final] ?? 'REFUSED');
}
