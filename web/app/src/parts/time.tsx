import { useSyncExternalStore } from 'react';
import { now as clock } from '../api/clock.ts';

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'long' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });

/** `3 minutes ago`, `in 2 hours`. @param from and @param to in milliseconds since the epoch */
export function sayRelative(to: number, from: number): string {
  const rounded = Math.round((to - from) / 1000);
  // What happens in this very second is now, on whichever side of it the clock stands.
  const seconds = Math.abs(rounded) === 1 ? 0 : rounded;
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ['second', 1];
  return relative.format(Math.trunc(seconds / size), unit);
}

/** `1 h 4 min`, `12 s`: the two largest parts. */
export function sayLength(milliseconds: number): string {
  let rest = Math.max(0, Math.round(milliseconds / 1000));
  const parts: string[] = [];
  for (const [name, size] of [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const) {
    const many = Math.floor(rest / size);
    rest -= many * size;
    if (many > 0) parts.push(`${many} ${name}`);
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}

let now = clock();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function listen(listener: () => void): () => void {
  listeners.add(listener);
  // While nobody listened it stood still.
  now = clock();
  timer ??= setInterval(() => {
    now = clock();
    for (const each of listeners) each();
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time in whole seconds, one clock for the whole page; in milliseconds since the epoch. */
export function useNow(): number {
  return Math.floor(useSyncExternalStore(listen, () => now) / 1000) * 1000;
}

/** What is said of the time that has come, in whole seconds; drawn again only when it is said otherwise. */
export function useSaid(say: (now: number) => string): string {
  return useSyncExternalStore(listen, () => say(Math.floor(now / 1000) * 1000));
}

/** A time as people say it; the exact one with its zone on hover. */
export function When({ at }: { at: string }) {
  const time = Date.parse(at);
  return (
    <time dateTime={at} title={exact.format(time)}>
      {sayRelative(time, useNow())}
    </time>
  );
}

/** How long something took, or has taken until now. */
export function Took({ from, until }: { from: string; until: string | null }) {
  const now = useNow();
  return <span className="numbers">{sayLength((until === null ? now : Date.parse(until)) - Date.parse(from))}</span>;
}
