import type { WriteStream } from 'node:tty';
import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import type { Client } from '../client.ts';
import { CliError, EXIT, exitCodeOf } from '../exit.ts';
import { newestRollback, readRelease } from '../operations.ts';
import { nounOf, type ReleaseShown } from '../release-shown.ts';
import type { Writer } from '../output.ts';
import { lineTeller, toJson } from './events.ts';
import { followRelease, type Listeners } from './follow.ts';
import { openScreen } from './screen.ts';

export interface WatchOptions {
  json?: boolean;
  /** In milliseconds. */
  timeout?: number;
  /** Ctrl-C and the like. */
  signal: AbortSignal;
  /** Where a live picture can be drawn. */
  terminal?: WriteStream;
  /** A line per event although it is a terminal. */
  plain?: boolean;
  out?: Writer;
  err?: Writer;
}

/**
 * Shows a release until it ends: a live picture in a terminal, a line per event elsewhere.
 * @returns the exit code that its end stands for.
 */
export async function watchRelease(client: Client, releaseId: string, options: WatchOptions): Promise<number> {
  const { signal, timeout, terminal, out = process.stdout, err = process.stderr } = options;
  const first = await readRelease(client, releaseId, signal);
  const noun = nounOf(first);
  const late = timeout === undefined ? undefined : AbortSignal.timeout(timeout);
  const stop = late ? AbortSignal.any([signal, late]) : signal;
  const live = terminal !== undefined && !options.json && !options.plain;
  const screen = live ? openScreen(client, first, terminal, pc.isColorSupported, stop) : undefined;
  let ended: ReleaseShown | undefined;
  try {
    ended = await followRelease(client, first.id, screen ?? lines(options.json ?? false, noun, out, err), stop);
  } finally {
    screen?.end(ended);
  }
  if (ended) return verdict(client, ended, err, live);
  if (signal.aborted) return EXIT.INTERRUPTED;
  const waiting = await readRelease(client, releaseId, AbortSignal.timeout(2_000)).catch(() => first);
  throw new CliError(EXIT.TIMEOUT, `Not ended in time: the ${noun} is ${waiting.status} and goes on${unmet(waiting)}`);
}

function lines(json: boolean, noun: string, out: Writer, err: Writer): Listeners {
  const toLine = lineTeller(noun);
  return {
    onEvent: (event) => out.write(`${json ? JSON.stringify(toJson(event)) : toLine(event)}\n`),
    onLost: (why) => err.write(`Connection lost, trying again. ${why}\n`),
    onBack: () => err.write('Connected again.\n'),
  };
}

/** One line for a person on standard error; programs have the exit code. Then how to see what takes it back. */
async function verdict(client: Client, release: ReleaseShown, err: Writer, live: boolean): Promise<number> {
  const code = exitCodeOf(release.status);
  if (code === EXIT.OK) return code;
  if (!live) err.write(`${[release.status, release.problem].filter(Boolean).join(': ')}\n`);
  // A rollback begins right after the failure that it is for.
  for (let looks = 0; looks < LOOKS; looks += 1) {
    const rollback = await newestRollback(client, release.id).catch(() => null);
    if (rollback !== null) {
      err.write(`It is taken back by a rollback. Follow it with: sluice watch ${rollback}\n`);
      break;
    }
    if (release.status !== 'FAILED') break;
    await sleep(LOOK_MS);
  }
  return code;
}

const LOOKS = 4;
const LOOK_MS = 300;

function unmet(release: ReleaseShown): string {
  const own = release.waitingFor.map((each) => `\n  ${each}`);
  const reasons = release.promotions.flatMap(({ name, waitingFor }) =>
    waitingFor.map((each) => `\n  ${name}: ${each}`),
  );
  return own.length + reasons.length > 0 ? `; it waits for:${[...own, ...reasons].join('')}` : '.';
}

/** Aborted by the first Ctrl-C, SIGTERM or SIGHUP; a second one ends at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => {
      controller.abort();
      sleep(2_000, undefined, { ref: false })
        .then(() => process.exit(EXIT.INTERRUPTED))
        .catch(() => process.exit(EXIT.INTERRUPTED));
    });
  }
  return controller.signal;
}
