import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import { forecastRelease } from '../commands/forecast-release.ts';
import type { Forecast, ForecastOrder } from '../commands/forecast-release.ts';
import type { PlannedGroup, PlannedPromotion } from '../core/plan.ts';
import type { ForecastWait as Wait } from '../core/forecast.ts';
import { EVERYTHING } from '../core/access/index.ts';
import type { ApiContext } from '../schema/context.ts';
import { ReleaseForecastInput, ReleaseForecastPayload } from '../schema/release-forecast.ts';
import type { ForecastWait, PromotionForecast, ReleaseForecast } from '../schema/release-forecast.ts';
import type { UserError } from '../schema/user-errors.ts';
import { dateOf } from '../schema/values.ts';
import type { Lookup } from './access/lookup.ts';
import type { Named } from './access/named.ts';
import { releasing } from './access/release-rules.ts';
import { Guarded, may } from './access/rules.ts';
import { refused, unstorable } from './answers.ts';
import { draftIn } from './flow-edits.ts';

type Given = Pick<ReleaseForecastInput, 'product' | 'flow' | 'draft'>;

/** A draft is checked against everything that there is, as a save is. */
async function forecasting({ input }: { input: Given }, lookup: Lookup): Promise<Named> {
  const { product, flow, draft } = input;
  if (!draft) return releasing({ input: { product, flow: flow ?? undefined } }, lookup);
  const place = await lookup.place(product, []);
  return { ...place, targets: [EVERYTHING], permission: 'EDIT_DEFINITIONS' };
}

@Resolver()
export class ReleaseForecastResolver {
  @Guarded(may('VIEW', forecasting, ['EDIT_DEFINITIONS']))
  @Query(() => ReleaseForecastPayload, {
    description:
      'When each promotion of a release would start at the earliest, and end, along a flow that need not be saved: its windows, soaks, approvals, holds and limits together, from any moment on. Nothing is created, and no source is read.',
  })
  async releaseForecast(
    @Ctx() context: ApiContext,
    @Arg('input', () => ReleaseForecastInput, { description: 'Which release, when, and what is taken for granted.' })
    input: ReleaseForecastInput,
  ): Promise<ReleaseForecastPayload> {
    const nothing = (userErrors: UserError[]): ReleaseForecastPayload => ({ forecast: null, userErrors });
    const { product, flow, draft, at, assume } = input;
    const wrong = unstorable({ product, flow, assume });
    if (wrong.length > 0) return nothing(refused(wrong));
    const given = draft ? await draftIn(context, draft) : undefined;
    if (given?.userErrors) return nothing(given.userErrors.map(below));
    const order: ForecastOrder = {
      product,
      flow: flow ?? undefined,
      draft: given?.flow,
      at: at?.getTime(),
      people: assume?.people ?? null,
      work: assume?.work ?? [],
      measured: assume?.measured ?? true,
    };
    const { value, refusals } = await forecastRelease(context.app, order);
    return refusals ? nothing(refused(refusals)) : { forecast: toForecast(value), userErrors: [] };
  }
}

/** Here the draft stands in an input. */
const below = (error: UserError): UserError =>
  Object.assign(error, { path: error.path === null ? null : ['input', ...error.path] });

function toForecast({ plan, promotions, groups, end, dies, at, work, notes }: Forecast): ReleaseForecast {
  const shown = plan.promotions.flatMap((planned, position): PromotionForecast[] => {
    const found = promotions[position];
    if (planned.own !== undefined || !found) return [];
    return [
      {
        ...namesOf(planned, plan.groups),
        dependenciesMet: dateOf(found.ready),
        earliestStart: dateOf(found.start),
        soaksFrom: dateOf(found.soak?.from),
        soaksUntil: dateOf(found.soak?.until),
        earliestEnd: dateOf(found.end),
        waits: found.waits.map(toWait),
      },
    ];
  });
  return {
    flowName: plan.flow.name,
    at: new Date(at),
    promotions: shown,
    groups: plan.groups.map(({ name, required }, group) => ({
      name,
      required,
      earliestGate: dateOf(groups[group]),
    })),
    earliestEnd: dateOf(end),
    endsBy: new Date(dies),
    work: work.map(({ measured: isMeasured, ...each }) => ({ ...each, isMeasured })),
    warnings: plan.warnings,
    notes,
  };
}

function namesOf({ name, environment, group }: PlannedPromotion, groups: readonly PlannedGroup[]) {
  return { name, environmentName: environment, groupName: group === null ? null : (groups[group]?.name ?? null) };
}

function toWait({ from, until, windows, assumed, ...wait }: Wait): ForecastWait {
  return { ...wait, from: new Date(from), until: dateOf(until), windowNames: windows, isAssumed: assumed };
}
