import { parentPort } from 'node:worker_threads';
import { PermanentError } from '../../src/drivers/driver.ts';
import { answerOfError } from '../../src/foreign/wire.ts';
import type { Order } from '../../src/foreign/wire.ts';

/** A thread that does what foreign text makes libraries do. */
const TASKS: Record<string, (input: never) => unknown> = {
  echo: (input) => input,
  refuse: (message: string) => {
    throw new PermanentError(message);
  },
  fault: () => {
    throw new TypeError('a fault of the program');
  },
  loop: () => {
    for (;;);
  },
  regex: () => /^(a+)+$/.test(`${'a'.repeat(60)}!`),
  grow: () => {
    const all: object[] = [];
    for (;;) all.push({ at: all.length, more: [all.length] });
  },
  'grow strings': () => {
    const all: string[] = [];
    for (;;) all.push(`${all.length}`.padEnd(100_000, String(all.length)).toUpperCase());
  },
  'one huge list': () => 'a'.repeat(130_000_000).split('').length,
  'one huge text': () => 'a'.repeat(1 << 30),
  recurse: () => {
    const deeper = (): number => 1 + deeper();
    return deeper();
  },
  exit: () => process.exit(3),
  later: () => {
    setImmediate(() => {
      throw new Error('thrown where nobody catches');
    });
    for (const end = Date.now() + 50; Date.now() < end; );
    return 'answered';
  },
};

parentPort!.on('message', ({ task, input }: Order) => {
  try {
    parentPort!.postMessage({ value: TASKS[task]!(input as never) });
  } catch (error) {
    parentPort!.postMessage(answerOfError(error));
  }
});
parentPort!.postMessage({ ready: true });
