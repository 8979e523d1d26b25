/**
 * What one credential of a forge may still ask for. Hosts count per token, not per process, so this is one row in the database that all
 * processes draw from; here is the arithmetic alone.
 *
 * Each limit is a moment before which the next call may not go (the generic cell rate algorithm): a call moves it on by its cost, and a
 * burst may be ahead of it. Rate and burst together stay below the host's own limit in any window, wherever that window begins.
 */
export interface Budget {
  /** All in milliseconds since the epoch; 0: not spent yet. */
  pointsAt: number;
  writesAt: number;
  contentAt: number;
  /** The host said to wait until then. */
  blockedUntil: number;
  blockedWhy: string | null;
  /** What is left until then is kept for urgent calls. */
  scarceUntil: number;
  /** How often the host said so without saying how long, one after the other. */
  strikes: number;
  /** Calls that are under way, with the moment at which each is over for certain. */
  leases: Record<string, number>;
}

export const FRESH_BUDGET: Budget = {
  pointsAt: 0,
  writesAt: 0,
  contentAt: 0,
  blockedUntil: 0,
  blockedWhy: null,
  scarceUntil: 0,
  strikes: 0,
  leases: {},
};

/** `every` in milliseconds for one, after a burst of `burst`. */
interface Rate {
  every: number;
  burst: number;
}

/** What a host allows a credential, as far as it is known before it says so. */
export interface BudgetLimits {
  points?: Rate;
  writes?: Rate;
  content?: Rate;
  /** Calls at the same time. */
  concurrent: number;
}

/**
 * GitHub's secondary limits: 900 points a minute, 80 new contents a minute and 500 an hour, 100 calls at the same time; one write a
 * second is its advice. Here: 600 points a minute and a burst of 300; a write a second; 400 contents an hour and a burst of 100.
 */
export const GITHUB_LIMITS: BudgetLimits = {
  points: { every: 100, burst: 300 },
  writes: { every: 1_000, burst: 1 },
  content: { every: 9_000, burst: 100 },
  concurrent: 50,
};

/** Every other host says in its answers when it is too much. */
export const OTHER_LIMITS: BudgetLimits = { concurrent: 20 };

/** What a call costs. */
export interface BudgetCall {
  /** GitHub counts 1 for a read and 5 for a write. */
  write: boolean;
  /** It makes something that people are told of. */
  content: boolean;
  /** It has a lane of its own: what is kept for it, and the next free moment, however many others wait. */
  urgent: boolean;
}

/** What all processes share. */
export interface Budgets {
  /** @param lease names the call; it is given back by `settle` */
  take(credential: string, limits: BudgetLimits, call: BudgetCall, lease: string): Promise<Taken>;
  settle(credential: string, lease: string, told: Told): Promise<void>;
}

/** The call may go after `wait`, or has to be asked for again after `later`; in milliseconds. */
export type Taken = { wait: number } | { later: number; why: string };

/** What the host said with its answer. `wait` and `scarce` in milliseconds. */
export interface Told {
  /** It refused because of its limits. `wait` undefined: without saying for how long. */
  limited?: { wait: number | undefined; why: string } | undefined;
  /** All is spent: nothing more for so long. */
  spent?: number | undefined;
  /** Little is left for so long. */
  scarce?: number | undefined;
}

/** A caller waits so long in place, a worker's slot in its hand; what takes longer is tried again later. */
export const PATIENCE = { others: 2_000, urgent: 10_000 };
/** A call that was not given back, because its process died, counts for so long: half as long again as a call can take. */
const LEASE = 30_000;
/** Of each burst, and of the calls at the same time, this part is for urgent calls alone. */
const KEPT = 0.2;
const FIRST_STRIKE = 60_000;
const LONGEST_STRIKE = 15 * 60_000;

/** Draws a call from the budget. What is answered with `later` has drawn nothing. */
export function take(
  budget: Budget,
  limits: BudgetLimits,
  call: BudgetCall,
  lease: string,
  now: number,
): { taken: Taken; budget: Budget } {
  const share = call.urgent ? 1 : 1 - KEPT;
  const leases = Object.fromEntries(Object.entries(budget.leases).filter(([, until]) => until > now));
  if (Object.keys(leases).length >= Math.floor(limits.concurrent * share))
    return {
      taken: { later: 1_000, why: 'as many calls are under way as may be' },
      budget: { ...budget, leases },
    };
  const costs = [
    { rate: limits.points, cost: call.write ? 5 : 1, at: budget.pointsAt, why: 'the points of this minute are spent' },
    { rate: limits.writes, cost: call.write ? 1 : 0, at: budget.writesAt, why: 'others write before it' },
    {
      rate: limits.content,
      cost: call.content ? 1 : 0,
      at: budget.contentAt,
      why: 'the contents of this hour are spent',
    },
  ];
  const earliest = [
    { at: budget.blockedUntil, why: budget.blockedWhy ?? 'the host said so' },
    { at: call.urgent ? 0 : budget.scarceUntil, why: 'what is left is kept for urgent calls' },
    ...costs.map(({ rate, cost, at, why }) => ({
      at: rate && cost > 0 ? at - (Math.max(1, rate.burst * share) - cost) * rate.every : 0,
      why,
    })),
  ].reduce((latest, each) => (each.at > latest.at ? each : latest), { at: now, why: '' });
  const wait = Math.ceil(earliest.at - now);
  if (wait > (call.urgent ? PATIENCE.urgent : PATIENCE.others))
    return { taken: { later: wait, why: earliest.why }, budget: { ...budget, leases } };
  const [pointsAt, writesAt, contentAt] = costs.map(({ rate, cost, at }) =>
    rate && cost > 0 ? Math.max(at, earliest.at) + cost * rate.every : at,
  ) as [number, number, number];
  leases[lease] = now + wait + LEASE;
  return { taken: { wait }, budget: { ...budget, pointsAt, writesAt, contentAt, leases } };
}

/** Gives a call back, and keeps what the host said with it. */
export function settle(budget: Budget, lease: string, told: Told, now: number): Budget {
  const { [lease]: _, ...leases } = budget.leases;
  const { limited, spent, scarce } = told;
  const next: Budget = { ...budget, leases };
  if (scarce !== undefined) next.scarceUntil = Math.max(budget.scarceUntil, now + scarce);
  if (spent !== undefined && now + spent > budget.blockedUntil) {
    next.blockedUntil = now + spent;
    next.blockedWhy = 'all calls of this hour are spent';
  }
  if (!limited) return { ...next, strikes: budget.blockedUntil > now ? budget.strikes : 0 };
  // Calls that were under way together are refused together: that is one strike.
  const again = limited.wait === undefined && budget.blockedUntil <= now;
  const wait = limited.wait ?? Math.min(FIRST_STRIKE * 2 ** (again ? budget.strikes : 0), LONGEST_STRIKE);
  if (now + wait > next.blockedUntil) {
    next.blockedUntil = now + wait;
    next.blockedWhy = limited.why;
  }
  return { ...next, strikes: again ? budget.strikes + 1 : budget.strikes };
}
