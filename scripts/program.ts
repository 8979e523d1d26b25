import { Command, InvalidArgumentError } from 'commander';

/** One of the project's own programs: `--help` lists its options, and a command line that is wrong says how and ends it with 2. */
export function program(name: string, description: string): Command {
  return new Command(`npm run ${name} --`)
    .description(description)
    .showHelpAfterError('Its options: --help')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
}

/** The parser of an option that takes a whole number. */
export function wholeFrom(least: number): (typed: string) => number {
  return (typed) => {
    const number = Number(typed);
    if (typed.trim() === '' || !Number.isSafeInteger(number) || number < least)
      throw new InvalidArgumentError(`Expected a whole number from ${least}.`);
    return number;
  };
}

/** The parser of an option that takes a number, also a part of one. */
export function above(bound: number): (typed: string) => number {
  return (typed) => {
    const number = Number(typed);
    if (typed.trim() === '' || !Number.isFinite(number) || number <= bound)
      throw new InvalidArgumentError(`Expected a number above ${bound}.`);
    return number;
  };
}

/** The parser of an option that takes some of these names, with commas between them. */
export function someOf<Name extends string>(names: readonly Name[]): (typed: string) => Name[] {
  return (typed) =>
    typed.split(',').map((each) => {
      const found = names.find((name) => name === each.trim());
      if (found === undefined) throw new InvalidArgumentError(`'${each}' is none of ${names.join(', ')}.`);
      return found;
    });
}
