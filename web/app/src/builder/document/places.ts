import { stepName } from '../../../../../src/core/flow/graph.ts';
import type { Node } from '../../../../../src/drivers/edit/node.ts';
import { lineEnd } from '../../../../../src/drivers/edit/text.ts';
import type { YamlText } from '../../../../../src/drivers/edit/yaml-document.ts';
import { SOUGHT } from './kinds.ts';
import { readingOf, sourceOf, type FlowDefinition, type WorkflowDefinition } from './reading.ts';
import type { Path, Range, Selection, TextDocument, TextProblem } from './types.ts';

/** Fields of a flow that belong to its trigger environment. */
const OF_TRIGGER = new Set(['triggerEnvironment', 'triggerWorkflow', 'trigger']);

type Shown = FlowDefinition | WorkflowDefinition;

/** The node at this place of the list of steps or actions. */
const nodeAt = ({ kind, spec }: Shown, at: number): string | undefined => {
  const part = kind === 'PromotionFlow' ? spec.steps[at] : spec.actions[at];
  return part && ('type' in part ? part.name : stepName(part));
};

/** Where in the views a path of the manifest is. */
export function selectionOf(definition: Shown | undefined, path: Path): Selection {
  const [head, field, at, ...below] = path;
  if (head === 'metadata') return { node: null, field: path };
  if (head !== 'spec' || field === undefined) return { node: null, field: [] };
  const isPart = definition && field === SOUGHT[definition.kind].list && typeof at === 'number';
  const node = isPart ? nodeAt(definition, at) : undefined;
  if (node !== undefined) return { node, field: below };
  const trigger = definition?.kind === 'PromotionFlow' ? definition.spec.triggerEnvironment : '';
  return { node: OF_TRIGGER.has(String(field)) && trigger !== '' ? trigger : null, field: path.slice(1) };
}

/** Where in the manifest a selection is; null: there is no such node. */
export function pathOf(definition: Shown, { node, field }: Selection): Path | null {
  if (node === null) return field[0] === 'metadata' ? field : ['spec', ...field];
  const { kind, spec } = definition;
  if (kind === 'PromotionFlow' && node === spec.triggerEnvironment)
    return ['spec', ...(field.length === 0 ? ['triggerEnvironment'] : field)];
  const parts = kind === 'PromotionFlow' ? spec.steps : spec.actions;
  const at = parts.findIndex((_, index) => nodeAt(definition, index) === node);
  return at < 0 ? null : ['spec', SOUGHT[kind].list, at, ...field];
}

/** Where a selection stands in the text, as far as it is written there; null: nowhere, or the text cannot be read. */
export function rangeOf(document: TextDocument, selection: Selection): Range | null {
  const reading = readingOf(document);
  if (!document.isCurrent || !reading) return null;
  const path = pathOf(reading.definition, selection);
  return path && rangeOfPath(document, reading.wirePath(path));
}

/** The nearest part around a path of the manifest that is written in the text. */
function rangeOfPath(document: TextDocument, path: Path): Range | null {
  const reading = readingOf(document);
  const source = document.isCurrent ? sourceOf(document) : null;
  return reading && source ? rangeIn(source, reading.at, path) : null;
}

/** The nearest part around a path of document `at` that is written in the text; null: there is no such document. */
function rangeIn(source: YamlText, at: number, path: Path): Range | null {
  const root = source.documents[at]?.root;
  if (!root) return null;
  let range: Range = { start: root.start, end: root.end };
  let node: Node | undefined = root;
  for (const key of path) {
    const inside: Entry | undefined = node && entryOf(source, node, key);
    if (!inside) break;
    range = inside.range;
    node = inside.value;
  }
  return range;
}

interface Entry {
  range: Range;
  value: Node;
}

function entryOf(source: YamlText, node: Node, key: string | number): Entry | undefined {
  const items = source.containers.get(node)?.items;
  const value =
    node.kind === 'map' ? node.entries.get(String(key)) : node.kind === 'list' ? node.items[Number(key)] : undefined;
  const item = node.kind === 'map' ? items?.find((each) => each.key === key) : items?.[Number(key)];
  return item && value && { range: { start: item.start, end: item.end }, value };
}

/** What stands at this offset of the text; the definition itself outside of it and while the text cannot be read. */
export function selectionAt(document: TextDocument, offset: number): Selection {
  const reading = readingOf(document);
  const source = document.isCurrent ? sourceOf(document) : null;
  return selectionOf(reading?.definition, reading && source ? pathAt(source, reading.at, offset) : []);
}

/** The path of what stands at an offset of the text in document `at`; empty outside of it. */
function pathAt(source: YamlText, at: number, offset: number): Path {
  let node = source.documents[at]?.root;
  const path: Path = [];
  while (node) {
    const items: readonly { key?: string; start: number; end: number }[] = source.containers.get(node)?.items ?? [];
    const place = items.findIndex(({ start, end }) => start <= offset && offset <= end);
    if (place < 0) break;
    const key: string | number = node.kind === 'map' ? items[place]!.key! : place;
    path.push(key);
    node = node.kind === 'map' ? node.entries.get(String(key)) : node.kind === 'list' ? node.items[place] : undefined;
  }
  return path;
}

/** A problem with its places in all views. Without `line` it stands where its path does. */
export function problemAt(
  document: TextDocument,
  {
    line,
    column,
    ...problem
  }: Pick<TextProblem, 'severity' | 'message' | 'path'> & {
    line?: number;
    column?: number;
    unknown?: TextProblem['unknown'];
  },
): TextProblem {
  const reading = readingOf(document);
  const { text } = document;
  const ranged = rangeOfPath(document, reading?.wirePath(problem.path) ?? problem.path);
  const given = line === undefined ? undefined : offsetOf(text, line, column ?? 1);
  const start = given ?? ranged?.start ?? 0;
  const isWithin = ranged !== null && problem.path.length > 0 && ranged.start <= start && start <= ranged.end;
  const range = isWithin && given === undefined ? ranged : { start, end: Math.max(start, lineEnd(text, start)) };
  return {
    unknown: null,
    ...problem,
    range: isWithin ? { start: range.start, end: ranged.end } : range,
    ...placeOf(text, start),
    at: selectionOf(reading?.definition, problem.path),
  };
}

/** Both counted from 1. */
function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let at = 1; at < line; at += 1) {
    const end = text.indexOf('\n', start);
    if (end === -1) return text.length;
    start = end + 1;
  }
  return Math.min(text.length, start + column - 1);
}

/** Both counted from 1. */
function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - (before.lastIndexOf('\n') + 1) + 1 };
}
