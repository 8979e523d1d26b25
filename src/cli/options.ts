import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../core/duration.ts';
import { EXIT } from './exit.ts';

/** The options that several commands have: one spelling and one form of each. */

export const RELEASE = ['<release>', 'PRODUCT#NUMBER, an id, a product for its newest one, or latest'] as const;
export const REASON = '--reason <text>';
export const UNTIL = 'an instant such as 2026-12-24T18:00:00Z, or a duration such as 4h or 7d';

/** An instant with Z or an offset, or a duration from now on; answers ISO 8601, UTC. */
export function momentOf(text: string): string {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return new Date(Date.now() + ms).toISOString();
  const at = /(Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new InvalidArgumentError('Expected 2026-12-24T18:00:00Z, or a duration with a unit, such as 4h or 7d.');
  return new Date(at).toISOString();
}

export function timeoutOption(): Option {
  return new Option(
    '--timeout <duration>',
    `stop waiting after, e.g. 30s, 10m, 1h (exit code ${EXIT.TIMEOUT})`,
  ).argParser((value) => {
    const ms = parseDuration(value);
    // A timer holds 31 bits of milliseconds.
    if (ms === undefined || !(ms > 0 && ms < 2 ** 31))
      throw new InvalidArgumentError('Expected a duration with a unit, such as 30s, 10m or 1h.');
    return ms;
  });
}

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
