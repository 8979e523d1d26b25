import type { FlowStepSpec, PromotionFlowSpec } from '../definitions.ts';
import type { Path } from '../kinds/walk.ts';
import type { RefusalCode } from '../problems.ts';
import { quote, quoteList } from '../wording.ts';
import { indexFlow, type FlowIndex, type Members } from './graph.ts';
import { Origins } from './origins.ts';

/** A fault of an edit, or of the flow that came of the edits. */
export interface FlowProblem extends FlowNote {
  code: RefusalCode;
}

/** A sentence about edits or about what came of them, which stands in nobody's way. */
export interface FlowNote {
  message: string;
  /** Where in the edits, such as `['edits', 2, 'after', 0]`; null: the flow had it before them. */
  path: Path | null;
  /**
   * Where in the flow, such as `['spec', 'steps', 3, 'dependsOn', 0]`; empty: nowhere any more. Of a refused edit: in the flow that
   * this edit found.
   */
  flowPath: Path;
}

/** A flow while edits are made, one after the other. `spec` is replaced and never changed in place. */
export class Editing {
  readonly groups: Members;
  readonly origins = new Origins();
  readonly refusals: FlowProblem[] = [];
  readonly notes: FlowNote[] = [];
  #spec: PromotionFlowSpec;
  #index: FlowIndex | null = null;
  #at = 0;

  constructor(spec: PromotionFlowSpec, groups: Members) {
    this.#spec = spec;
    this.groups = groups;
  }

  get spec(): PromotionFlowSpec {
    return this.#spec;
  }

  /** The flow is this one from here on. */
  become(spec: PromotionFlowSpec): void {
    this.#spec = spec;
    this.#index = null;
  }

  get index(): FlowIndex {
    return (this.#index ??= indexFlow(this.#spec, this.groups));
  }

  /** The edit with this place in the list is under way. */
  begin(at: number): void {
    this.#at = at;
  }

  /** A place in the edit that is under way. */
  place(...path: Path): Path {
    return ['edits', this.#at, ...path];
  }

  refuse(code: RefusalCode, message: string, path: Path, flowPath: Path = []): void {
    this.refusals.push({ code, message, path: this.place(...path), flowPath });
  }

  note(message: string, path: Path, flowPath: Path = []): void {
    this.notes.push({ message, path: this.place(...path), flowPath });
  }

  /** The node that has this name, itself or by a member of its group; refused when it is not in the flow. */
  node(name: string, path: Path, otherwise: RefusalCode = 'UNKNOWN_REFERENCE'): number | undefined {
    const { nodeOf } = this.index;
    const node = nodeOf.get(name);
    if (node === undefined)
      this.refuse(otherwise, `${quote(name)} is not in the flow, which has ${quoteList([...nodeOf.keys()])}`, path);
    return node;
  }

  /** The node that is called so itself. */
  named(name: string, path: Path): number | undefined {
    const node = this.node(name, path, 'NOT_FOUND');
    if (node === undefined) return undefined;
    const own = this.index.names[node]!;
    if (own === name) return node;
    const message = `${quote(name)} is in the flow by group ${quote(own)}: change the group, or edit its step`;
    this.refuse('INVALID', message, path, ['spec', 'steps', node - 1]);
    return undefined;
  }

  /** The place in `steps` of the step that is called so; the trigger environment is none. */
  step(name: string, path: Path, instead: string): number | undefined {
    const node = this.named(name, path);
    if (node !== 0) return node === undefined ? undefined : node - 1;
    const message = `${quote(name)} is the trigger environment, which is no step: ${instead}`;
    this.refuse('INVALID', message, path, ['spec', 'triggerEnvironment']);
    return undefined;
  }
}

/** A step that depends on these. Where several dependencies became fewer, "at least 3" of what is left would never be true. */
export function depending(step: FlowStepSpec, dependsOn: readonly string[]): FlowStepSpec {
  const distinct = [...new Set(dependsOn)];
  const rule = step.dependsOnPolicy;
  const fewer = distinct.length < step.dependsOn.length && rule?.count !== undefined && rule.count > distinct.length;
  if (!fewer || distinct.length === 0) return { ...step, dependsOn: distinct };
  return { ...step, dependsOn: distinct, dependsOnPolicy: { ...rule, count: distinct.length } };
}
