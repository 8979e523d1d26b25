import { writeFileSync } from 'node:fs';
import { Script } from 'node:vm';
import { answerOfError } from './wire.ts';
import type { Answer, Order } from './wire.ts';

type Task = (input: never) => unknown;

/** The inside of a reader: one order, one answer, until the process that gives the orders is gone. */
export function answerOrders(tasks: Readonly<Record<string, Task>>): void {
  const answer = (said: Answer): void => void process.send!(said);
  goFirst();
  // Ctrl-C reaches the whole group; the process that gives the orders says when it is over.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => process.exit());
  process.on('message', ({ task, input, resultBytes, orphanMs }: Order) => {
    try {
      const value = within(orphanMs, () => tasks[task]!(input as never));
      const size = JSON.stringify(value)?.length ?? 0;
      if (size > resultBytes)
        return answer({ refused: `what was found has ${size} bytes; at most ${resultBytes} are taken` });
      answer({ value });
    } catch (error) {
      answer(answerOfError(error));
    }
  });
  answer({ ready: true });
}

/** When memory is short, the system ends this process, and not the one that it reads for. */
function goFirst(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Not Linux.
  }
}

/** A limit of its own: when the process that it works for was killed, nothing else ends a reader that is at work. */
function within(ms: number, work: () => unknown): unknown {
  const scope = globalThis as { sluiceWork?: () => unknown };
  scope.sluiceWork = work;
  try {
    return RUN.runInThisContext({ timeout: ms, displayErrors: false });
  } finally {
    delete scope.sluiceWork;
  }
}

/** A function that is called from a script stands under the script's limit. */
const RUN = new Script('sluiceWork()');
