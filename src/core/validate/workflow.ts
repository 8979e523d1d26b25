import type { PromotionWorkflowSpec, WorkflowAction } from '../definitions.ts';
import { findCycles } from '../flow/cycles.ts';
import type { FlowIndex } from '../flow/graph.ts';
import { refusePath } from '../json-path.ts';
import { quote } from '../wording.ts';
import { checkHttpUrl } from './application.ts';
import { bareParameter } from './durations.ts';
import { LIMITS, type Checks, type Path } from './rules.ts';

export function checkWorkflow(checks: Checks, spec: PromotionWorkflowSpec): void {
  const path = ['spec', 'actions'];
  checks.description(spec.description);
  if (spec.actions.length === 0) checks.invalid('a workflow needs at least one action', path);
  if (!checks.count(spec.actions, 'actions', path, LIMITS.actions)) return;
  spec.actions.forEach((action, i) => checkAction(checks, action, [...path, i]));
  checkOrder(checks, spec.actions, path);
}

const PARAMETERS: Record<WorkflowAction['type'], string[]> = {
  simulate: ['duration', 'fail', 'failures', 'outputs'],
  http: ['url', 'method', 'headers', 'body', 'expectStatus', 'outputs'],
};

function checkAction(checks: Checks, action: WorkflowAction, path: Path): void {
  checks.name(action.name, 'the action', [...path, 'name']);
  checks.oneOf(action.type, ['simulate', 'http'], 'the type', [...path, 'type']);
  checks.duration(action.timeout, 'timeout', [...path, 'timeout']);
  if (action.retry) {
    const { limit, backoff, maxDelay } = action.retry;
    checks.integer(limit, 'limit', 0, 100, [...path, 'retry', 'limit']);
    checks.duration(backoff, 'backoff', [...path, 'retry', 'backoff'], 0);
    checks.duration(maxDelay, 'maxDelay', [...path, 'retry', 'maxDelay'], 0);
  }
  const wrong = wrongWith(action.parameters);
  if (wrong) {
    checks.invalid(`the parameters of action ${quote(action.name)} ${wrong}`, [...path, 'parameters']);
    return;
  }
  // A misspelt parameter would only be noticed in the middle of a release.
  const known = PARAMETERS[action.type] ?? [];
  for (const name of Object.keys(action.parameters)) {
    if (known.includes(name)) continue;
    const message = `an action of type ${action.type} has no parameter ${quote(name)}; it has ${known.join(', ')}`;
    checks.invalid(message, [...path, 'parameters', name]);
  }
  for (const { message, path: at } of bareParameter(action.parameters.duration, [...path, 'parameters', 'duration']))
    checks.invalid(message, at);
  const { url, outputs } = action.parameters;
  if (action.type !== 'http') return;
  for (const [name, jsonPath] of Object.entries(outputs ?? {})) {
    const refused = typeof jsonPath === 'string' && !jsonPath.includes('${') ? refusePath(jsonPath) : undefined;
    if (refused) checks.invalid(refused, [...path, 'parameters', 'outputs', name]);
  }
  if (typeof url !== 'string') {
    checks.invalid(`action ${quote(action.name)} of type http needs the parameter url`, [...path, 'parameters', 'url']);
  } else if (!url.includes('${')) {
    // With a ${NAME} in it, the address is only known when the action runs; it is checked again there.
    checkHttpUrl(checks, url, [...path, 'parameters', 'url']);
  }
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
    if (!checks.count(action.dependsOn, 'dependencies', [...path, i, 'dependsOn'], LIMITS.actions)) return;
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
