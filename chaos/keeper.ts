import { setTimeout as sleep } from 'node:timers/promises';
import { apply, hold, markBad, newestVersion, Refused, releaseHold, unmarkBad, WrongRequest } from './api.ts';
import { GUARDED, guardedFlow, guardedWorkflow, windowManifest } from './guarded.ts';
import { Habit } from './habit.ts';
import { hookedPolicy } from './hooked.ts';
import type { Random } from './random.ts';

/**
 * Something was put in the way of promotions of the guarded product into an environment, and the answer said so. Milliseconds since
 * the epoch: `from` is when it was answered (or when the window closes, for which it was saved before), `to` when somebody asked
 * for its end, or when the window opens. In between nothing may start there.
 */
export interface Barrier {
  kind: 'window' | 'hold' | 'mark';
  environment: string;
  from: number;
  to: number;
  /** Of a mark: the version it is about. */
  version?: string;
  /** Of a hold or a mark: its row. */
  id?: string;
}

/** Somebody who closes windows, puts environments on hold, marks versions bad, and edits definitions, until it is closed. */
export class Keeper {
  readonly barriers: Barrier[] = [];
  /** How often a definition was edited, and answered. */
  edited = 0;
  /** What a server refused although it was right to ask for. */
  readonly refusals: string[] = [];
  readonly #urls: string[];
  readonly #habits: Habit[];
  readonly #target: string;

  constructor(urls: string[], random: Random, target: string) {
    this.#urls = urls;
    this.#target = target;
    const onAway = (error: unknown): void => {
      // What nobody answered is no barrier.
      if (error instanceof Refused) this.refusals.push(error.message);
    };
    const rounds: ((own: Random, pause: Habit['pause']) => Promise<void>)[] = [
      (own, pause) => this.#windows(own, pause),
      (own, pause) => this.#holds(own, pause),
      (own, pause) => this.#marks(own, pause),
      (own, pause) => this.#edits(own, pause),
    ];
    this.#habits = rounds.map((round) => {
      const own = random.fork();
      return new Habit((pause) => round(own, pause), onAway);
    });
  }

  /** What is in the way ends by itself within 20 s. Throws what this program did wrong. */
  async close(): Promise<void> {
    await Promise.all(this.#habits.map((each) => each.close()));
  }

  /** A few seconds in which `eu` and `staging` are closed, saved before they begin. */
  async #windows(random: Random, pause: Habit['pause']): Promise<void> {
    const from = Math.ceil((Date.now() + 2_500) / 1_000) * 1_000;
    const to = from + random.whole(3, 6) * 1_000;
    const environments = random.chance(0.5) ? ['eu'] : ['staging', 'asia'];
    await apply(this.#url(random), windowManifest(environments, from, to));
    // Answered too late it may have let something through that was right to start.
    if (Date.now() < from - 100)
      for (const environment of environments) this.barriers.push({ kind: 'window', environment, from, to });
    await pause(to - Date.now() + random.between(500, 5_000));
  }

  async #holds(random: Random, pause: Habit['pause']): Promise<void> {
    const environment = random.pick(['us-east', 'asia-2']);
    // It ends by itself where its end is never asked for.
    const until = Date.now() + 20_000;
    const id = await hold(this.#url(random), {
      environment,
      product: GUARDED,
      reason: 'a customer is migrating',
      until: new Date(until).toISOString(),
    });
    const barrier: Barrier = { kind: 'hold', environment, from: Date.now(), to: until, id };
    this.barriers.push(barrier);
    await pause(random.between(1_000, 6_000));
    barrier.to = Date.now();
    await this.#until(() => releaseHold(this.#url(random), { environment, product: GUARDED }), until);
    await pause(random.between(2_000, 9_000));
  }

  async #marks(random: Random, pause: Habit['pause']): Promise<void> {
    await pause(random.between(2_000, 8_000));
    const version = await newestVersion(this.#url(random), GUARDED);
    if (version === null) return;
    const environment = random.pick(['us-east', 'eu', 'asia', 'asia-2']);
    const expires = Date.now() + 20_000;
    const scope = { product: GUARDED, version, environment };
    const id = await markBad(this.#url(random), {
      ...scope,
      reason: 'it leaks',
      expiresAt: new Date(expires).toISOString(),
    });
    const barrier: Barrier = { kind: 'mark', environment, version, from: Date.now(), to: expires, id };
    this.barriers.push(barrier);
    await pause(random.between(1_000, 5_000));
    barrier.to = Date.now();
    await this.#until(() => unmarkBad(this.#url(random), { ...scope, reason: 'it was something else' }), expires);
  }

  /** The flow gets another shape, the workflow or a policy says another thing: of what is on its way none may change anything. */
  async #edits(random: Random, pause: Habit['pause']): Promise<void> {
    await pause(random.between(1_500, 6_000));
    const url = this.#url(random);
    const draw = random.next();
    if (draw < 0.4) await apply(url, guardedFlow(random.whole(0, 1) === 0 ? 'WIDE' : 'NARROW'));
    else if (draw < 0.6) await apply(url, hookedPolicy(random.pick(['hooked-image', 'checks'])));
    else await apply(url, guardedWorkflow(`shape-${random.whole(1, 1_000_000)}`, this.#target));
    this.edited += 1;
  }

  #url(random: Random): string {
    return random.pick(this.#urls);
  }

  /** Asks again until there is an answer, or the thing has ended by itself. */
  async #until(ask: () => Promise<unknown>, deadline: number): Promise<void> {
    while (Date.now() < deadline) {
      try {
        return void (await ask());
      } catch (error) {
        if (error instanceof WrongRequest) throw error;
        await sleep(300);
      }
    }
  }
}
