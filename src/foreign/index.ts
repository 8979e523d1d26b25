import { FOREIGN_LIMITS } from './limits.ts';
import type { ForeignLimits } from './limits.ts';
import { ReaderPool } from './pool.ts';
import type { Ask } from './pool.ts';
import type { Tasks } from './tasks.ts';

export { FOREIGN_LIMITS } from './limits.ts';
export type { ForeignLimits } from './limits.ts';
export type { Ask } from './pool.ts';

type Input<N extends keyof Tasks> = Parameters<Tasks[N]>[0];
type Output<N extends keyof Tasks> = ReturnType<Tasks[N]>;

/** Text from outside, worked on in processes of their own: see `ReaderPool` for what happens to text that is too much. */
export class ForeignText {
  readonly #pool: ReaderPool;

  constructor(limits: Partial<ForeignLimits> = {}) {
    this.#pool = new ReaderPool({ ...FOREIGN_LIMITS, ...limits });
  }

  /** @throws PermanentError, TransientError, or the signal's reason; each names what the text is */
  ask<N extends keyof Tasks>(task: N, input: Input<N>, ask: Ask): Promise<Output<N>> {
    return this.#pool.run(task, input, ask) as Promise<Output<N>>;
  }

  /** Idle readers end now, others after their work. */
  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** One for the process, as the machine is that it shares. Its readers are made when they are needed. */
export const foreign = new ForeignText();
