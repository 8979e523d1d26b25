import type { EnvironmentFacts, PastDeployment } from './question.ts';
import type { VersionRef } from './rollback.ts';
import { named } from './words.ts';

export type Earlier = { to: VersionRef & { release: string } } | { none: string };

/** Which version an environment goes back to: `taken` is what it leaves, `bad` what is bad wherever it runs. */
export interface Leaving {
  taken: VersionRef;
  bad: VersionRef;
  /** What is taken back is live: the search begins before it. Else it is only on its way, and what is live may be the answer. */
  live: boolean;
  /** A label or digest that a person named. */
  wanted: string | null;
}

/**
 * The newest deployment that was verified healthy in this environment (where its target can be asked whether it runs a change: after it
 * was seen to) and is none of: the version that is taken back, the
 * bad version, one that is marked bad, one that a rollback took back here, one that was changed by hand, one below
 * the floor.
 */
export function lastGood(facts: EnvironmentFacts, leaving: Leaving): Earlier {
  const floor = floorOf(facts);
  const takenBack = new Set<string>();
  let nearest: string | null = null;
  let seen = 0;
  let ranBad = false;
  const found = new Map<string, PastDeployment>();
  for (const [index, past] of facts.history.entries()) {
    const after = facts.history[index - 1];
    if (after?.rollback && after.version.digest !== past.version.digest) takenBack.add(past.version.digest);
    if (leaving.live && index === 0) continue;
    const { digest } = past.version;
    if (digest === leaving.taken.digest) continue;
    if (digest === leaving.bad.digest) {
      ranBad = true;
      continue;
    }
    if (leaving.wanted !== null && !isCalled(past.version, leaving.wanted)) continue;
    seen += 1;
    const against = objection(past, takenBack, floor.allows(digest) ? null : floor.reason);
    if (against === null) {
      if (leaving.wanted === null) return answer(past);
      if (!found.has(digest)) found.set(digest, past);
    } else nearest ??= against;
  }
  const [first, second] = found.values();
  if (first && second) {
    const digests = [...found.keys()].map((digest) => digest.slice(0, 12)).join(', ');
    return {
      none: `${leaving.wanted} is the name of different contents in ${facts.name} (${digests}): name one by its digest`,
    };
  }
  if (first) return answer(first);
  return { none: nothing(facts, leaving, { seen, ranBad, nearest }) };
}

export function isCalled(version: VersionRef, name: string): boolean {
  return version.label === name || version.digest === name;
}

function answer({ version, release }: PastDeployment): Earlier {
  return { to: { ...version, release } };
}

function objection(past: PastDeployment, takenBack: ReadonlySet<string>, belowFloor: string | null): string | null {
  const name = named(past.version);
  if (past.version.digest === '') return `what ran before is not known`;
  if (past.state === 'DRIFTED') return `${name} was changed by hand there`;
  if (past.verifiedAt === null) return `${name} was never found healthy there`;
  if (past.unsynced) return `${name} was found healthy there, and its target was never seen to run it`;
  if (past.markedBad) return `${name} is marked bad`;
  if (takenBack.has(past.version.digest)) return `${name} was itself taken back there by a rollback`;
  if (belowFloor !== null) return `${name} is ${belowFloor}`;
  return null;
}

function nothing(
  facts: EnvironmentFacts,
  { wanted, taken, bad }: Leaving,
  { seen, ranBad, nearest }: { seen: number; ranBad: boolean; nearest: string | null },
): string {
  if (wanted !== null && isCalled(taken, wanted)) return `${wanted} is the version that ${facts.name} is to leave`;
  if (wanted !== null && isCalled(bad, wanted))
    return `${facts.name} cannot go back to ${wanted}: that is the version which is taken back`;
  if (seen === 0 && ranBad && wanted === null)
    return `${facts.name} ran nothing before but ${named(bad)}, the version that is taken back`;
  if (seen === 0) {
    return wanted === null ? `${facts.name} never ran an earlier version` : `${wanted} never ran in ${facts.name}`;
  }
  const which =
    wanted === null ? `no earlier version in ${facts.name} is good` : `${facts.name} cannot go back to ${wanted}`;
  return `${which}: ${nearest}`;
}

/**
 * The floor: in the order in which versions first reached the environment, nothing before the highest `rollbackFloor` of any
 * release that ran there or is on its way. A floor that never reached the environment counts as the release's own version:
 * what it guards (an irreversible migration) may have happened.
 */
function floorOf({ history, inFlight }: EnvironmentFacts): { allows: (digest: string) => boolean; reason: string } {
  // Positions count from the newest: a higher one is older.
  const arrival = new Map<string, number>();
  for (const [index, { version }] of history.entries()) arrival.set(version.digest, index);
  let lowest = Infinity;
  let reason = '';
  const raise = (position: number, floor: string, by: VersionRef): void => {
    if (position >= lowest) return;
    lowest = position;
    reason = `older than ${floor}, below which ${named(by)} allows no rollback`;
  };
  const bind = (floor: string, by: VersionRef, own: number): void => {
    const meant = history.filter(({ version }) => isCalled(version, floor));
    const positions = meant.map(({ version }) => arrival.get(version.digest) as number);
    raise(positions.length > 0 ? Math.min(...positions) : own, floor, by);
  };
  if (inFlight?.floor) bind(inFlight.floor, inFlight.version, arrival.get(inFlight.version.digest) ?? -1);
  for (const { version, floor } of history) {
    if (floor !== null) bind(floor, version, arrival.get(version.digest) as number);
  }
  return { allows: (digest) => (arrival.get(digest) as number) <= lowest, reason };
}
