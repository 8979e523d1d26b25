import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { ReleaseWindowSpec, WindowAction } from '../core/definitions.ts';
import { checkDefinition } from '../core/validate.ts';
import { clockChangesIn, occurrencesBetween, stretchesOf } from '../core/windows/index.ts';
import type { Occurrence, ReleaseWindow as Window } from '../core/windows/index.ts';
import { WindowActionEnum } from '../schema/choices.ts';
import { badInput } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { toNode } from '../schema/definition.ts';
import type { DefinitionInput } from '../schema/definition.ts';
import { DEFINITION_TYPES, Environment, Product, ReleaseWindow } from '../schema/definition-types.ts';
import { toUserError } from '../schema/user-errors.ts';
import { WindowCalendar, WindowOccurrences, WindowPreview } from '../schema/window-calendar.ts';
import type { WindowCalendarRow, WindowCalendarWindow } from '../schema/window-calendar.ts';
import type { WindowOccurrence } from '../schema/window-state.ts';
import { seesPlace } from './access/visible.ts';
import { Guarded, SEES } from './access/rules.ts';
import { checkStorable, gone } from './answers.ts';
import { definitionsOf } from './batches.ts';
import { placeIn, toDefinition } from './definition-input.ts';

const DAY = 24 * 3_600_000;
/** The longest time that one question is about: a year, with its leap day. */
const MOST_DAYS = 366;
/** Of one window in one answer; of one row; and of a calendar, which divides them among its windows or rows. */
const MOST_SHOWN = 1_000;
const MOST_TOGETHER = 5_000;
/** Environments times products of one calendar. */
const MOST_ROWS = 100;

const FROM = 'Where the time begins; it may be in the past.';
const TO = `The first moment after it; at most ${MOST_DAYS} days later.`;

@Resolver(() => ReleaseWindow)
export class WindowCalendarResolver {
  @FieldResolver(() => WindowOccurrences, {
    description: 'When it is active between two moments, by this revision of it.',
  })
  occurrences(
    @Root() { stored, name }: ReleaseWindow,
    @Arg('from', () => Date, { description: FROM }) from: Date,
    @Arg('to', () => Date, { description: TO }) to: Date,
  ): WindowOccurrences {
    return shown({ name, spec: stored.spec as ReleaseWindowSpec }, between(from, to), MOST_SHOWN);
  }

  @Guarded(SEES)
  @Query(() => WindowPreview, {
    description: 'When a window would be active that is not saved, and what is wrong with it. Nothing is saved.',
  })
  windowPreview(
    @Arg('input', () => DEFINITION_TYPES.ReleaseWindow.createInput, { description: 'The window.' })
    input: DefinitionInput,
    @Arg('from', () => Date, { description: FROM }) from: Date,
    @Arg('to', () => Date, { description: TO }) to: Date,
  ): WindowPreview {
    const span = between(from, to);
    const made = toDefinition('ReleaseWindow', input);
    const wrong = made.refusals ?? checkDefinition(made.value);
    const place = placeIn('ReleaseWindow', input);
    if (made.refusals || wrong.length > 0) {
      const userErrors = wrong.map((each) => toUserError(each, ['input', ...place(each.path)]));
      return { occurrences: [], cutAt: null, clockChanges: [], userErrors };
    }
    const { metadata, spec } = made.value;
    return { ...shown({ name: metadata.name, spec }, span, MOST_SHOWN), userErrors: [] };
  }

  @Guarded(SEES)
  @Query(() => WindowCalendar, {
    description: `What release windows say for environments between two moments; environments times products are at most ${MOST_ROWS}.`,
  })
  async windowCalendar(
    @Ctx() context: ApiContext,
    @Arg('from', () => Date, { description: FROM }) from: Date,
    @Arg('to', () => Date, { description: TO }) to: Date,
    @Arg('environments', () => [String], { description: 'The names of the environments.' }) environments: string[],
    @Arg('products', () => [String], {
      nullable: true,
      description:
        'The names of products, for a row each; when left out, windows count whatever products they are for.',
    })
    products?: string[] | null,
    @Arg('action', () => WindowActionEnum, { defaultValue: 'PROMOTE', description: 'What wants to start.' })
    action: WindowAction = 'PROMOTE',
  ): Promise<WindowCalendar> {
    const span = between(from, to);
    checkStorable({ environments, products });
    const named = [...new Set(environments)];
    const ofProducts = products ? [...new Set(products)] : [null];
    const pairs = named.length * ofProducts.length;
    if (pairs > MOST_ROWS) {
      throw badInput(`environments times products are ${pairs}; at most ${MOST_ROWS} are answered`, 'environments');
    }
    const snapshot = await context.app.definitions.current();
    const known = new Set(snapshot.environments.map(({ metadata }) => metadata.name));
    const windows = new Map<string, Window>();
    const rows: WindowCalendarRow[] = [];
    const limit = Math.max(1, Math.floor(MOST_TOGETHER / Math.max(1, pairs)));
    for (const environment of named) {
      if (!known.has(environment) || !(await seesPlace(context, null, environment)))
        throw gone(`there is no environment "${environment}"`);
      for (const product of ofProducts) {
        const isThere =
          product === null || (snapshot.products.has(product) && (await seesPlace(context, product, environment)));
        if (!isThere) throw gone(`there is no product "${product}"`);
        const concern = snapshot.windowsFor(product, environment).filter(({ spec }) => spec.holds.includes(action));
        for (const each of concern) windows.set(each.name, each);
        const { stretches, cutAt } = stretchesOf(concern, span.from, span.to, action, Math.min(limit, MOST_SHOWN));
        rows.push({
          environment: await nodeOf(context, 'Environment', environment),
          product: product === null ? null : await nodeOf(context, 'Product', product),
          stretches: stretches.map(({ windows: windowNames, ...each }) => ({
            ...each,
            from: new Date(each.from),
            to: new Date(each.to),
            windowNames,
          })),
          cutAt: dateOf(cutAt),
        });
      }
    }
    return { rows, windows: await windowsOf(context, [...windows.values()], span) };
  }
}

interface Span {
  from: number;
  to: number;
}

function between(begin: Date, end: Date): Span {
  const [from, to] = [begin.getTime(), end.getTime()];
  if (to <= from) throw badInput('`to` is not after `from`', 'to');
  if (to - from > MOST_DAYS * DAY) {
    const days = Math.ceil((to - from) / DAY);
    throw badInput(`from \`from\` to \`to\` are ${days} days; at most ${MOST_DAYS} are answered`, 'to');
  }
  return { from, to };
}

type Shown = Pick<WindowOccurrences, 'occurrences' | 'cutAt' | 'clockChanges'>;

function shown(window: Window, { from, to }: Span, limit: number): Shown {
  const { occurrences, cutAt } = occurrencesBetween(window, from, to, limit);
  const changes = clockChangesIn(window.spec.timeZone, from, to);
  return {
    occurrences: occurrences.map(toOccurrence),
    cutAt: dateOf(cutAt),
    clockChanges: changes.map(({ at, ...offsets }) => ({ at: new Date(at), ...offsets })),
  };
}

async function windowsOf(context: ApiContext, windows: Window[], span: Span): Promise<WindowCalendarWindow[]> {
  const limit = Math.max(1, Math.floor(MOST_TOGETHER / Math.max(1, windows.length)));
  const sorted = windows.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return Promise.all(
    sorted.map(async (each) => ({
      ...shown(each, span, Math.min(limit, MOST_SHOWN)),
      window: await nodeOf(context, 'ReleaseWindow', each.name),
    })),
  );
}

const NODES = { Environment, Product, ReleaseWindow };

async function nodeOf(context: ApiContext, kind: keyof typeof NODES, name: string): Promise<ReleaseWindow> {
  const found = await definitionsOf(context, kind).load(name);
  if (!found) throw gone(`there is no ${kind} "${name}"`);
  return toNode(NODES[kind], found);
}

/** As the API shows one. */
export function toOccurrence({ start, end, ...more }: Occurrence): WindowOccurrence {
  return { start: new Date(start), end: new Date(end), ...more };
}

const dateOf = (instant: number | null): Date | null => (instant === null ? null : new Date(instant));
