import type { EnvironmentGroupSpec, EnvironmentSelector, Labels, MatchExpression, Selector } from './definitions.ts';

/** What a selector looks at: an environment, a product or an application, reduced to its outside. */
export interface Selectable {
  name: string;
  labels: Labels;
  kind?: string;
}

/**
 * Whether `text` matches `pattern`, where `*` stands for any run of characters, line breaks included.
 *
 * Each literal piece is taken at its first possible place, which is enough for `*` alone, so nothing is ever tried
 * again: a pattern written to make a regular expression explode costs as much as any other.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const pieces = pattern.split('*');
  if (pieces.length === 1) return pattern === text;
  const head = pieces[0]!;
  const tail = pieces[pieces.length - 1]!;
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  const end = text.length - tail.length;
  let at = head.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

/** Names, labels, expressions and kinds must all agree; an empty selector matches everything. */
export function matchesSelector(selector: EnvironmentSelector, subject: Selectable): boolean {
  const { names, matchLabels, matchExpressions, kinds } = selector;
  if (names && !names.some((pattern) => matchesGlob(pattern, subject.name))) return false;
  if (kinds && !kinds.some((kind) => kind === subject.kind)) return false;
  if (matchLabels) {
    for (const [key, value] of Object.entries(matchLabels)) {
      if (labelOf(subject, key) !== value) return false;
    }
  }
  return (matchExpressions ?? []).every((expression) => matchesExpression(expression, subject));
}

function matchesExpression({ key, operator, values = [] }: MatchExpression, subject: Selectable): boolean {
  const value = labelOf(subject, key);
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      // As in Kubernetes: what does not carry the label at all is not in the list either.
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** A label named `constructor` must not be found on an object that does not carry it. */
function labelOf(subject: Selectable, key: string): string | undefined {
  return Object.hasOwn(subject.labels, key) ? subject.labels[key] : undefined;
}

/** The environments that are in a group right now, by name in code point order; a release freezes this list. */
export function resolveMembers<E extends Selectable>(
  group: Pick<EnvironmentGroupSpec, 'environments'>,
  environments: Iterable<E>,
): E[] {
  return [...environments]
    .filter((environment) => matchesSelector(group.environments, environment))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

const EXACT_NAME = 1_000_000;
const GLOB_NAME = 10_000;

/**
 * How narrow a selector is; the higher one wins. Exact names beat globs, globs beat labels alone, a longer glob beats
 * a shorter one (the weakest name of a list counts), and each further condition counts one.
 */
export function specificity(selector: EnvironmentSelector): number {
  const conditions =
    Object.keys(selector.matchLabels ?? {}).length +
    (selector.matchExpressions?.length ?? 0) +
    (selector.kinds?.length ? 1 : 0);
  const names = (selector.names ?? []).map((name) => {
    const literal = name.replaceAll('*', '').length;
    if (literal === name.length) return EXACT_NAME;
    return literal === 0 ? 0 : GLOB_NAME + Math.min(literal, 90) * 10_000;
  });
  const weakest = names.reduce((least, each) => Math.min(least, each), EXACT_NAME);
  return (names.length ? weakest : 0) + Math.min(conditions, GLOB_NAME - 1);
}

/** A selector in words, for explanations: `names us-*; labels tier=gold`. */
export function describeSelector(selector: EnvironmentSelector): string {
  const parts: string[] = [];
  if (selector.names) parts.push(`names ${selector.names.join(', ')}`);
  if (selector.kinds) parts.push(`kinds ${selector.kinds.join(', ')}`);
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    labels.push(values?.length ? `${key} ${operator} (${values.join(', ')})` : `${key} ${operator}`);
  }
  if (labels.length) parts.push(`labels ${labels.join(', ')}`);
  return parts.length ? parts.join('; ') : 'everything';
}

/** Kubernetes reads a missing selector as "nothing" and an empty one as "everything"; so do flows. */
export function selects(selector: Selector | undefined, subject: Selectable): boolean {
  return selector !== undefined && matchesSelector(selector, subject);
}
