import type { WindowAction } from '../definitions.ts';
import { windowState, type WindowState } from './state.ts';
import type { ReleaseWindow } from './window.ts';

/** What waits at an opening starts spread over a while after it. Instants, in milliseconds. */
export interface Spread {
  opens: number;
  /** The first instant at which everything that waited has started; `opens` itself for what is spread over nothing. */
  until: number;
}

/** What opens and closes again within a jitter over and over is not followed any further. */
const MAX_OPENINGS = 1_000;

/** The longest jitter of the windows that hold the action, in milliseconds. */
export function jitterOf(windows: readonly ReleaseWindow[], action: WindowAction): number {
  return Math.max(0, ...windows.map(({ spec }) => (spec.holds.includes(action) ? (spec.jitter ?? 0) : 0)));
}

/**
 * The opening that counts at `at`: the next one while it is closed; while it is open, the one just passed, as long as something
 * may still start because of it. Null: there is none, or everything that comes may start at once. The spread is as long as the
 * longest jitter, and never longer than it stays open: the last to start must not find it closed again.
 *
 * @param state of the same windows, at the same instant, for the same action
 */
export function spreadAt(
  windows: ReleaseWindow[],
  state: WindowState,
  at: number,
  action: WindowAction,
  options: { runwayMs?: number } = {},
): Spread | null {
  const jitter = jitterOf(windows, action);
  const opens = state.closed ? state.nextOpen : jitter > 0 ? openedWithin(windows, at, jitter, action, options) : null;
  if (opens === null) return null;
  const until = Math.min(opens + jitter, state.nextClose ?? Infinity);
  return state.closed || until > at ? { opens, until } : null;
}

/** When it opened the last time, not earlier than `within` before `at`, where it is open. */
function openedWithin(
  windows: ReleaseWindow[],
  at: number,
  within: number,
  action: WindowAction,
  options: { runwayMs?: number },
): number | null {
  let opened: number | null = null;
  let now = at - within;
  for (let openings = 0; openings < MAX_OPENINGS; openings += 1) {
    const state = windowState(windows, now, action, options);
    if (state.closed) opened = state.nextOpen;
    // The next closing after it, or after the moment from which it was open.
    if (state.nextClose === null || state.nextClose > at) break;
    now = state.nextClose;
  }
  return opened;
}

/** When what is known by `key` starts: always the same instant, spread evenly, and before `until`. */
export function startIn({ opens, until }: Spread, key: string): number {
  return opens + Math.floor(fractionOf(key) * (until - opens));
}

/** A number in [0, 1) that looks random and is always the same for a text (FNV-1a). */
export function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}
