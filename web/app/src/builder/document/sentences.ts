import { topologicalOrder, type Members } from '../../../../../src/core/flow/graph.ts';
import { spell } from '../../../../../src/core/duration.ts';
import { stepName } from '../../../../../src/core/flow/graph.ts';
import { flowChanges, stepChanges } from '../../../../../src/core/kinds/flow-edit.ts';
import type { ObjectShape, Shape } from '../../../../../src/core/kinds/shape.ts';
import type { FlowEdit, PromotionFlowSpec, Selection } from './types.ts';

/** What an edit did, as it is spoken: "eu added after staging, 4 of 5". Both flows: before it and after it. */
export function said(edit: FlowEdit, before: PromotionFlowSpec, after: PromotionFlowSpec, groups: Members): string {
  switch (edit.type) {
    case 'addSteps': {
      const names = edit.steps.map(stepName);
      const steps = after.steps.filter((step) => names.includes(stepName(step)));
      const dependsOn = [...new Set(steps.flatMap((step) => step.dependsOn))];
      const place = edit.before.length > 0 ? `before ${listed(edit.before)}` : `after ${listed(dependsOn)}`;
      const order = topologicalOrder(after, groups);
      const all = after.steps.length + 1;
      const at = names.length === 1 ? `${order.indexOf(names[0]!) + 1} of ${all}` : `${all} in all`;
      return `${listed(names)} added ${place}, ${at}`;
    }
    case 'removeStep': {
      const left = new Set(after.steps.map(stepName));
      const others = before.steps.map(stepName).filter((name) => !left.has(name) && name !== edit.step);
      const count = `${after.steps.length + 1} left`;
      if (others.length > 0)
        return `${edit.step} and ${others.length} that ${others.length === 1 ? 'follows' : 'follow'} removed, ${count}`;
      const old = new Map(before.steps.map((step) => [stepName(step), step]));
      const moved = after.steps.filter((step) => {
        const was = old.get(stepName(step));
        return was && String(was.dependsOn) !== String(step.dependsOn);
      });
      const now = moved.map((step) => `${stepName(step)} depends on ${listed(step.dependsOn)}`);
      return [`${edit.step} removed, ${count}`, ...now].join('; ');
    }
    case 'setDependencies':
      return `${edit.step} depends on ${listed(edit.dependsOn)}`;
    case 'connect':
      return `${edit.to} depends on ${edit.from}`;
    case 'disconnect':
      return `${edit.to} no longer depends on ${edit.from}`;
    case 'renameStep':
      return `${edit.step} is ${edit.to} now`;
    case 'renameFlow':
      return `the flow is called ${edit.to}`;
    case 'setTriggerEnvironment':
      return `the flow begins in ${edit.environment}`;
    case 'changeStep':
      return changes(stepChanges, edit.settings, edit.step);
    case 'changeFlow':
      return changes(flowChanges, edit.settings, 'the flow');
  }
}

/** What is best selected after an edit. */
export function selectedAfter(edit: FlowEdit, before: PromotionFlowSpec, after: PromotionFlowSpec): Selection {
  const node = (name: string | null): Selection => ({ node: name, field: [] });
  switch (edit.type) {
    case 'addSteps':
      return node(edit.steps[0] ? stepName(edit.steps[0]) : null);
    case 'removeStep': {
      const names = [after.triggerEnvironment, ...after.steps.map(stepName)];
      const step = before.steps.find((each) => stepName(each) === edit.step);
      return node(step?.dependsOn.find((name) => names.includes(name)) ?? after.triggerEnvironment);
    }
    case 'renameStep':
    case 'connect':
    case 'disconnect':
      return node(edit.to);
    case 'renameFlow':
      return { node: null, field: ['metadata', 'name'] };
    case 'setTriggerEnvironment':
      return node(edit.environment);
    case 'setDependencies':
      return { node: edit.step, field: ['dependsOn'] };
    case 'changeStep':
      return { node: edit.step, field: Object.keys(edit.settings).slice(0, 1) };
    case 'changeFlow':
      return { node: null, field: Object.keys(edit.settings).slice(0, 1) };
  }
}

/** `a, b and c`. */
export const listed = (names: readonly string[]): string =>
  names.length < 2 ? (names[0] ?? 'nothing') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

function changes(shape: Pick<ObjectShape, 'fields'>, settings: object, of: string): string {
  const parts = Object.entries(settings).flatMap(([key, value]: [string, unknown]): string[] => {
    if (value === undefined) return [];
    const inner = shape.fields[key]!.shape;
    if (inner.is === 'object' && inner.changes && value !== null) return [changes(inner, value, of)];
    const words = value === null ? undefined : spoken(inner, value);
    const name = `${fieldWords(key)} of ${of}`;
    return [value === null ? `${name} removed` : words === undefined ? `${name} changed` : `${name} is ${words}`];
  });
  return parts.join('; ') || `nothing of ${of} changed`;
}

function spoken(shape: Shape, value: unknown): string | undefined {
  if (shape.is === 'duration') return spell(value as number);
  if (shape.is === 'integer' || shape.is === 'boolean' || shape.is === 'words') return String(value);
  const text = shape.is === 'text' ? String(value) : undefined;
  if (text !== undefined) return text.length > 60 || text.includes('\n') ? undefined : text || 'empty';
  const type = (value as { type?: unknown } | null)?.type;
  return typeof type === 'string' ? type : undefined;
}

/** `triggerWorkflow` → `trigger workflow`. */
const fieldWords = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replace(/^(pre|post) /, '$1-');
