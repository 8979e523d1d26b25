import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutant, Position } from '@stryker-mutator/api/core';
import { createInjector } from 'typed-inject';
import { commonTokens } from '@stryker-mutator/api/plugin';
import type { Logger } from '@stryker-mutator/api/logging';
import { createInstrumenter } from '@stryker-mutator/instrumenter';
import { Random } from '../chaos/random.ts';

/**
 * One small change of a rule. Lines count from 1 and columns from 0, as in Stryker's reports; `id` is the same in each run for as
 * long as the code is the same.
 */
export interface Mutation {
  id: string;
  file: string;
  mutator: string;
  replacement: string;
  start: Position;
  end: Position;
}

/** A comparison for another, *and* for *or*, `true` for `false`, `some` for `every`, `min` for `max`. */
const DRAWN = ['EqualityOperator', 'LogicalOperator', 'BooleanLiteral', 'MethodExpression'];
const METHODS = /\.(some|every|min|max)\b/;

/** The other kinds of mutations that Stryker knows. */
export const LEFT_OUT = [
  'ArithmeticOperator',
  'ArrayDeclaration',
  'ArrowFunction',
  'AssignmentOperator',
  'BlockStatement',
  'ConditionalExpression',
  'ObjectLiteral',
  'OptionalChaining',
  'Regex',
  'StringLiteral',
  'UnaryOperator',
  'UpdateOperator',
];

/** Every mutation of the TypeScript files below `folder`, in the order of files and places. */
export async function allMutations(root: string, folder: string): Promise<Mutation[]> {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((each) => each.endsWith('.ts'))
    .map((each) => join(folder, each))
    .sort();
  const instrumenter = createInjector()
    .provideValue(commonTokens.getLogger, () => silent)
    .provideValue(commonTokens.logger, silent)
    .injectFunction(createInstrumenter);
  const { mutants } = await instrumenter.instrument(
    files.map((name) => ({ name, content: readFileSync(join(root, name), 'utf8'), mutate: true })),
    { plugins: null, excludedMutations: [], ignorers: [] },
  );
  return mutants
    .map((each) => mutationOf(each, { line: 0, column: 0 }))
    .filter(
      ({ mutator, replacement }) =>
        DRAWN.includes(mutator) && (mutator !== 'MethodExpression' || METHODS.test(replacement)),
    );
}

/** The instrumenter counts lines from 0, Stryker's results lines and columns from 1: `first` says which. */
export function mutationOf(
  { fileName, location, mutatorName, replacement }: Mutant,
  first: { line: number; column: number },
): Mutation {
  const place = ({ line, column }: Position): Position => ({
    line: line + 1 - first.line,
    column: column - first.column,
  });
  const start = place(location.start);
  const end = place(location.end);
  const id = `${fileName}:${start.line}:${start.column}-${end.line}:${end.column} ${mutatorName} ${replacement}`;
  return { id, file: fileName, mutator: mutatorName, replacement, start, end };
}

/** `count` of them, drawn by the seed, none twice. */
export function draw(all: readonly Mutation[], count: number, seed: number): Mutation[] {
  const random = new Random(seed);
  const left = [...all];
  return Array.from({ length: Math.min(count, left.length) }, () => {
    const [drawn] = left.splice(random.whole(0, left.length - 1), 1);
    return drawn as Mutation;
  });
}

const quiet = (): undefined => undefined;
const silent: Logger = {
  isTraceEnabled: () => false,
  isDebugEnabled: () => false,
  isInfoEnabled: () => false,
  isWarnEnabled: () => false,
  isErrorEnabled: () => false,
  isFatalEnabled: () => false,
  trace: quiet,
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: quiet,
  fatal: quiet,
};
