import type { FaultRecord } from '../faults.ts';
import type { Stretch } from '../processes.ts';
import type { Invariant, LogEntry, ReleaseHistory } from './history.ts';
import { Rule } from './history.ts';

export interface Standstill {
  seconds: number;
  fault: FaultRecord;
  /** The fault's own time, counted from the first one, in seconds. */
  at: number;
  releaseId: string;
  from: LogEntry;
  to: LogEntry;
}

/**
 * How long releases stood still: for every fault and every release that was at work when it hit, the time to the release's
 * next event, as far as a worker was there to go on with it. Faults come faster than processes start where the machine is slow, and
 * may hit all workers in turn: how long a process takes to start is the machine's matter. Waiting in line is not standing still. The
 * longest first. `served`: when each worker was ready.
 */
export function standstills(
  releases: ReleaseHistory[],
  faults: FaultRecord[],
  served: readonly Stretch[],
): Standstill[] {
  const covered = union(served);
  const all: Standstill[] = [];
  for (const fault of faults) {
    for (const { id, events, endedAt } of releases) {
      // Its own work is over: while a rollback takes it back, the rollback's log says how that goes on.
      if (endedAt && endedAt.getTime() <= fault.at) continue;
      const index = events.findIndex((each) => each.at > fault.at);
      const from = events[index - 1];
      const to = events[index];
      if (!from || !to || (from.releaseStatus !== 'RUNNING' && from.releaseStatus !== 'TERMINATING')) continue;
      const at = (fault.at - (faults[0] as FaultRecord).at) / 1_000;
      const still = { from: fault.at, to: to.at };
      all.push({ seconds: within(covered, still) / 1_000, fault, at, releaseId: id, from, to });
    }
  }
  return all.sort((a, b) => b.seconds - a.seconds);
}

/** For how long, in seconds, of a stretch a worker was there. */
export const workedIn = (served: readonly Stretch[], stretch: Stretch): number =>
  within(union(served), stretch) / 1_000;

/** The same stretches without those that overlap. */
function union(all: readonly Stretch[]): Stretch[] {
  const apart: Stretch[] = [];
  for (const { from, to } of [...all].sort((a, b) => a.from - b.from)) {
    const last = apart.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else apart.push({ from, to });
  }
  return apart;
}

/** How much of a stretch is covered, in milliseconds. */
function within(covered: readonly Stretch[], { from, to }: Stretch): number {
  return covered.reduce((sum, each) => sum + Math.max(0, Math.min(to, each.to) - Math.max(from, each.from)), 0);
}

export function recoveryOf(sorted: Standstill[]): { p50: number; p99: number; max: number } {
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor((1 - part) * sorted.length))]?.seconds ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/**
 * How long a release may stand still after a fault, in seconds. The architecture promises 7 s for one killed worker with the default
 * settings; on a machine that is busy with starting four processes on two cores it is several times that. All of it at once,
 * PostgreSQL included, takes longer.
 */
const BOUNDS = { one: { p50: 10, max: 60 }, any: { p99: 60, max: 100 } };

/** Promise 4, with a bound: what was killed is made up for in time. */
export function judgeRecovery(sorted: Standstill[]): Invariant {
  const rule = new Rule('releases go on in time after a fault');
  const one = recoveryOf(sorted.filter(({ fault }) => fault.kind === 'kill -9 worker'));
  const any = recoveryOf(sorted);
  const expect = (what: string, seconds: number, bound: number): void =>
    rule.expect(seconds <= bound, () => `${what}: ${seconds.toFixed(1)} s, at most ${bound} s`);
  expect('after one killed worker, p50', one.p50, BOUNDS.one.p50);
  expect('after one killed worker, at most', one.max, BOUNDS.one.max);
  expect('after any fault, p99', any.p99, BOUNDS.any.p99);
  expect('after any fault, at most', any.max, BOUNDS.any.max);
  return rule;
}
