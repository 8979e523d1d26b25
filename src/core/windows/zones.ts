import { Temporal } from 'temporal-polyfill';
import { keep } from './keep.ts';

/**
 * Wall clocks and instants. A wall time is a number here: the milliseconds that `Date.UTC` gives for what the clock on
 * the wall shows, so that days and weeks are plain arithmetic. Where the clocks change comes from Temporal; what a
 * window does there is decided in this file, and nowhere else.
 */

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

interface Transition {
  /** The first instant with the new offset. */
  at: number;
  before: number;
  after: number;
}

interface Block {
  /** The offset at its begin. */
  offset: number;
  transitions: Transition[];
}

const BLOCK = 1024 * DAY;
/** More than any two offsets of one zone lie apart: Pacific/Apia went from -10:00 to +14:00 in one night. */
const REACH = 26 * 60 * MINUTE;
const blocks = new Map<string, Block>();

/** Whether the name is an IANA time zone that this process knows. */
export function isZone(name: string): boolean {
  // Temporal takes "+05:30" as a zone; it has no daylight saving time, which is hardly what the author meant.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Temporal.ZonedDateTime(0n, name);
    return true;
  } catch {
    return false;
  }
}

/** Asking for a transition is slow (milliseconds), so a zone is read once per 1024 days. */
function blockOf(zone: string, index: number): Block {
  const key = `${zone} ${index}`;
  const known = blocks.get(key);
  if (known) return known;
  let moment = Temporal.Instant.fromEpochMilliseconds(index * BLOCK).toZonedDateTimeISO(zone);
  const offset = moment.offsetNanoseconds / 1e6;
  const block: Block = { offset, transitions: [] };
  for (let before = offset; ;) {
    const next = moment.getTimeZoneTransition('next');
    if (!next || next.epochMilliseconds >= (index + 1) * BLOCK) break;
    const after = next.offsetNanoseconds / 1e6;
    if (after !== before) block.transitions.push({ at: next.epochMilliseconds, before, after });
    [moment, before] = [next, after];
  }
  return keep(blocks, key, block, 5000);
}

function offsetAt(zone: string, instant: number): number {
  const block = blockOf(zone, Math.floor(instant / BLOCK));
  let { offset } = block;
  for (const { at, after } of block.transitions) {
    if (at > instant) break;
    offset = after;
  }
  return offset;
}

/** The clock changes in [from, to). */
export function transitionsIn(zone: string, from: number, to: number): Transition[] {
  const found: Transition[] = [];
  for (let index = Math.floor(from / BLOCK); index * BLOCK < to; index += 1) {
    found.push(...blockOf(zone, index).transitions.filter(({ at }) => at >= from && at < to));
  }
  return found;
}

/** A moment at which the clocks of a zone change. */
export interface ClockChange {
  /** An instant, in milliseconds: the first with the new offset. */
  at: number;
  /** The offsets, such as `+01:00`. */
  before: string;
  after: string;
}

/** The clock changes in [from, to), for those who draw a calendar. */
export function clockChangesIn(zone: string, from: number, to: number): ClockChange[] {
  return transitionsIn(zone, from, to).map(({ at, before, after }) => ({
    at,
    before: offsetText(before),
    after: offsetText(after),
  }));
}

export function toWall(zone: string, instant: number): number {
  return instant + offsetAt(zone, instant);
}

/**
 * The declared rules. A wall time that the clocks skip is the first instant after the gap, whatever was skipped: half an
 * hour or a day. One that they show twice is two instants; who asks takes the earliest or the latest.
 */
export function toInstants(zone: string, wall: number): { earliest: number; latest: number } {
  const changes = transitionsIn(zone, wall - REACH, wall + REACH);
  const offsets = [offsetAt(zone, wall - REACH), ...changes.map(({ after }) => after)];
  const instants = offsets.map((offset) => wall - offset).filter((each) => toWall(zone, each) === wall);
  if (instants.length > 0) return { earliest: Math.min(...instants), latest: Math.max(...instants) };
  const gap = changes.find(({ at, before, after }) => wall >= at + before && wall < at + after);
  // Not possible: a wall time that no instant shows lies in a gap.
  if (!gap) throw new Error(`${new Date(wall).toISOString()} has no place in ${zone}`);
  return { earliest: gap.at, latest: gap.at };
}

/**
 * Which of two instants is the end of a window whose end the clocks show twice: in doubt the way is closed. Its start is the
 * earliest, always.
 */
export const END = { ALLOW: 'earliest', DENY: 'latest' } as const;

/** `2026-03-08T06:00:00-04:00`: with the offset, because a repeated hour shows the same clock twice. */
export function localText(zone: string, instant: number): string {
  const offset = offsetAt(zone, instant);
  return `${new Date(instant + offset).toISOString().replace(/(\.000)?Z$/, '')}${offsetText(offset)}`;
}

function offsetText(offset: number): string {
  const minutes = Math.floor(Math.abs(offset) / MINUTE);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** `2026-12-24T22:00` or with seconds → wall time; undefined for anything else, 30 February included. */
export function parseWall(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(text)) return undefined;
  const full = text.length === 16 ? `${text}:00` : text;
  const wall = Date.parse(`${full}Z`);
  // Date.parse takes 24:00 and, in some engines, rolls days over: only what reads back the same is a wall time.
  return !Number.isNaN(wall) && new Date(wall).toISOString().startsWith(full) ? wall : undefined;
}

/** An ISO 8601 instant with `Z` or an offset → milliseconds; undefined for anything else. */
export function parseInstant(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(\.\d{1,3})?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match || parseWall(match[1]!) === undefined) return undefined;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? undefined : instant;
}

/** `22:00` → milliseconds since midnight. */
export function parseTimeOfDay(text: string): number | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  return match ? (Number(match[1]) * 60 + Number(match[2])) * MINUTE : undefined;
}
