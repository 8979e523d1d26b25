import { parentPort } from 'node:worker_threads';
import { TASKS } from './tasks.ts';
import { answerOfError } from './wire.ts';
import type { Answer, Order } from './wire.ts';

/** The inside of a thread: one order, one answer. It is ended from outside when an order takes too much. */

const answer = (said: Answer): void => parentPort!.postMessage(said);

parentPort!.on('message', ({ task, input, resultBytes }: Order) => {
  try {
    const value = TASKS[task as keyof typeof TASKS](input as never);
    const size = JSON.stringify(value)?.length ?? 0;
    if (size > resultBytes)
      return answer({ refused: `what was found has ${size} bytes; at most ${resultBytes} are taken` });
    answer({ value });
  } catch (error) {
    answer(answerOfError(error));
  }
});
answer({ ready: true });
