import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { WindowAction } from '../core/definitions.ts';
import { jitterOf, occurrences, spreadAt, windowState } from '../core/windows/index.ts';
import type { ReleaseWindow as Window } from '../core/windows/index.ts';
import { WindowActionEnum } from '../schema/choices.ts';
import type { ApiContext } from '../schema/context.ts';
import { toNode } from '../schema/definition.ts';
import { ReleaseWindow } from '../schema/definition-types.ts';
import { WaitingForWindow } from '../schema/waiting.ts';
import { WindowSchedule, WindowState } from '../schema/window-state.ts';
import { loadRunway } from '../store/load-facts.ts';
import { Guarded, SEES } from './access/rules.ts';
import { seesPlace } from './access/visible.ts';
import { checkStorable, gone } from './answers.ts';
import { definitionsOf } from './batches.ts';
import { toOccurrence } from './window-calendar.ts';

const SHOWN = 10;

@Resolver()
export class WindowStateResolver {
  @Guarded(SEES)
  @Query(() => WindowState, {
    description:
      'Whether release windows let something start in an environment at a moment, by the same rules that hold promotions.',
  })
  async windowState(
    @Ctx() context: ApiContext,
    @Arg('environment', () => String, { description: 'The name of the environment.' }) environment: string,
    @Arg('product', () => String, {
      nullable: true,
      description: 'The name of the product; when left out, windows count whatever products they are for.',
    })
    product?: string | null,
    @Arg('at', () => Date, { nullable: true, description: 'The moment; now when left out.' }) at?: Date | null,
    @Arg('action', () => WindowActionEnum, { defaultValue: 'PROMOTE', description: 'What wants to start.' })
    action: WindowAction = 'PROMOTE',
  ): Promise<WindowState> {
    checkStorable({ environment, product });
    const { pool, definitions, clock } = context.app;
    const snapshot = await definitions.current();
    const known = snapshot.environments.some(({ metadata }) => metadata.name === environment);
    if (!known || !(await seesPlace(context, null, environment))) {
      throw gone(`there is no environment "${environment}"`);
    }
    const ofProduct = product ?? null;
    const seen = ofProduct === null || (await seesPlace(context, ofProduct, environment));
    if (ofProduct !== null && !(seen && snapshot.products.has(ofProduct)))
      throw gone(`there is no product "${ofProduct}"`);
    const now = (at ?? clock.now()).getTime();
    const all = snapshot.windowsFor(ofProduct, environment);
    const windows = all.filter(({ spec }) => spec.holds.includes(action));
    // What the engine measures for a runway is how long the product's promotions take there.
    const measures = action === 'PROMOTE' && windows.some(({ spec }) => spec.runway);
    const runway = ofProduct !== null && measures ? await loadRunway(pool, ofProduct, [environment]) : {};
    const options = { runwayMs: runway[environment] };
    const state = windowState(windows, now, action, options);
    const jitter = jitterOf(windows, action);
    const { closed, reason, nextOpen, nextClose } = state;
    return {
      at: new Date(now),
      closed,
      reason,
      windows: await nodesOf(context, state.windows),
      nextOpen: dateOf(nextOpen),
      nextClose: dateOf(nextClose),
      jitter: jitter > 0 ? jitter : null,
      startsBy: dateOf(spreadAt(windows, state, now, action, options)?.until ?? null),
      schedule: await schedulesOf(context, windows, now),
    };
  }
}

@Resolver(() => WaitingForWindow)
export class WaitingForWindowResolver {
  @FieldResolver(() => [ReleaseWindow], {
    description: 'The release windows that decide, as they are now; without those that were deleted meanwhile.',
  })
  windows(@Ctx() context: ApiContext, @Root() { windowNames }: WaitingForWindow): Promise<ReleaseWindow[]> {
    return nodesOf(context, windowNames);
  }
}

async function nodesOf(context: ApiContext, names: string[]): Promise<ReleaseWindow[]> {
  const found = await Promise.all(names.map((name) => definitionsOf(context, 'ReleaseWindow').load(name)));
  return found.flatMap((each) => (each ? [toNode(ReleaseWindow, each)] : []));
}

async function schedulesOf(context: ApiContext, windows: Window[], now: number): Promise<WindowSchedule[]> {
  const nodes = await nodesOf(
    context,
    windows.map(({ name }) => name),
  );
  return nodes.flatMap((window) => {
    const same = windows.find(({ name }) => name === window.name);
    return same ? [{ window, occurrences: occurrences(same, now, SHOWN).map(toOccurrence) }] : [];
  });
}

const dateOf = (instant: number | null): Date | null => (instant === null ? null : new Date(instant));
