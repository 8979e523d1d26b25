import type { JSONPathQuery } from 'json-p3';
import { JSONPathEnvironment, jsonpath } from 'json-p3';
import { quote } from './wording.ts';

type JSONPathSegment = jsonpath.JSONPathSegment;
type JSONPathSelector = jsonpath.JSONPathSelector;
const { expressions, selectors } = jsonpath;

/**
 * JSON paths as templates write them: RFC 9535, parsed by a library that evaluates nothing of a path as a program, and narrowed
 * to what an edit needs: names, indexes, slices, `[*]`, one `..`, and filters that compare with a literal. Shorthands of
 * published templates are taken as well: `$appVersion` and `appVersion` for `$.appVersion`, and names with dashes without quotes.
 *
 * In a file of several YAML documents a path begins with the document that it is about: `Deployment/api $.spec.replicas` by
 * kind and `metadata.name`, or `2 $.spec.replicas` by its place, counted from 1.
 */
export interface DocumentPath {
  /** As it was written. */
  text: string;
  /** Absent: the file's only document. */
  document?: DocumentChoice;
  segments: JSONPathSegment[];
}

/** Which document of a file is meant: by kind and name, or by its place from 0. */
export type DocumentChoice = { kind: string; name: string } | { index: number };

/** A path beyond these is refused: it costs more than a configuration may. */
export const PATH_LIMITS = { characters: 1_000, segments: 50 };

const environment = new JSONPathEnvironment();
const CHOICE = /^(?:(?<kind>[A-Za-z][\w.-]*)\/(?<name>[^\s/$]+)|(?<index>[1-9]\d{0,5}))\s+(?=\$)/;

/** Why the path cannot be used, in words that name it; undefined when it can. */
export function refusePath(path: string): string | undefined {
  const parsed = parsePath(path);
  return typeof parsed === 'string' ? parsed : undefined;
}

/** The path, or why it cannot be used. */
export function parsePath(path: string): DocumentPath | string {
  const known = cache.get(path);
  if (known !== undefined) return known;
  const parsed = parse(path);
  if (cache.size >= CACHED) cache.clear();
  cache.set(path, parsed);
  return parsed;
}

/** Paths are few, and each is asked for with every file of every environment. */
const CACHED = 1_000;
const cache = new Map<string, DocumentPath | string>();

function parse(text: string): DocumentPath | string {
  const what = `the JSON path ${quote(text)}`;
  if (text.length > PATH_LIMITS.characters)
    return `the JSON path ${quote(text.slice(0, 50))}… has ${text.length} characters; at most ${PATH_LIMITS.characters} are possible`;
  const choice = CHOICE.exec(text);
  const query = text.slice(choice?.[0].length ?? 0);
  const isShort = choice === null && /^[\p{L}_][\p{L}\p{N}_.-]*$/u.test(query);
  if (!query.startsWith('$') && !isShort) return `${what} must begin with "$", for example $.image.tag`;
  let parsed: JSONPathQuery;
  try {
    parsed = environment.compile(isShort ? `$.${query}` : query.replace(/^\$(?=[\p{L}\p{N}_-])/u, '$.'));
  } catch (error) {
    return `${what} is no JSON path (RFC 9535): ${plainReason(error)}. A name with other signs stands in quotes: $['a.b']`;
  }
  const refused = refuseSegments(parsed.segments);
  if (refused) return `${what} cannot be used: ${refused}`;
  const document = choice && choiceOf(choice.groups!);
  return { text, ...(document ? { document } : {}), segments: parsed.segments };
}

const choiceOf = ({ kind, name, index }: Record<string, string | undefined>): DocumentChoice =>
  index === undefined ? { kind: kind!, name: name! } : { index: Number(index) };

/** The library adds an excerpt with the place, such as `('ies.['x']':15)`; the path itself is told already. */
function plainReason(error: unknown): string {
  if (error instanceof RangeError) return 'it is nested too deeply';
  const message = error instanceof Error ? error.message : 'it cannot be read';
  return message.replace(/ \('.*':(\d+)\)$/s, ' at character $1');
}

function refuseSegments(segments: JSONPathSegment[]): string | undefined {
  if (segments.length > PATH_LIMITS.segments)
    return `it has ${segments.length} steps; at most ${PATH_LIMITS.segments} are possible`;
  if (segments.filter(isDescent).length > 1) return 'it has more than one ".."';
  for (const each of segments.flatMap((segment) => segment.selectors)) {
    const refused = each instanceof selectors.FilterSelector ? refuseFilter(each.expression) : undefined;
    if (refused) return refused;
  }
  return undefined;
}

/** Comparisons of `@…` with a literal, the existence of `@…`, and !, &&, || around them. */
function refuseFilter(expression: unknown): string | undefined {
  if (expression instanceof expressions.LogicalExpression) return refuseFilter(expression.expression);
  if (expression instanceof expressions.PrefixExpression) return refuseFilter(expression.right);
  if (expression instanceof expressions.InfixExpression) {
    if (expression.logical) return refuseFilter(expression.left) ?? refuseFilter(expression.right);
    const sides = [expression.left, expression.right];
    if (!sides.some((each) => each instanceof expressions.FilterExpressionLiteral))
      return (
        refuseOperand(sides[0]) ?? refuseOperand(sides[1]) ?? "a filter compares with a literal, such as 'api' or 3"
      );
    return refuseOperand(expression.left) ?? refuseOperand(expression.right);
  }
  return refuseOperand(expression);
}

function refuseOperand(operand: unknown): string | undefined {
  if (operand instanceof expressions.FilterExpressionLiteral) return undefined;
  if (operand instanceof expressions.FunctionExtension) return `functions such as ${operand.name}() are not possible`;
  if (operand instanceof expressions.RootQuery) return 'a filter looks at the entry (@), not at the document ($)';
  if (operand instanceof expressions.RelativeQuery)
    return operand.path.singularQuery()
      ? undefined
      : 'a filter looks at one place of the entry: names and indexes behind @';
  return 'a filter may compare, and combine comparisons by &&, || and !';
}

/** A segment that begins with `..`; the library keeps the class to itself, and prints it so. */
export const isDescent = (segment: JSONPathSegment): boolean => segment.toString().startsWith('..');

/** The selector as RFC 9535 writes it, such as `-1`, `-2:`, `*` or `?@.name == 'api'`. */
export function selectorText(selector: JSONPathSelector): string {
  if (!(selector instanceof selectors.SliceSelector)) return selector.toString();
  const { start, stop, step } = selector;
  return `${start ?? ''}:${stop ?? ''}${step === undefined ? '' : `:${step}`}`;
}

/** The one selector that `selectorText` printed. */
export function selectorOf(text: string): JSONPathSelector {
  const parsed = parsePath(`$[${text}]`);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed.segments[0]!.selectors[0]!;
}

/** True for a filter that asks for a text or a number by `==`: such a filter names the entry that it wants. */
export function namesAnEntry(selector: JSONPathSelector): boolean {
  return selector instanceof selectors.FilterSelector && asksForOne(selector.expression);
}

function asksForOne(expression: unknown): boolean {
  if (expression instanceof expressions.LogicalExpression) return asksForOne(expression.expression);
  if (!(expression instanceof expressions.InfixExpression)) return false;
  if (expression.operator === '&&') return asksForOne(expression.left) || asksForOne(expression.right);
  const named = [expression.left, expression.right].some(
    (each) => each instanceof expressions.StringLiteral || each instanceof expressions.NumberLiteral,
  );
  return expression.operator === '==' && named;
}
