import type { WindowAction } from '../definitions.ts';
import { covering, HORIZON } from './coverage.ts';
import type { ReleaseWindow } from './window.ts';

export interface WindowState {
  closed: boolean;
  /** One sentence; it names the windows that decide. */
  reason: string;
  /** Names of the windows that decide. */
  windows: string[];
  /** The next instant after `at` at which closed becomes open; null when there is none within five years. */
  nextOpen: number | null;
  /** The next instant after `at` at which open becomes closed; null when there is none within five years. */
  nextClose: number | null;
}

interface Verdict {
  closed: boolean;
  reason: string;
  by: ReleaseWindow[];
}

/** Past so many changes that change nothing (windows that hand over to each other every minute) we stop looking. */
const MAX_STEPS = 10_000;

/**
 * Whether `action` may start at `at`. An active DENY closes. Otherwise, when ALLOW windows are given, one of them must be
 * active. Without windows it is open. Windows that do not hold the action are not looked at.
 *
 * @param windows those that select the environment and the product: see selectWindows
 * @param at milliseconds since 1970
 * @param options.runwayMs how long the work takes (p95). What would end after a closing by a window with `runway` is
 * closed already: from that long before the closing on. Back-to-back windows are one: only a real closing counts.
 */
export function windowState(
  windows: ReleaseWindow[],
  at: number,
  action: WindowAction,
  options: { runwayMs?: number } = {},
): WindowState {
  const holding = windows.filter(({ spec }) => spec.holds.includes(action));
  const line = new Timeline(holding, options.runwayMs ?? 0, at + HORIZON);
  const { closed, reason, by } = line.judge(at);
  const first = closed ? line.opening(at) : line.closing(at);
  const second = first === null ? null : closed ? line.closing(first) : line.opening(first);
  return {
    closed,
    reason,
    windows: by.map(({ name }) => name),
    nextOpen: closed ? first : second,
    nextClose: closed ? second : first,
  };
}

/** A time in which the same windows decide the same. Instants; `to` is the first at which it is over. */
export interface Stretch extends Pick<WindowState, 'closed' | 'reason' | 'windows'> {
  from: number;
  to: number;
}

/**
 * [from, to) cut where open becomes closed and where closed becomes open, by `windowState`. `cutAt`: there are more than `limit`, and here the
 * first that is missing begins; null: all are here.
 */
export function stretchesOf(
  windows: ReleaseWindow[],
  from: number,
  to: number,
  action: WindowAction,
  limit: number,
): { stretches: Stretch[]; cutAt: number | null } {
  const stretches: Stretch[] = [];
  for (let at = from; at < to;) {
    if (stretches.length >= limit) return { stretches, cutAt: at };
    const { closed, reason, windows: names, nextOpen, nextClose } = windowState(windows, at, action);
    const end = Math.min((closed ? nextOpen : nextClose) ?? to, to);
    stretches.push({ from: at, to: end, closed, reason, windows: names });
    at = end;
  }
  return { stretches, cutAt: null };
}

class Timeline {
  private readonly denies: ReleaseWindow[];
  private readonly allows: ReleaseWindow[];
  private readonly runway: number;
  private readonly limit: number;

  constructor(windows: ReleaseWindow[], runway: number, limit: number) {
    this.denies = windows.filter(({ spec }) => spec.kind === 'DENY');
    this.allows = windows.filter(({ spec }) => spec.kind === 'ALLOW');
    this.runway = runway;
    this.limit = limit;
  }

  judge(at: number): Verdict {
    const plain = this.judgeWithoutRunway(at);
    if (plain.closed || this.runway <= 0) return plain;
    const end = this.closingWithoutRunway(at);
    if (end === null || at < end - this.runway) return plain;
    const strict = this.runwaysOf(end);
    if (strict.length === 0) return plain;
    const reason = `what starts now would not finish before ${titles(strict)} closes at ${new Date(end).toISOString()}`;
    return { closed: true, reason, by: strict };
  }

  /** Of the windows that close at `end`, a DENY that begins or an ALLOW that is over, those that ask for a runway. */
  private runwaysOf(end: number): ReleaseWindow[] {
    const denying = this.denies.filter((each) => covering(each, end).active);
    const over = this.allows.some((each) => covering(each, end).active)
      ? []
      : this.allows.filter((each) => covering(each, end - 1).active);
    return [...denying, ...over].filter(({ spec }) => spec.runway);
  }

  private judgeWithoutRunway(at: number): Verdict {
    const denying = this.denies.filter((each) => covering(each, at).active);
    if (denying.length > 0) return { closed: true, reason: `inside ${titles(denying)}`, by: denying };
    const allowing = this.allows.filter((each) => covering(each, at).active);
    if (allowing.length > 0) return { closed: false, reason: `inside ${titles(allowing)}`, by: allowing };
    if (this.allows.length > 0) return { closed: true, reason: `outside ${titles(this.allows)}`, by: this.allows };
    if (this.denies.length === 0) return { closed: false, reason: 'no window holds this', by: [] };
    return { closed: false, reason: `outside ${titles(this.denies)}`, by: [] };
  }

  /** From a closed instant: when it opens. */
  opening(at: number): number | null {
    let opens = this.judgeWithoutRunway(at).closed ? this.openingWithoutRunway(at) : at;
    for (let steps = 0; opens !== null && steps < MAX_STEPS; steps += 1) {
      if (!this.judge(opens).closed) return opens;
      // Too short for the runway, up to its end: the next one, then.
      const ends = this.closingWithoutRunway(opens);
      opens = ends === null ? null : this.openingWithoutRunway(ends);
    }
    return null;
  }

  /** From an open instant: when it closes. */
  closing(at: number): number | null {
    const end = this.closingWithoutRunway(at);
    if (end === null) return null;
    const closes = this.runwaysOf(end).length > 0 ? end - this.runway : end;
    return closes <= this.limit ? closes : null;
  }

  private openingWithoutRunway(at: number): number | null {
    let now = at;
    for (let steps = 0; now <= this.limit && steps < MAX_STEPS; steps += 1) {
      const denying = this.denies.map((each) => covering(each, now)).filter(({ active }) => active);
      if (denying.length > 0) {
        // Nothing opens before the longest of them is over, whatever the others do.
        now = Math.max(...denying.map(({ until }) => until));
        continue;
      }
      const allowing = this.allows.map((each) => covering(each, now));
      if (allowing.length === 0 || allowing.some(({ active }) => active)) return now;
      now = Math.min(...allowing.map(({ until }) => until));
    }
    return null;
  }

  private closingWithoutRunway(at: number): number | null {
    // Its own horizon: the last opening of five years has a closing, too, and the runway must see it.
    const limit = at + HORIZON;
    let now = at;
    for (let steps = 0; now <= limit && steps < MAX_STEPS; steps += 1) {
      const denial = Math.min(
        ...this.denies.map((each) => covering(each, now)).map(({ active, until }) => (active ? now : until)),
      );
      const allowing = this.allows.map((each) => covering(each, now)).filter(({ active }) => active);
      const end = Math.max(...allowing.map(({ until }) => until));
      if (denial <= now || (this.allows.length > 0 && allowing.length === 0)) return now;
      if (this.allows.length === 0 || denial <= end) return denial <= limit ? denial : null;
      now = end;
    }
    return null;
  }
}

/** `the DENY window christmas`, `the ALLOW windows weekdays, weekends`. */
function titles(windows: ReleaseWindow[]): string {
  const kinds = new Set(windows.map(({ spec }) => spec.kind));
  const names = windows.map(({ name }) => name).join(', ');
  return `the ${kinds.size === 1 ? `${windows[0]!.spec.kind} ` : ''}window${windows.length > 1 ? 's' : ''} ${names}`;
}
