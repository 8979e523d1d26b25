import { Blocked } from '../../test/peers/pull-requests.ts';
import type { PullRequest } from '../../test/peers/pull-requests.ts';
import type { Method } from '../../test/peers/merging.ts';
import { Habit } from '../habit.ts';
import type { Random } from '../random.ts';
import type { Peers } from './peers.ts';
import type { ProposedProduct } from './world.ts';

/** What somebody does with a pull request, some time after it was opened. */
export type Deed = Method | 'queue' | 'close' | 'outside' | 'leave';

/** People who look at pull requests until they are gone: they merge in every way that there is, close some, and ignore the rules of a branch. */
export class Robot {
  /** `product #number` → what was done. */
  readonly done = new Map<string, Deed>();
  readonly #habit: Habit;
  readonly #fates = new Map<string, { deed: Deed; at: number }>();

  /**
   * @param draw what becomes of a pull request, and after how many milliseconds
   * @param onFault hears what is nobody's word but a fault of the stand-in
   */
  constructor(
    { forge }: Peers,
    products: readonly ProposedProduct[],
    draw: (product: ProposedProduct, pull: PullRequest) => { deed: Deed; after: number },
    onFault: (error: unknown) => void,
  ) {
    this.#habit = new Habit(async (pause) => {
      for (const product of products) {
        for (const pull of await forge.pullRequests(product.name)) {
          if (pull.state !== 'open') continue;
          const name = `${product.name} #${pull.number}`;
          if (!this.#fates.has(name)) {
            const { deed, after } = draw(product, pull);
            this.#fates.set(name, { deed, at: Date.now() + after });
          }
          const { deed, at } = this.#fates.get(name)!;
          if (Date.now() < at || deed === 'leave') continue;
          if (await act(forge, product.name, pull.number, deed)) this.done.set(name, deed);
        }
      }
      await pause(50);
    }, onFault);
  }

  close(): Promise<void> {
    return this.#habit.close();
  }
}

async function act(forge: Peers['forge'], name: string, number: number, deed: Deed): Promise<boolean> {
  try {
    if (deed === 'close') await forge.closePullRequest(name, number, 'Bo');
    else if (deed === 'queue') await forge.enqueue(name, number, 'squash', { by: 'Bo' });
    else if (deed === 'outside') await forge.merge(name, number, 'squash', { by: 'Admin', bypass: true });
    else if (deed !== 'leave') await forge.merge(name, number, deed, { by: 'Bo' });
    return true;
  } catch (error) {
    // Not green yet, or somebody pushed in between: later.
    if (error instanceof Blocked) return false;
    throw error;
  }
}

/** Every way to merge, and now and then none. */
export function anyDeed(random: Random): { deed: Deed; after: number } {
  const deeds: Deed[] = ['merge', 'squash', 'rebase', 'squash', 'close', 'outside'];
  return { deed: random.pick(deeds), after: random.between(100, 3_000) };
}
