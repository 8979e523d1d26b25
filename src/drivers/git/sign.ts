import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onAbort } from '../../abort-listener.ts';
import { isGpgKey } from '../../core/secrets.ts';
import { NotStarted, programs } from '../../programs/index.ts';
import { PermanentError, TransientError } from '../driver.ts';
import { searchPath } from './run.ts';

/**
 * Signatures over commits, by the programs that git itself asks: `ssh-keygen -Y sign` and `gpg`. The private key is in a file of a
 * folder that only this user may enter, for the moment of its use.
 */

/** A private key that signs commits, as its secret holds it. `name`: of the secret. */
export interface SigningKey {
  name: string;
  value: string;
}

/** The armored signature over `payload`. @throws PermanentError when the key is unusable */
export function signatureBy(key: SigningKey, payload: Buffer, signal: AbortSignal): Promise<string> {
  return withKey(key, signal, async (call) =>
    isGpgKey(key.value)
      ? call('gpg', ['--detach-sign', '--armor', '--local-user', await fingerprint(call)], payload)
      : call('ssh-keygen', ['-q', '-Y', 'sign', '-n', 'git', '-f', 'key'], payload),
  );
}

/**
 * What a host has to know of a key: the public key of SSH, the fingerprint of GPG.
 * @throws PermanentError when nothing can be signed with it
 */
export async function publicPartOf(key: SigningKey, signal: AbortSignal): Promise<string> {
  await signatureBy(key, Buffer.from('sluice'), signal);
  return withKey(key, signal, async (call) =>
    isGpgKey(key.value) ? fingerprint(call) : (await call('ssh-keygen', ['-y', '-f', 'key'])).trim(),
  );
}

type Call = (program: 'gpg' | 'ssh-keygen', args: string[], input?: string | Buffer) => Promise<string>;

/** Of the key that signs in a ring with one secret key. */
async function fingerprint(call: Call): Promise<string> {
  const lines = (await call('gpg', ['--list-secret-keys', '--with-colons'])).split('\n');
  const found = lines.find((each) => each.startsWith('fpr:'))?.split(':')[9];
  if (found === undefined) throw new PermanentError('there is no secret key in it');
  return found;
}

async function withKey<T>(
  { name, value }: SigningKey,
  signal: AbortSignal,
  work: (call: Call) => Promise<T>,
): Promise<T> {
  // Short: a socket of gpg's agent stands in it, and its path has to fit into 108 bytes.
  const folder = await mkdtemp(join(tmpdir(), 'sl-'));
  const gpg = isGpgKey(value);
  const call: Call = (program, args, input) => {
    const own = program === 'gpg' ? ['--batch', '--no-tty', '--pinentry-mode', 'loopback', '--passphrase', ''] : [];
    return run(program, [...own, ...args], { folder, input, signal });
  };
  try {
    if (gpg) await call('gpg', ['--import'], value);
    // ssh-keygen wants the line break at the end.
    else await writeFile(join(folder, 'key'), `${value.trimEnd()}\n`, { mode: 0o600 });
    return await work(call);
  } catch (error) {
    if (error instanceof PermanentError)
      throw new PermanentError(`the signing key of secret "${name}" is unusable: ${error.message}`);
    throw error;
  } finally {
    if (gpg) await run('gpgconf', ['--kill', 'all'], { folder, signal: AbortSignal.timeout(LIMIT) }).catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
}

/** In milliseconds. */
const LIMIT = 20_000;
const MAX_OUTPUT = 1024 * 1024;

/** What the machine lacks at that moment, and no key. */
const OF_THE_MACHINE =
  /no space left|cannot allocate memory|resource temporarily unavailable|too many open files|can't connect to the .*agent|no agent running/i;

interface Run {
  /** Where it works, and where gpg has its keys. */
  folder: string;
  input?: string | Buffer;
  signal: AbortSignal;
}

async function run(program: string, args: string[], { folder, input, signal }: Run): Promise<string> {
  signal.throwIfAborted();
  const deadline = AbortSignal.timeout(LIMIT);
  let out = '';
  let said = '';
  // In a group of its own, without a terminal, no program asks for a passphrase.
  const env = { PATH: searchPath(), HOME: folder, GNUPGHOME: folder, LC_ALL: 'C', SSH_ASKPASS: '/bin/false' };
  const started = programs.start(
    { program, args, env, cwd: folder },
    {
      out: (chunk) => (out = (out + chunk.toString('utf8')).slice(0, MAX_OUTPUT)),
      said: (chunk) => (said = (said + chunk.toString('utf8')).slice(-2_000)),
    },
  );
  const stop = onAbort(AbortSignal.any([signal, deadline]), () => started.kill('SIGKILL'));
  if (input !== undefined) started.write(input);
  started.closeInput();
  try {
    const code = await started.ended;
    signal.throwIfAborted();
    if (deadline.aborted) throw new TransientError(`${program} took longer than ${LIMIT} ms`);
    if (code === null) throw new TransientError(`${program} was ended by a signal`);
    if (code !== 0 && OF_THE_MACHINE.test(said)) throw new TransientError(`${program}: ${wordsOf(said)}`);
    if (code !== 0) throw new PermanentError(`${program}: ${wordsOf(said) || `exit code ${code}`}`);
    return out;
  } catch (error) {
    if (error instanceof NotStarted && error.code === 'ENOENT')
      throw new PermanentError(`${program} is not installed on this machine`);
    throw error;
  } finally {
    stop();
  }
}

/** The last lines, without the noise of an import. */
function wordsOf(said: string): string {
  const lines = said.split('\n').map((each) => each.trim());
  return lines
    .filter((each) => each !== '' && !/keybox|trustdb|imported|Total number/i.test(each))
    .slice(-3)
    .join('; ');
}
