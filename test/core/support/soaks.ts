import type { Observation } from '../../../src/core/health-clock.ts';

interface Look {
  at: number;
  seen: readonly Observation[];
}

/**
 * How long something can have been healthy, said once more: a list of all looks, walked from the first to the last. It counts
 * all the time between a look that found it healthy and the next one; whoever counts more counts what nobody saw.
 */
export class Looks {
  readonly #looks: Look[] = [];
  readonly #begun: number | null;

  /** `begun`: when it was found healthy by other means. */
  constructor(begun: number | null = null) {
    this.#begun = begun;
  }

  add(at: number, seen: readonly Observation[]): void {
    this.#looks.push({ at, seen });
  }

  /** Null: it is not healthy now. */
  healthyFor(freshness: number | undefined): number | null {
    let total = 0;
    let last = this.#begun === null ? null : { at: this.#begun, healthy: true };
    const known = new Map<number, number>();
    for (const { at, seen } of this.#looks) {
      const fresh = seen.filter((each) => freshness === undefined || each.at === undefined || at - each.at < freshness);
      if (last?.healthy) total += Math.max(0, at - last.at);
      const bad = fresh.some((each) => each.status === 'DEGRADED' || each.status === 'PROGRESSING');
      const came = seen.some(({ unhealthyAt }, index) => {
        const before = known.get(index);
        return unhealthyAt !== undefined && before !== undefined && unhealthyAt !== before;
      });
      seen.forEach(({ unhealthyAt }, index) => {
        if (unhealthyAt !== undefined) known.set(index, unhealthyAt);
      });
      const healthy = fresh.length === seen.length && seen.every((each) => each.status === 'HEALTHY');
      const told = Math.max(...seen.map((each) => Math.min(each.at ?? at, at)));
      // Seen after the last look, which found it unknown.
      if (healthy && last && !last.healthy && told >= last.at) total += at - told;
      if (bad || came || last === null) total = 0;
      last = { at, healthy };
    }
    return last?.healthy ? total : null;
  }
}
