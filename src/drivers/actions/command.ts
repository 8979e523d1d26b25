import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { foreign } from '../../foreign/index.ts';
import { NotStarted, programs as starter, StarterGone } from '../../programs/index.ts';
import { PermanentError, TransientError } from '../driver.ts';
import type { EffectContext } from '../driver.ts';
import type { ActionAnswer } from './answer.ts';
import type { At } from './at.ts';
import type { ActionLog } from './log.ts';
import type { ParametersOf } from './parameters.ts';

/** Milliseconds between asking the program to end and ending it. */
const GRACE = 2_000;
/** Bytes: of what it writes, where outputs are read from it; of the end of its complaints; of its arguments together. Looks for what it has left. */
const MOST = { output: 64 * 1024, complaint: 2 * 1024, arguments: 64 * 1024, looks: 100 };
/** `EX_TEMPFAIL` of sysexits.h: the program says that it can be tried again. */
const TRY_AGAIN = 75;

/**
 * Runs a program: its arguments as they are, no shell, an environment made of nothing, a folder of its own, a process group of its own. When
 * it is to stop, when its time is over and when it has ended, everything that it started is ended with it, also what left its group
 * (on Linux, where the environment of processes can be read).
 *
 * At least once: a worker that dies over it leaves it to another one, which runs it again. With `idempotent: false` it is begun once, and has
 * failed where its end was not seen.
 */
export async function runCommand(
  parameters: ParametersOf<'command'>,
  { context, signal, commands: { programs, begin }, log }: Pick<At, 'context' | 'signal' | 'commands' | 'log'>,
): Promise<ActionAnswer> {
  const { program, args, input, idempotent, outputs } = parameters;
  const mark = newMark(context.key);
  if (!programs.includes(program)) throw new PermanentError(whyNotAllowed(program, programs));
  checkArguments(args);
  // The lock, too: a run that has lost it would be beside the one that has it now.
  if (!((await context.stillMine?.()) ?? true) || !((await context.holdsLock?.()) ?? true))
    throw new TransientError('it is not this run of its job that does it');
  if (!idempotent && !(await begin(context.key)))
    return unclear(`${program} was begun by a worker that is gone, and is not run twice (\`idempotent: false\`)`);
  // A worker that was cut off from its database, and not ended, may still have it at work here.
  await endEarlier(mark);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-command-'));
  log.say([program, ...args].map(shown).join(' '));
  try {
    const { code, output, complaint } = await run({ program, args, input, folder, context, mark, signal, log });
    signal.throwIfAborted();
    log.say(howItEnded(code));
    if (code === 0) return { kind: 'succeeded', outputs: await readOutputs(output, outputs, context, signal) };
    const told = `${program} ${howItEnded(code)}${complaint && `: ${complaint}`}`;
    if (code === null) return unclear(told);
    if (code === TRY_AGAIN && idempotent) throw new TransientError(told);
    return { kind: 'failed', message: told };
  } catch (error) {
    if (idempotent || context.signal.aborted) throw error;
    // Another try would be a second run.
    if (signal.aborted) return unclear(`${program} took too long and was ended`);
    if (error instanceof StarterGone) return unclear(error.message);
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const howItEnded = (code: number | null): string =>
  code === null ? 'was ended by a signal' : `ended with code ${code}`;

/** As a person would type it. */
const shown = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word));

const unclear = (message: string): ActionAnswer => ({ kind: 'failed', message, unclear: true });

function whyNotAllowed(program: string, programs: readonly string[]): string {
  const known = programs.length === 0 ? 'none is listed' : `there are ${programs.join(', ')}`;
  return `this worker does not run "${program}": SLUICE_COMMANDS lists the programs that workflows may run, and ${known}`;
}

/** What the system would not start, and its refusal would end what starts programs here. */
function checkArguments(args: readonly string[]): void {
  if (args.some((each) => each.includes('\0'))) throw new PermanentError('an argument has a NUL character');
  const size = args.reduce((sum, each) => sum + Buffer.byteLength(each) + 1, 0);
  if (size <= MOST.arguments) return;
  throw new PermanentError(
    `the arguments have ${size} bytes; at most ${MOST.arguments} are handed over: use \`input\` for more`,
  );
}

interface Order {
  program: string;
  args: readonly string[];
  input: string | undefined;
  folder: string;
  context: EffectContext;
  mark: Mark;
  signal: AbortSignal;
  log: ActionLog;
}

/** `code` null: a signal ended it. `output`: null when it was more than is kept. */
interface Ended {
  code: number | null;
  output: string | null;
  complaint: string;
}

async function run({ program, args, input, folder, context, mark, signal, log }: Order): Promise<Ended> {
  const written: Buffer[] = [];
  let size = 0;
  let complaint = '';
  let hard: NodeJS.Timeout | undefined;
  const end = (name: NodeJS.Signals): void => {
    started.kill(name);
    endOwn(mark, name).catch(() => undefined);
  };
  let isOver = false;
  const looking = async (): Promise<void> => {
    for (let wait = 5; !isOver; wait = Math.min(2 * wait, 500)) {
      await sleep(wait);
      await endOwn(mark, 'SIGKILL').catch(() => undefined);
    }
  };
  const started = starter.start(
    { program, args, env: environment(context, mark, folder), cwd: folder, tellsExit: true },
    {
      out: (chunk) => {
        log.heard(chunk, 'OUT');
        size += chunk.length;
        if (size <= MOST.output) written.push(chunk);
      },
      said: (chunk) => {
        log.heard(chunk, 'ERR');
        complaint = (complaint + chunk.toString('utf8')).slice(-MOST.complaint);
      },
      // What it has left behind ends with it: otherwise that would hold its streams open. One look may miss some of it.
      exited: () => {
        end('SIGKILL');
        looking().catch(() => undefined);
      },
    },
  );
  const stop = (): void => {
    if (hard !== undefined) return;
    end('SIGTERM');
    hard = setTimeout(() => end('SIGKILL'), GRACE);
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  if (input !== undefined) started.write(input);
  started.closeInput();
  try {
    const code = await started.ended;
    await endWhatIsLeft(mark);
    const output = size > MOST.output ? null : Buffer.concat(written).toString('utf8');
    return { code, output, complaint: lastLines(complaint) };
  } catch (error) {
    if (error instanceof NotStarted) throw new PermanentError(error.message);
    throw error;
  } finally {
    isOver = true;
    signal.removeEventListener('abort', stop);
    clearTimeout(hard);
  }
}

/** Nothing of the worker's own environment: no credential of it reaches a program. */
const environment = (
  { key, releaseId, product, environment: name, application, attempt }: EffectContext,
  { run: ownRun }: Mark,
  folder: string,
): Record<string, string> => ({
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
  HOME: folder,
  TMPDIR: folder,
  SLUICE_KEY: key,
  SLUICE_RUN: ownRun,
  SLUICE_RELEASE_ID: releaseId,
  SLUICE_PRODUCT: product,
  SLUICE_ENVIRONMENT: name,
  SLUICE_APPLICATION: application,
  SLUICE_ATTEMPT: String(attempt),
});

/**
 * What the programs of one run have in their environment. Two runs of a step can be here at once, where a worker was cut off or lost the lock
 * of its job: the later one ends the programs of the earlier one, and each ends its own, never those of a later one.
 */
interface Mark {
  key: string;
  /** Nanoseconds of the machine's monotonic clock, which all of its processes share, and what no other run has. */
  run: string;
  begun: bigint;
}

function newMark(key: string): Mark {
  const begun = process.hrtime.bigint();
  return { key, run: `${begun}-${randomUUID()}`, begun };
}

const endOwn = ({ key, run: ownRun }: Mark, name: NodeJS.Signals): Promise<number> =>
  tellAll(key, (each) => each === ownRun, name);

const endWhatIsLeft = ({ key, run: ownRun }: Mark): Promise<void> => endForGood(key, (each) => each === ownRun);

/** A program of a version that marked no runs is of an earlier one. */
const endEarlier = ({ key, begun }: Mark): Promise<void> =>
  endForGood(key, (each) => each === undefined || BigInt(each.split('-')[0] as string) < begun);

/**
 * Looks until two looks after each other find none: one look misses a process that was started during it, and one that is between two programs,
 * whose environment is empty for that moment.
 */
async function endForGood(key: string, isMeant: (run: string | undefined) => boolean): Promise<void> {
  for (let looks = 0, without = 0; without < 2 && looks < MOST.looks; looks += 1) {
    if (looks > 0) await sleep(Math.min(5 * looks, 100));
    without = (await tellAll(key, isMeant, 'SIGKILL')) === 0 ? without + 1 : 0;
  }
}

/**
 * Signals every process that has the key and such a run in its environment: what has left the group of its command is found by it. Linux only.
 * @returns how many there were
 */
async function tellAll(
  key: string,
  isMeant: (run: string | undefined) => boolean,
  name: NodeJS.Signals,
): Promise<number> {
  const meant = (await look()).filter((each) => each.key === key && isMeant(each.run));
  for (const { pid } of meant)
    try {
      process.kill(pid, name);
    } catch {
      // It has ended by itself.
    }
  return meant.length;
}

interface Marked {
  pid: number;
  key: string;
  /** Undefined: it is of a version that marked no runs. */
  run: string | undefined;
}

let underWay: Promise<Marked[]> | null = null;
let next: Promise<Marked[]> | null = null;

/** The processes of commands. Many commands that begin and end at once share a look; it begins after it was asked for. */
function look(): Promise<Marked[]> {
  if (underWay)
    return (next ??= underWay.then(() => {
      next = null;
      return look();
    }));
  underWay = readProcesses().finally(() => (underWay = null));
  return underWay;
}

async function readProcesses(): Promise<Marked[]> {
  const all = await readdir('/proc').catch(() => []);
  const found = await Promise.all(
    all
      .filter((each) => /^\d+$/.test(each))
      .map(async (pid) => {
        // Processes of others cannot be read, and are not ours.
        const environ = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
        if (!environ.includes('SLUICE_KEY=')) return [];
        const own = environ.split('\0');
        const key = own.find((each) => each.startsWith('SLUICE_KEY='))?.slice('SLUICE_KEY='.length);
        const run = own.find((each) => /^SLUICE_RUN=\d+-/.test(each))?.slice('SLUICE_RUN='.length);
        return key === undefined ? [] : [{ pid: Number(pid), key, run }];
      }),
  );
  return found.flat();
}

function lastLines(complaint: string): string {
  const lines = complaint.trim().split('\n').slice(-3);
  return lines.join(' / ').slice(-500);
}

async function readOutputs(
  output: string | null,
  outputs: Record<string, string> | undefined,
  { product }: EffectContext,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const names = Object.keys(outputs ?? {});
  if (names.length === 0) return {};
  if (output === null)
    throw new PermanentError(`it wrote more than ${MOST.output} bytes, so no outputs are read from it`);
  const asked = { text: output, paths: Object.values(outputs ?? {}) };
  const found = await foreign.ask('selectInJson', asked, { caller: product, what: 'what the command wrote', signal });
  return Object.fromEntries(
    names.map((name, index) => {
      const value = found[index] ?? null;
      if (value === null) throw new PermanentError(`output "${name}": what it wrote has nothing at ${outputs?.[name]}`);
      return [name, value];
    }),
  );
}
