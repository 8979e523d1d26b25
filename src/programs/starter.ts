import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { signal } from './signal.ts';
import type { Order, Told } from './wire.ts';

/** The program of a starter: see `Programs`. It loads nothing, as a fork costs by what the process has in memory. */

const running = new Map<number, ChildProcessWithoutNullStreams>();

/** Once the process that asks is gone: then it waits for the end of what runs, and no longer than for a moment. */
let alone = false;

const tell = (told: Told): void => {
  if (process.connected) process.send!(told, () => undefined);
};

process.on('message', (order: Order) => {
  const child = running.get(order.id);
  if (order.do === 'START') start(order);
  else if (order.do === 'WRITE') child?.stdin.write(order.data);
  else if (order.do === 'CLOSE_INPUT') child?.stdin.end();
  else signal(child?.pid, order.signal);
});

/** In a group of its own, so that what it starts ends with it. */
function start({ id, program, args, env, cwd, tellsExit }: Extract<Order, { do: 'START' }>): void {
  const child = spawn(program, args, { env, cwd, stdio: 'pipe', detached: true });
  running.set(id, child);
  if (child.pid !== undefined) tell({ id, pid: child.pid });
  child.stdout.on('data', (out: Buffer) => tell({ id, out }));
  child.stderr.on('data', (said: Buffer) => tell({ id, said }));
  // A program that ends early closes its input: its exit code tells more than our EPIPE.
  child.stdin.on('error', () => undefined);
  child.once('error', ({ code }: NodeJS.ErrnoException) => {
    if (running.delete(id)) tell({ id, error: code ?? 'unknown' });
  });
  if (tellsExit) child.once('exit', () => tell({ id, exited: true }));
  child.once('close', (code) => {
    if (running.delete(id)) tell({ id, code });
    if (alone && running.size === 0) process.exit();
  });
}

// Ctrl-C reaches the whole group; the process that asks says when it is over.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => undefined);
// Also when that process was killed: nothing that was started outlives it.
process.on('disconnect', () => {
  end('SIGTERM');
  alone = true;
  if (running.size === 0) process.exit();
  setTimeout(() => {
    // What does not heed to be asked, such as a command of a workflow, ends all the same.
    end('SIGKILL');
    process.exit();
  }, GRACE);
});

/** In milliseconds. */
const GRACE = 2_000;

function end(name: NodeJS.Signals): void {
  for (const { pid } of running.values()) signal(pid, name);
}
