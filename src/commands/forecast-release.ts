import type { Definition, StoredDefinition } from '../core/definitions.ts';
import { checkFlow } from '../core/flow.ts';
import { forecast } from '../core/forecast.ts';
import type { Assumptions, ReleaseForecast } from '../core/forecast.ts';
import { lateWarnings } from '../core/late.ts';
import type { PlannedPromotion, ReleasePlan } from '../core/plan.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import type { Parts } from '../parts.ts';
import type { DefinitionSnapshot } from '../store/definition-snapshot.ts';
import { loadRunway } from '../store/load-facts.ts';
import { editFlowDraft } from './edit-flow.ts';
import { factsOfNewest } from './preview-release.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';

/** A release that is imagined. */
export interface ForecastOrder {
  product: string;
  /** The name of a saved flow; undefined: `draft`. */
  flow?: string;
  draft?: Definition<'PromotionFlow'>;
  /** When it is triggered, in milliseconds; now when left out. */
  at?: number;
  /** As for `Assumptions`. */
  people: number | null;
  /** How long work takes, by environment or workflow step, in milliseconds. */
  work: readonly { name: string; duration: number }[];
  /** Whether what is not named takes as long as half of the latest promotions there did. */
  measured: boolean;
}

/** How long the work of a promotion was taken to last, in milliseconds, and who says so. */
export interface AssumedWork {
  name: string;
  duration: number;
  measured: boolean;
}

/** What came of it, with what it rests on. */
export interface Forecast extends ReleaseForecast {
  plan: ReleasePlan;
  at: number;
  work: AssumedWork[];
  /** What was not looked at, in words. */
  notes: string[];
}

/** The moment of a question on its way is still now, in milliseconds. */
const NOW = 60_000;

/**
 * When each promotion of a release would start at the earliest and end, if it were triggered at one moment along a flow, saved or not. By the gates
 * of releases, with the windows and holds of now. Nothing is written; sources are not read, so marks of bad versions do not count.
 */
export function forecastRelease(app: Parts, order: ForecastOrder): Promise<Result<Forecast>> {
  return refusable(async () => {
    const definitions = await app.definitions.current();
    const product = definitions.products.get(order.product);
    if (!product) throw refused('NOT_FOUND', `there is no product "${order.product}"`, ['product']);
    const now = app.clock.now().getTime();
    const at = order.at ?? now;
    const planned = await planOf(app, definitions, product, order);
    const late = lateWarnings(planned, (each) => definitions.windowsFor(order.product, each), at);
    const plan = { ...planned, warnings: [...planned.warnings, ...late] };
    const work = await workOf(app, plan, order);
    const assumed: Assumptions = {
      people: order.people,
      work: Object.fromEntries(work.map((each) => [each.name, each.duration])),
    };
    const { concurrency } = product.spec;
    const facts = await factsOfNewest(app, definitions, { plan, digest: null, concurrency }, at);
    const isLater = at > now + NOW;
    const notes = isLater ? ['Other releases are not looked at: which of them are at work by then is not known.'] : [];
    const known = isLater ? { ...facts, behind: null, heldBy: {}, ahead: {} } : facts;
    return { ...forecast(plan, known, at, assumed), plan, at, work, notes };
  });
}

/** @throws RefusedError */
async function planOf(
  app: Parts,
  definitions: DefinitionSnapshot,
  product: StoredDefinition<'Product'>,
  { flow: name, draft }: ForecastOrder,
): Promise<ReleasePlan> {
  if ((name === undefined) === (draft === undefined))
    throw refused('INVALID', 'give either the name of a flow, or a draft', ['flow']);
  if (draft) {
    const { problems } = await editFlowDraft(app, draft, []);
    if (problems.length > 0)
      throw new RefusedError(
        problems.map(({ code, message, flowPath }) => refusal(code, message, ['draft', ...flowPath])),
      );
    const check = checkFlow(draft.spec, definitions.known, 'RELEASED');
    return planned(definitions.planDraft(product, { ...draft, revision: 0 }, check));
  }
  const flow = definitions.flows.find(({ metadata }) => metadata.name === name);
  if (!flow) throw refused('NOT_FOUND', `there is no PromotionFlow "${name}"`, ['flow']);
  const { refusals } = definitions.check(flow);
  if (refusals.length > 0) throw new RefusedError(refusals.map((each) => ({ ...each, path: ['flow', ...each.path] })));
  return planned(definitions.plan(product, flow));
}

function planned(made: ReturnType<DefinitionSnapshot['plan']>): ReleasePlan {
  if ('refusals' in made) throw new RefusedError(made.refusals);
  return made.plan;
}

/** What was given, and what was measured of the rest: without the soak, which the flow says. */
async function workOf(
  { pool }: Parts,
  { product, promotions }: ReleasePlan,
  { work, measured }: ForecastOrder,
): Promise<AssumedWork[]> {
  const known = new Map(promotions.flatMap((each) => (each.own === undefined ? [[each.name, each] as const] : [])));
  const wrong = work.findIndex(({ name }) => !known.has(name));
  if (wrong >= 0) {
    const message = `the flow has no environment or workflow step "${work[wrong]?.name}"`;
    throw refused('UNKNOWN_REFERENCE', message, ['assume', 'work', wrong, 'name']);
  }
  const given = work.map((each) => ({ ...each, measured: false }));
  if (!measured) return given;
  const named = new Set(work.map(({ name }) => name));
  const open = [...known.values()].flatMap(({ environment, name }) =>
    environment === null || named.has(name) ? [] : [environment],
  );
  const took = open.length > 0 ? await loadRunway(pool, product, open, 0.5) : {};
  const found = Object.entries(took).map(([name, milliseconds]) => {
    const duration = Math.max(0, Math.round(milliseconds) - soakOf(known.get(name) as PlannedPromotion));
    return { name, duration, measured: true };
  });
  return [...given, ...found].sort((one, other) => (one.name < other.name ? -1 : 1));
}

function soakOf({ steps }: PlannedPromotion): number {
  return Math.max(0, ...steps.map(({ work }) => (work.kind === 'soak' ? work.duration : 0)));
}

function refused(...given: Parameters<typeof refusal>): RefusedError {
  return new RefusedError([refusal(...given)]);
}
