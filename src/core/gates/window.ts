import type { WindowAction } from '../definitions.ts';
import type { Facts, PromotionState, ReleaseState } from '../release.ts';
import { spreadAt, startIn, windowState } from '../windows/index.ts';
import { inWords, standing } from '../windows/override.ts';
import type { WindowOverride } from '../windows/override.ts';
import { EVERY_RELEASE, promotionOf } from './gate.ts';
import type { AnswerOf } from './answer.ts';
import type { Gate, GateQuestion } from './gate.ts';

/** Do the release windows of the environment let a promotion start there, or a rollback? */
export const windowGate: Gate<'WINDOW'> = {
  name: 'WINDOW',
  of: EVERY_RELEASE,
  again: true,
  appliesTo: ({ environment }) => environment !== null,
  ask: askOwnWindow,
};

function askOwnWindow(question: GateQuestion): AnswerOf<'WINDOW'> | null {
  const { plan, state, position, facts, now } = question;
  const environment = promotionOf(question).environment as string;
  const { overrides } = state.promotions[position] as PromotionState;
  return askWindow(environment, state, facts, now, plan.rollback ? 'ROLLBACK' : 'PROMOTE', overrides);
}

/**
 * A level, not an edge: what waits at the opening starts then, spread over the longest `jitter` of its windows (never past
 * the closing) by a number that stays the same for a release and environment. Null where no window holds the action there.
 */
export function askWindow(
  environment: string,
  state: ReleaseState,
  facts: Facts,
  now: number,
  action: WindowAction,
  overrides: readonly WindowOverride[] = [],
): AnswerOf<'WINDOW'> | null {
  const all = (facts.windows[environment] ?? []).filter(({ spec }) => spec.holds.includes(action));
  if (all.length === 0) return null;
  const overridden = standing(overrides, now);
  const windows = all.filter(({ name }) => !overridden.some((each) => each.windows.includes(name)));
  const because = windows.length < all.length ? `; ${overridden.map(inWords).join('; ')}` : '';
  // What is measured is how long promotions take: nothing else has a runway.
  const options = action === 'PROMOTE' ? { runwayMs: facts.runway[environment] } : {};
  const at = windowState(windows, now, action, options);
  const common = { gate: 'WINDOW' as const, windows: at.windows };
  const wait = (recheckAt: number | undefined, reason: string): AnswerOf<'WINDOW'> => {
    const pauses = windows.some(({ name, spec }) => spec.onClose === 'PAUSE' && at.windows.includes(name));
    return { ...common, verdict: 'wait', reason, who: at.windows.join(', '), recheckAt, pauses };
  };
  const spread = spreadAt(windows, at, now, action, options);
  const starts = spread === null ? undefined : startIn(spread, `${state.id} ${environment}`);
  if (at.closed) {
    const late = spread !== null && starts !== spread.opens ? `, this release starts ${inIso(starts)}` : '';
    const when = spread === null ? '' : `; opens ${inIso(spread.opens)}${late}`;
    return wait(starts, `${environment} is closed: ${at.reason}${when}${because}`);
  }
  if (starts !== undefined && starts > now)
    return wait(starts, `${environment} has just opened: this release starts ${inIso(starts)}${because}`);
  const pauses = all.some(({ spec }) => spec.onClose === 'PAUSE');
  return { ...common, verdict: 'pass', reason: `${environment} is open: ${at.reason}${because}`, pauses };
}

/**
 * When the windows that are open for the action now close, or an override that lets it through ends; milliseconds since the epoch.
 * Null: they are closed now, or no closing is known.
 */
export function nextClosing(
  environment: string,
  facts: Facts,
  now: number,
  action: WindowAction,
  overrides: readonly WindowOverride[],
): number | null {
  const all = (facts.windows[environment] ?? []).filter(({ spec }) => spec.holds.includes(action));
  if (all.length === 0) return null;
  const options = action === 'PROMOTE' ? { runwayMs: facts.runway[environment] } : {};
  // Between two ends of overrides the same windows count.
  const ends = standing(overrides, now).map(({ expiresAt }) => expiresAt);
  let from = now;
  for (const until of [...ends.toSorted((a, b) => a - b), Infinity]) {
    const overridden = standing(overrides, from);
    const counting = all.filter(({ name }) => !overridden.some((each) => each.windows.includes(name)));
    const { closed, nextClose } = windowState(counting, from, action, options);
    if (closed) return from === now ? null : from;
    if (nextClose !== null && nextClose < until) return nextClose;
    from = until;
  }
  return null;
}

const inIso = (instant: number | undefined): string => new Date(instant ?? Number.NaN).toISOString();
