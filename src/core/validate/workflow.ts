import type { PromotionWorkflowSpec, WorkflowAction } from '../definitions.ts';
import { readParameters } from '../action-parameters.ts';
import { findCycles } from '../flow/cycles.ts';
import type { FlowIndex } from '../flow/graph.ts';
import { ACTIONS } from '../kinds/actions.ts';
import type { ObjectShape } from '../kinds/shape.ts';
import { placesOf } from '../kinds/walk.ts';
import { quote } from '../wording.ts';
import { BETWEEN } from './between.ts';
import { bareParameter } from './durations.ts';
import { LIMITS, type Checks, type Path } from './rules.ts';
import { TEXTS } from './texts.ts';

/** Rules between the actions of a workflow: their names, their order, and what each needs. */
export function checkWorkflow(checks: Checks, spec: PromotionWorkflowSpec): void {
  const path = ['spec', 'actions'];
  if (spec.actions.length > LIMITS.actions) return;
  spec.actions.forEach((action, i) => checkAction(checks, action, [...path, i]));
  checkOrder(checks, spec.actions, path);
}

function checkAction(checks: Checks, action: WorkflowAction, path: Path): void {
  const wrong = wrongWith(action.parameters);
  if (wrong) {
    checks.invalid(`the parameters of action ${quote(action.name)} ${wrong}`, [...path, 'parameters']);
    return;
  }
  checkParameters(checks, action, [...path, 'parameters']);
}

/** As far as it can be seen now: with a `${NAME}` in it, a value is only known when the action runs; it is checked again there. */
function checkParameters(checks: Checks, { name: action, type, parameters }: WorkflowAction, path: Path): void {
  const shape: ObjectShape | undefined = ACTIONS[type];
  if (!shape) return;
  const before = checks.size;
  // A misspelt parameter would only be noticed in the middle of a release.
  const known = Object.keys(shape.fields);
  for (const name of Object.keys(parameters)) {
    if (known.includes(name)) continue;
    const message = `an action of type ${type} has no parameter ${quote(name)}; it has ${known.join(', ')}`;
    checks.invalid(message, [...path, name]);
  }
  for (const [name, { presence, shape: each }] of Object.entries(shape.fields)) {
    const given = parameters[name];
    const fits = given !== undefined && given !== null && (each.is !== 'text' || typeof given === 'string');
    if (presence === 'required' && !fits)
      checks.invalid(`action ${quote(action)} of type ${type} needs the parameter ${name}`, [...path, name]);
  }
  if (checks.size > before) return;
  for (const { shape: each, value, path: at } of placesOf(shape, parameters, path)) {
    if (each.is === 'duration') for (const { message } of bareParameter(value, at)) checks.invalid(message, at);
    if (each.is !== 'text' || !each.rule || typeof value !== 'string' || value.includes('${')) continue;
    TEXTS[each.rule](checks, value, at);
  }
  if (checks.size > before) return;
  const refuse = (message: string, at: Path): void =>
    checks.invalid(`parameter ${quote(at.join('.'))} ${message}`, [...path, ...at]);
  readParameters(shape, parameters, refuse, { saved: true });
  if (checks.size === before) BETWEEN[shape.name]?.(checks, parameters as never, path);
}

/** The actions of a workflow are a graph like a flow's, with an invisible beginning as node 0. */
function checkOrder(checks: Checks, actions: WorkflowAction[], path: Path): void {
  const nodeOf = new Map<string, number>();
  actions.forEach((action, i) => {
    if (nodeOf.has(action.name)) {
      checks.add('DUPLICATE', `there are two actions ${quote(action.name)}; rename one`, [...path, i, 'name']);
    } else nodeOf.set(action.name, i + 1);
  });
  const index: FlowIndex = {
    names: ['', ...actions.map((action) => action.name)],
    nodeOf,
    dependencies: [[], ...actions.map(() => [])],
    dependents: [[], ...actions.map(() => [])],
  };
  actions.forEach((action, i) => {
    if ((action.dependsOn?.length ?? 0) > LIMITS.actions) return;
    const seen = new Set<string>();
    (action.dependsOn ?? []).forEach((name, j) => {
      const at = [...path, i, 'dependsOn', j];
      const node = nodeOf.get(name);
      if (seen.has(name)) {
        checks.add('DUPLICATE', `action ${quote(action.name)} depends on ${quote(name)} twice; once is enough`, at);
      } else if (node === i + 1) {
        checks.add('CYCLE', `action ${quote(name)} depends on itself, so it could never start; remove it`, at);
      } else if (node === undefined) {
        const hint = checks.hint(name, nodeOf.keys());
        const message = `action ${quote(action.name)} depends on ${quote(name)}, which is not in this workflow.${hint}`;
        checks.add('UNKNOWN_REFERENCE', message, at);
      } else {
        index.dependencies[i + 1]!.push(node);
        index.dependents[node]!.push(i + 1);
      }
      seen.add(name);
    });
  });
  for (const cycle of findCycles(index)) {
    const names = cycle.map((node) => index.names[node]!);
    const at = actions[cycle[0]! - 1]!.dependsOn!.indexOf(names.at(-1)!);
    checks.add(
      'CYCLE',
      `these actions wait for each other: ${[...names, names[0]!].join(' → ')}; remove one dependency`,
      [...path, cycle[0]! - 1, 'dependsOn', at],
    );
  }
}

/** Measures by hand and stops early, because JSON.stringify would recurse into any depth. */
function wrongWith(parameters: unknown): string | undefined {
  let size = 0;
  const open: { value: unknown; depth: number }[] = [{ value: parameters, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (depth > 50) return 'are nested deeper than 50 levels';
    if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        // Copying such an object field by field would change what it is instead of what it holds.
        if (key === '__proto__') return 'have the key "__proto__"; rename it';
        size += key.length + 3;
        if (size > LIMITS.parameters) break;
        open.push({ value: inner, depth: depth + 1 });
      }
    } else size += String(value).length + 2;
    if (size > LIMITS.parameters) return 'are larger than 64 KiB of JSON';
  }
  return undefined;
}
