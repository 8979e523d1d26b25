import { layoutOf } from '../../../../../src/core/flow.ts';
import { stepName } from '../../../../../src/core/flow/graph.ts';
import { wireOf } from '../../../../../src/manifests/index.ts';
import { readingOf, type Reading } from './reading.ts';
import type { FlowDocument, Known, PromotionFlowSpec, PromotionWorkflowSpec, WorkflowDocument } from './types.ts';

/** What became of a node or an edge since the flow was saved. */
export type Changed = 'ADDED' | 'REMOVED' | 'CHANGED';

export interface NodeChange {
  change: Changed;
  /** Of CHANGED: setting by setting, "soak: 1h → 2h". */
  words: string[];
}

/** A draft beside what is saved, as it is drawn. S: what is saved, which has what is removed. */
export interface Changes<S = unknown> {
  saved: S;
  /** By name, in the order of the draft; what is removed comes last. */
  nodes: ReadonlyMap<string, NodeChange>;
  edges: readonly { from: string; to: string; change: 'ADDED' | 'REMOVED' }[];
  /** Settings of the definition itself. */
  whole: readonly string[];
}

export type FlowChanges = Changes<PromotionFlowSpec>;
export type WorkflowChanges = Changes<PromotionWorkflowSpec>;

type Wire = Record<string, unknown>;

/** What differs between two flows, by the names of their steps: a step that was renamed is one removed and one added. */
export function changesBetween(saved: FlowDocument, draft: FlowDocument, { groups }: Known): FlowChanges | null {
  const [before, after] = [saved, draft].map(readingOf);
  if (!before || !after) return null;
  const [was, now] = [before, after].map(ownForm) as [Wire, Wire];
  const stepsOf = ({ steps }: Wire): Parts => new Map((steps as Wire[]).map((step) => [stepName(step as never), step]));
  const nodes = new Map<string, NodeChange>();
  const [oldTrigger, trigger] = [before, after].map(({ definition }) => definition.spec.triggerEnvironment) as [
    string,
    string,
  ];
  if (oldTrigger !== trigger && trigger !== '') nodes.set(trigger, { change: 'ADDED', words: [] });
  if (oldTrigger !== trigger && oldTrigger !== '') nodes.set(oldTrigger, { change: 'REMOVED', words: [] });
  const ofTrigger = differences(pick(was, OF_TRIGGER), pick(now, OF_TRIGGER));
  if (ofTrigger.length > 0 && !nodes.has(trigger)) nodes.set(trigger, { change: 'CHANGED', words: ofTrigger });
  partsBetween(stepsOf(was), stepsOf(now), nodes);
  const edgesOf = (spec: PromotionFlowSpec): Edges =>
    new Map(layoutOf(spec, groups).edges.map(({ from, to, member }) => [`${member ?? from}\n${to}`, { from, to }]));
  return {
    saved: before.definition.spec,
    nodes,
    edges: edgesBetween(edgesOf(before.definition.spec), edgesOf(after.definition.spec)),
    whole: wholeBetween(was, now, ['steps', 'triggerEnvironment', ...OF_TRIGGER]),
  };
}

/** What differs between two workflows, by the names of their actions. */
export function actionChangesBetween(saved: WorkflowDocument, draft: WorkflowDocument): WorkflowChanges | null {
  const [before, after] = [saved, draft].map(readingOf);
  if (!before || !after) return null;
  const [was, now] = [before, after].map(ownForm) as [Wire, Wire];
  const actionsOf = ({ actions }: Wire): Parts =>
    new Map((actions as Wire[]).map((action) => [action['name'] as string, action]));
  const nodes = new Map<string, NodeChange>();
  partsBetween(actionsOf(was), actionsOf(now), nodes);
  const edgesOf = ({ actions }: PromotionWorkflowSpec): Edges =>
    new Map(
      actions.flatMap(({ name: to, dependsOn = [] }) => dependsOn.map((from) => [`${from}\n${to}`, { from, to }])),
    );
  return {
    saved: before.definition.spec,
    nodes,
    edges: edgesBetween(edgesOf(before.definition.spec), edgesOf(after.definition.spec)),
    whole: wholeBetween(was, now, ['actions']),
  };
}

type Parts = ReadonlyMap<string, Wire>;
type Edges = ReadonlyMap<string, { from: string; to: string }>;

/** What became of each part, into `nodes`; what is there already stays. */
function partsBetween(old: Parts, fresh: Parts, nodes: Map<string, NodeChange>): void {
  for (const [name, part] of fresh) {
    const other = old.get(name);
    const words = other ? differences(other, part) : [];
    if (!other) nodes.set(name, { change: 'ADDED', words });
    else if (words.length > 0) nodes.set(name, { change: 'CHANGED', words });
  }
  for (const name of old.keys())
    if (!fresh.has(name) && !nodes.has(name)) nodes.set(name, { change: 'REMOVED', words: [] });
}

const edgesBetween = (old: Edges, fresh: Edges): Changes['edges'] => [
  ...[...fresh].filter(([key]) => !old.has(key)).map(([, edge]) => ({ ...edge, change: 'ADDED' as const })),
  ...[...old].filter(([key]) => !fresh.has(key)).map(([, edge]) => ({ ...edge, change: 'REMOVED' as const })),
];

/** Settings of the definition itself: all but those that parts of it have. */
function wholeBetween(was: Wire, now: Wire, ofParts: readonly string[]): string[] {
  const of = (spec: Wire): Wire =>
    pick(
      spec,
      Object.keys(spec).filter((key) => !ofParts.includes(key)),
    );
  return differences(of(was), of(now));
}

/** As our own manifests have it, whatever form the file has. */
const ownForm = ({ definition }: Reading): Wire =>
  wireOf({ ...definition, metadata: { ...definition.metadata, annotations: {} } }).spec as Wire;

const OF_TRIGGER = ['triggerWorkflow', 'trigger'];

const pick = (from: Wire, keys: readonly string[]): Wire =>
  Object.fromEntries(keys.filter((key) => key in from).map((key) => [key, from[key]]));

/** Setting by setting, such as `policy.preAction: checks → smoke`. */
function differences(was: Wire, now: Wire, path = ''): string[] {
  const keys = [...new Set([...Object.keys(now), ...Object.keys(was)])];
  return keys.flatMap((key): string[] => {
    const [a, b] = [was[key], now[key]];
    if (JSON.stringify(a) === JSON.stringify(b)) return [];
    const name = `${path}${key}`;
    if (isMap(a) && isMap(b)) return differences(a, b, `${name}.`);
    if (a === undefined) return [`${name}: ${inWords(b)} is new`];
    return [b === undefined ? `${name}: ${inWords(a)} is gone` : `${name}: ${inWords(a)} → ${inWords(b)}`];
  });
}

const isMap = (value: unknown): value is Wire => typeof value === 'object' && value !== null && !Array.isArray(value);

function inWords(value: unknown): string {
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) return value.join(', ') || 'nothing';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
