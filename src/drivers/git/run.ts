import { systemClock } from '../../clock.ts';
import { NotStarted, programs } from '../../programs/index.ts';
import type { Listener, Started } from '../../programs/index.ts';
import { TransientError } from '../driver.ts';
import type { Login } from './credentials.ts';
import type { Reach } from './reach.ts';

/** One command of git, and how far it may reach. */
export interface GitCall {
  /** The bare repository; absent for `init`. */
  gitDir?: string;
  args: string[];
  input?: string | Buffer;
  login?: Login;
  /** Absent: the command stays on this machine, and no protocol is open to it. */
  reach?: Reach;
  signal: AbortSignal;
  timeoutMs: number;
  /** Git is stopped when it says nothing for so long, in milliseconds; for commands that tell of their progress. */
  idleMs?: number;
  /** Hears what git says on stderr while it is at work. */
  onSaid?: ((said: string) => void) | undefined;
  /** The headers of http answers come on stderr, between git's own lines; what signs in is left out of them by git. */
  headers?: true;
  /** Beyond this git is stopped: no answer that we ask for is meant to be larger. */
  maxOutput?: number;
}

/** How git ended, and what it said. */
export interface GitResult {
  code: number;
  stdout: Buffer;
  stderr: string;
}

/** An https server that stalls is cut by git itself, should this process die and leave git behind. */
const STALL_SECONDS = 30;
const GRACE_MS = 2_000;
const MAX_STDERR = 64 * 1024;
const DEFAULT_MAX_OUTPUT = 32 * 1024 * 1024;

/** Of our own environment git gets only what it needs to find programs, keys, proxies and certificates. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'GIT_SSL_CAINFO',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'no_proxy',
  'NO_PROXY',
];

/** Where programs beside git are found, as git finds its own. */
export const searchPath = (): string | undefined => process.env['PATH'];

/**
 * One git process, no shell, in a process group of its own so that its transport helpers end with it. Answers for any
 * exit code; throws when it was aborted (the signal's reason), took too long or said too much.
 */
export async function runGit(call: GitCall): Promise<GitResult> {
  call.signal.throwIfAborted();
  const deadline = systemClock.limit('git', call.timeoutMs);
  const silence = new AbortController();
  const idle = call.idleMs === undefined ? undefined : setTimeout(() => silence.abort(), call.idleMs);
  const out: Buffer[] = [];
  let size = 0;
  let stderr = '';
  let tooLarge = false;
  let hard: NodeJS.Timeout | undefined;

  const git = programs.start(
    { program: 'git', args: call.args, env: environment(call), cwd: '/' },
    {
      out: (chunk) => {
        idle?.refresh();
        size += chunk.length;
        tooLarge = size > (call.maxOutput ?? DEFAULT_MAX_OUTPUT);
        if (tooLarge) stop();
        else out.push(chunk);
      },
      said: (chunk) => {
        idle?.refresh();
        // What went wrong stands at the end, behind all the progress.
        const said = chunk.toString('utf8');
        stderr = (stderr + said).slice(-MAX_STDERR);
        call.onSaid?.(said);
      },
    },
  );
  const stop = (): void => {
    if (hard) return;
    // Softly first: git takes its lock files away on SIGTERM.
    git.kill('SIGTERM');
    hard = setTimeout(() => git.kill('SIGKILL'), GRACE_MS);
  };
  const stopping = AbortSignal.any([call.signal, deadline, silence.signal]);
  stopping.addEventListener('abort', stop, { once: true });
  if (call.input !== undefined) git.write(call.input);
  git.closeInput();

  try {
    const code = (await git.ended) ?? -1;
    call.signal.throwIfAborted();
    const command = `git ${call.args.find((each) => !each.startsWith('-')) ?? ''}`;
    if (silence.signal.aborted)
      throw new TransientError(`${command} took longer than ${call.idleMs} ms without any progress and was stopped`);
    if (deadline.aborted) throw new TransientError(`${command} took longer than ${call.timeoutMs} ms and was stopped`);
    if (tooLarge) throw new TransientError(`${command} answered with too much data and was stopped`);
    return { code, stdout: Buffer.concat(out), stderr };
  } catch (error) {
    if (error instanceof NotStarted && error.code === 'ENOENT') throw new TransientError('git is not installed here');
    throw error;
  } finally {
    stopping.removeEventListener('abort', stop);
    clearTimeout(hard);
    clearTimeout(idle);
  }
}

/** A git process that answers one question after the other, on the local copy only. It ends with this process, and when its input ends. */
export const keepGit = (gitDir: string, args: string[], listener: Listener): Started =>
  programs.start({ program: 'git', args, env: environment({ gitDir }), cwd: '/' }, listener);

function environment({
  gitDir,
  login,
  reach,
  headers,
}: Pick<GitCall, 'gitDir' | 'login' | 'reach' | 'headers'>): NodeJS.ProcessEnv {
  const passed = PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  const settings: [string, string][] = [
    ['core.hooksPath', '/dev/null'],
    ['credential.helper', ''],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', String(STALL_SECONDS)],
    ['protocol.version', '2'],
    // Elsewhere could be anywhere: inside this network, or a host that the login is not for.
    ['http.followRedirects', 'false'],
    ['transfer.bundleURI', 'false'],
    ...(reach?.settings ?? []),
  ];
  // The login is read by git's own helper shell from the environment: never in argv, never in a file, and asked for only
  // by the host that it is for, so that a redirect elsewhere does not carry it along.
  if (login)
    settings.push([
      'credential.helper',
      '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$SLUICE_GIT_USERNAME" "$SLUICE_GIT_PASSWORD"; }; f',
    ]);
  return {
    ...Object.fromEntries(passed),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    SSH_ASKPASS: '/bin/false',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_PROTOCOL_FROM_USER: '0',
    GIT_ALLOW_PROTOCOL: reach?.protocol ?? '',
    GIT_SSH_COMMAND: ['ssh -oBatchMode=yes -oConnectTimeout=15 -oServerAliveInterval=15', ...(reach?.ssh ?? [])].join(
      ' ',
    ),
    GIT_SSH_VARIANT: 'ssh',
    ...(gitDir ? { GIT_DIR: gitDir } : {}),
    ...(headers ? { GIT_TRACE_CURL: '1', GIT_TRACE_CURL_NO_DATA: '1' } : {}),
    ...(login ? { SLUICE_GIT_USERNAME: login.username, SLUICE_GIT_PASSWORD: login.password } : {}),
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}
