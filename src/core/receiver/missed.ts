/** One try of a host to deliver a message. */
export interface DeliveryTry {
  /** The same for each try of one message. */
  deliveryId: string;
  at: Date;
  /** What was answered; 0: nothing. */
  status: number;
}

/** What a host is to be asked for. */
export interface Missed<T> {
  /** To be delivered again, the newest first. */
  again: T[];
  /** All from before arrived, or are given up. */
  since: Date;
}

const HOUR = 60 * 60_000;
/** Hosts keep deliveries for so long, in milliseconds. */
export const KEPT_BY_HOST = 3 * 24 * HOUR;
/** Of one message, the first one included: what is refused each time is refused for a reason. */
const MOST_TRIES = 4;
/** At once: a few tell of all that moved, and what is left comes the next time. */
const MOST = 20;
/** A host lists a delivery some time after it was made, by a clock of its own. In milliseconds. */
const OVERLAP = 10 * 60_000;

/**
 * Which messages did not arrive: no try of them was answered with success, and none is `kept` here. Each is asked for once; where that
 * failed, again after an hour, and after two.
 */
export function missedOf<T extends DeliveryTry>(tries: readonly T[], kept: ReadonlySet<string>, now: Date): Missed<T> {
  const messages = new Map<string, T[]>();
  for (const each of tries) messages.set(each.deliveryId, [...(messages.get(each.deliveryId) ?? []), each]);
  const open = [...messages.values()]
    .filter(
      (of) => of.length < MOST_TRIES && !of.some(({ deliveryId, status }) => isSuccess(status) || kept.has(deliveryId)),
    )
    .map((of) => of.toSorted((a, b) => b.at.getTime() - a.at.getTime()));
  const again = open
    .filter((of) => now.getTime() - of[0]!.at.getTime() >= (of.length - 1) * HOUR)
    .map((of) => of[0]!)
    .sort((a, b) => b.at.getTime() - a.at.getTime());
  const oldest = open.map((of) => of.at(-1)!.at.getTime());
  return { again: again.slice(0, MOST), since: new Date(Math.min(now.getTime() - OVERLAP, ...oldest)) };
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300;
