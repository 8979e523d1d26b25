import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../core/duration.ts';
import type { Client } from './client.ts';
import { now } from './clock.ts';
import { EXIT } from './exit.ts';

/** The options that several commands have: one spelling and one form of each. */

export const RELEASE = ['<release>', 'PRODUCT#NUMBER, an id, a product for its newest one, or latest'] as const;
/** The name or the id of a thing, which may be typed as `-o name` prints it: `KIND/NAME`. */
export const bareName = (kind: string, typed: string): string =>
  typed.startsWith(`${kind}/`) ? typed.slice(kind.length + 1) : typed;

/** For an argument that names something of a kind. */
export const bare =
  (kind: string) =>
  (typed: string): string =>
    bareName(kind, typed);

/** For an argument that names several. */
export const eachBare =
  (kind: string) =>
  (typed: string, before: string[] = []): string[] => [...before, bareName(kind, typed)];

export const REASON = '--reason <text>';
export const UNTIL = 'an instant such as 2026-12-24T18:00:00Z, or a duration such as 4h or 7d';

/** As it is typed: an instant, in ISO 8601 and UTC, or so many milliseconds from now on. */
export type Moment = { at: string } | { in: number };

const EXAMPLE = '2026-12-24T18:00:00Z';
/** Years beyond 9999 have no form. */
const LONGEST = 365_000 * 86_400_000;

/** An instant with Z or an offset, or a duration. */
export function momentOf(text: string): Moment {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0 && ms <= LONGEST) return { in: ms };
  return { at: instantIn(text, `${EXAMPLE}, or a duration with a unit, such as 4h or 7d, of 1000 years at most`) };
}

/** A moment that is over: an instant, or a duration before now. */
export function earlierOf(text: string): Moment {
  const moment = momentOf(text);
  return 'in' in moment ? { in: -moment.in } : moment;
}

/** An instant alone: what was seen was seen at one. */
export const seenAt = (text: string): string => instantIn(text, `an instant such as ${EXAMPLE}`);

function instantIn(text: string, expected: string): string {
  const at = /(Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError(`Expected ${expected}.`);
  return new Date(at).toISOString();
}

/** What a moment is at the server: `4h` from now on by its clock, however wrong the one of this machine is. */
export async function instantOf(client: Client, moment: Moment): Promise<string>;
export async function instantOf(client: Client, moment: Moment | undefined): Promise<string | undefined>;
export async function instantOf(client: Client, moment: Moment | undefined): Promise<string | undefined> {
  if (moment === undefined || 'at' in moment) return moment?.at;
  await client.meet();
  return new Date(now() + moment.in).toISOString();
}

export function timeoutOption(): Option {
  return new Option(
    '--timeout <duration>',
    `stop waiting after, e.g. 30s, 10m, 1h (exit code ${EXIT.TIMEOUT})`,
  ).argParser((value) => {
    const ms = parseDuration(value);
    // A timer holds 31 bits of milliseconds.
    if (ms === undefined || !(ms > 0 && ms < 2 ** 31))
      throw new InvalidArgumentError('Expected a duration with a unit, such as 30s, 10m or 1h, of less than 25 days.');
    return ms;
  });
}

/** Whether a person has said where a list is to be cut. */
export const isLimited = (command: Command): boolean => command.getOptionValueSource('limit') === 'cli';

export function wholeNumber(value: string): number {
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new InvalidArgumentError('Expected a whole number from 1.');
  return Number(value);
}

/** One of the values, in any case and with `-` or `_` between words; answers as the list has it. */
function choose(values: readonly string[]): (typed: string) => string {
  const plain = (text: string): string => text.toLowerCase().replaceAll('_', '-');
  return (typed) => {
    const found = values.find((each) => plain(each) === plain(typed));
    if (found === undefined) throw new InvalidArgumentError(`Allowed choices are ${values.join(', ')}.`);
    return found;
  };
}

/** An option that takes one of these values, or with `<name...>` several. */
export function choiceOption(flags: string, about: string, values: readonly string[]): Option {
  const option = new Option(flags, about).choices(values);
  const chosen = choose(values);
  return option.variadic
    ? option.argParser((typed: string, before: string[] | undefined) => [...(before ?? []), chosen(typed)])
    : option.argParser((typed: string) => chosen(typed));
}

export const choiceArgument = (name: string, about: string, values: readonly string[]): Argument =>
  new Argument(name, about).choices(values).argParser(choose(values));

/** A spelling of earlier versions, which help does not show any more: it gives the option `now`. */
export function formerly(
  command: Command,
  flags: string,
  now: string,
  parse: (text: string) => unknown = String,
): Command {
  const option = new Option(flags).hideHelp().argParser(parse);
  command.addOption(option);
  return command.on(`option:${option.name()}`, (text: string) => command.setOptionValue(now, parse(text)));
}
