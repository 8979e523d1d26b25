import type { Delivery, Fate } from '../../test/peers/deliveries.ts';
import { FAULTS } from '../../test/peers/faults.ts';
import type { Fault } from '../../test/peers/faults.ts';
import { Habit } from '../habit.ts';
import type { Random } from '../random.ts';
import type { ProposedProduct } from './world.ts';
import { pushVersion } from './world.ts';

/** Somebody who pushes versions into trigger environments, now and then several at once. */
export class Pusher {
  /** The versions of each product, in the order of their pushes. */
  readonly pushed = new Map<string, number[]>();
  readonly #habits: Habit[];

  /** @param every milliseconds between two pushes of a product, on average */
  constructor(products: readonly ProposedProduct[], random: Random, every: number) {
    this.#habits = products.map((product) => {
      const own = random.fork();
      return new Habit(async (pause) => {
        const times = own.chance(0.2) ? 3 : 1;
        for (let time = 0; time < times; time += 1) await this.push(product);
        await pause(own.between(0.3, 1.7) * every);
      });
    });
  }

  /** The next version. */
  async push(product: ProposedProduct): Promise<void> {
    const versions = this.pushed.get(product.name) ?? [];
    const version = (versions.at(-1) ?? 0) + 1;
    await pushVersion(product, version);
    this.pushed.set(product.name, [...versions, version]);
  }

  async close(): Promise<void> {
    await Promise.all(this.#habits.map((each) => each.close()));
  }
}

/** Webhooks are lost, doubled and late, and come in another order. */
export function fateBy(random: Random): (delivery: Delivery) => Fate {
  return () => {
    const drawn = random.next();
    if (drawn < 0.3) return 'DROPPED';
    if (drawn < 0.45) return 'TWICE';
    return drawn < 0.75 ? { after: random.between(50, 4_000) } : 'SENT';
  };
}

/** One call in twenty meets what networks and hosts do. */
export function faultBy(random: Random): () => Fault | undefined {
  const faults = [
    FAULTS.tooFast(1),
    FAULTS.tooMany(1),
    FAULTS.badGateway,
    FAULTS.badGatewayAfter,
    FAULTS.cut,
    FAULTS.lost,
    FAULTS.late(2_000),
  ];
  return () => (random.chance(0.05) ? random.pick(faults) : undefined);
}
