import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A file of this folder, in a process of its own; it ends itself when it is disconnected. */
export function forked(name: string): ChildProcess {
  return fork(fileURLToPath(new URL(`${name}.js`, import.meta.url)));
}

/** Sends a message to a child, and resolves with what the child says next. @throws when the child ends before */
export async function asked<T>(child: ChildProcess, message: object | string): Promise<T> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`a process of the bench ended with ${code} before it answered`);
  });
  const answer = once(child, 'message').then(([said]) => said as T);
  child.send(message);
  return Promise.race([answer, ended]);
}
