import { keep } from './keep.ts';
import { calendarOf, dayOf, join, type Calendar, type ReleaseWindow, type Span } from './window.ts';
import { DAY, END, localText, toInstants, toWall, transitionsIn } from './zones.ts';

/** How far ahead an opening or a closing is looked for, in milliseconds: five years. */
export const HORIZON = 5 * 366 * DAY;
/** Occurrences are listed further: a window of 29 February shows its next three. */
const LIST_HORIZON = 12 * 366 * DAY;
/** How far a wall time and its instant lie apart at most, and by how much a gap can move one (a skipped day): two days. */
const SLACK = 2 * DAY;

export interface Occurrence {
  /** Instants, in milliseconds; `end` is the first at which it is over. */
  start: number;
  end: number;
  /** The same on the wall clock, with its offset. */
  localStart: string;
  localEnd: string;
  /** Whether the clocks change on a day that it touches. */
  clockChange: boolean;
}

/** The declared rules for both ends; see docs/windows.md. */
function toSpan(zone: string, kind: 'ALLOW' | 'DENY', { start, end }: Span): Span {
  return {
    start: toInstants(zone, start).earliest,
    end: toInstants(zone, end)[END[kind]],
  };
}

/**
 * The next `count` occurrences that are not over at `from`, the one under way included; fewer when the next twelve years
 * have fewer. One that lies wholly in hours that the clocks skip does not occur.
 */
export function occurrences(window: ReleaseWindow, from: number, count: number): Occurrence[] {
  const found: Occurrence[] = [];
  for (const each of occurring(window, from)) {
    if (found.length >= count) break;
    found.push(each);
  }
  return found;
}

/**
 * The occurrences that touch [from, to), also in the past. `cutAt`: there are more than `limit`, and this is the start of the first that is
 * missing; null: all are here.
 */
export function occurrencesBetween(
  window: ReleaseWindow,
  from: number,
  to: number,
  limit: number,
): { occurrences: Occurrence[]; cutAt: number | null } {
  const found: Occurrence[] = [];
  for (const each of occurring(window, from, to)) {
    if (each.start >= to) break;
    if (found.length >= limit) return { occurrences: found, cutAt: each.start };
    found.push(each);
  }
  return { occurrences: found, cutAt: null };
}

/** By start, those that are not over at `from`. @param until where the search ends; it may answer what begins a little later */
function* occurring({ spec }: ReleaseWindow, from: number, until?: number): Generator<Occurrence> {
  const calendar = calendarOf(spec);
  const { zone } = calendar;
  const shown = ({ start, end }: Span): Occurrence[] => {
    if (end <= from || end <= start) return [];
    const [localStart, localEnd] = [localText(zone, start), localText(zone, end)];
    return [{ start, end, localStart, localEnd, clockChange: touchesChange(zone, start, end) }];
  };
  if (calendar.once) yield* shown(calendar.once);
  const wall = toWall(zone, from);
  // Page by page: the library behind a rule answers with whole lists.
  const last = until === undefined ? wall + LIST_HORIZON : toWall(zone, until) + SLACK;
  for (let page = wall - calendar.reach - SLACK; page < last; page += 64 * DAY) {
    for (const span of calendar.spans(page, page + 64 * DAY, false)) yield* shown(toSpan(zone, spec.kind, span));
  }
}

function touchesChange(zone: string, start: number, end: number): boolean {
  const firstDay = dayOf(toWall(zone, start));
  const dayAfter = dayOf(toWall(zone, end - 1)) + 1;
  const from = toInstants(zone, firstDay * DAY).earliest;
  const to = toInstants(zone, dayAfter * DAY).latest;
  return transitionsIn(zone, from, to).length > 0;
}

/** The times that a window covers are kept in blocks: overlapping occurrences joined, cut at the block's ends. */
const BLOCK = 32 * DAY;

function blockOf(calendar: Calendar, kind: 'ALLOW' | 'DENY', index: number): Span[] {
  const known = calendar.blocks.get(index);
  if (known) return known;
  const [from, to] = [index * BLOCK, (index + 1) * BLOCK];
  const spans: Span[] = [];
  for (const wall of join(calendar.spans(from - calendar.reach - SLACK, to + SLACK, true))) {
    const { start, end } = toSpan(calendar.zone, kind, wall);
    if (end > from && start < to && end > start) spans.push({ start: Math.max(start, from), end: Math.min(end, to) });
  }
  return keep(calendar.blocks, index, join(spans), 500);
}

export interface Covering {
  active: boolean;
  /** When that changes: the end of all that joins on without a pause, or the next start. Infinity: not within HORIZON. */
  until: number;
}

/** Whether any occurrence of the window is under way at `at`. */
export function covering({ spec }: ReleaseWindow, at: number): Covering {
  const calendar = calendarOf(spec);
  if (calendar.once) {
    const { start, end } = calendar.once;
    const active = start <= at && at < end;
    return { active, until: active ? within(at, end) : at < start && start < end ? within(at, start) : Infinity };
  }
  const last = Math.floor((at + HORIZON) / BLOCK);
  let index = Math.floor(at / BLOCK);
  const here = firstEndingAfter(blockOf(calendar, spec.kind, index), at);
  if (here && here.start <= at) {
    let { end } = here;
    while (end === (index + 1) * BLOCK) {
      if (++index > last) return { active: true, until: Infinity };
      const next = blockOf(calendar, spec.kind, index)[0];
      if (next?.start === end) ({ end } = next);
      else break;
    }
    return { active: true, until: within(at, end) };
  }
  let next = here;
  while (!next && ++index <= last) [next] = blockOf(calendar, spec.kind, index);
  return { active: false, until: next ? within(at, next.start) : Infinity };
}

const within = (at: number, change: number): number => (change <= at + HORIZON ? change : Infinity);

function firstEndingAfter(spans: Span[], at: number): Span | undefined {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (spans[middle]!.end > at) high = middle;
    else low = middle + 1;
  }
  return spans[low];
}
