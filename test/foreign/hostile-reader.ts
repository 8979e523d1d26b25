import { PermanentError } from '../../src/drivers/driver.ts';
import { answerOrders } from '../../src/foreign/orders.ts';

/** A reader that does what foreign text makes libraries do. */
const TASKS: Record<string, (input: never) => unknown> = {
  echo: (input) => input,
  pid: () => process.pid,
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
};

answerOrders(TASKS);
