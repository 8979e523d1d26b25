import { useContext } from 'react';
import { createStore, type StoreApi, useStore } from 'zustand';
import type { Catalogue } from './catalogue.ts';
import {
  type FlowDocument,
  type FlowEdit,
  type FlowStepSpec,
  makeEdits,
  type PromotionFlowSpec,
} from './document/index.ts';
import { type Begin, DraftContext, type DraftDialog, type DraftState, draftState } from './draft.ts';

/** What is asked over the draft, which stays as it is behind it. */
export type Dialog =
  | DraftDialog
  | { is: 'trigger-environment' }
  /** Environments, groups or workflows that come after or before a node. */
  | { is: 'add'; node: string; place: 'after' | 'before' }
  | { is: 'depends-on'; node: string }
  | { is: 'remove'; node: string }
  | { is: 'rename'; node: string }
  | { is: 'try' }
  /** The actions of a workflow that the flow names. */
  | { is: 'workflow'; name: string }
  /** Members, gate and limits of a group. */
  | { is: 'group'; name: string };

export interface BuilderState extends DraftState<FlowDocument, FlowEdit, Dialog> {
  catalogue: Catalogue;
  /** Whose policies the connectors show; null: only what the flow itself says. */
  product: string | null;
  /** Groups that show all of their members on the chart. */
  opened: ReadonlySet<string>;
  /** Counts the wishes to lay the chart out afresh. */
  tidied: number;
  learn: (catalogue: Catalogue) => void;
  /** Shows all members of a large group, or fewer again. */
  toggleMembers: (group: string) => void;
  tidy: () => void;
}

export type Builder = StoreApi<BuilderState>;

export function createBuilder({
  catalogue,
  opened: remembered,
  ...begin
}: Begin<FlowDocument> & Pick<BuilderState, 'catalogue' | 'opened'>): Builder {
  return createStore<BuilderState>()((set, get) => ({
    ...draftState<FlowDocument, FlowEdit, Dialog>(begin, get, set, (session, edits) =>
      makeEdits(session, edits, get().catalogue),
    ),
    catalogue,
    product: null,
    opened: remembered,
    tidied: 0,
    rename: (to) => get().edit({ type: 'renameFlow', to }),
    learn: (known) => set({ catalogue: known }),
    toggleMembers(group) {
      const { opened, catalogue: now, say } = get();
      const many = now.groups.get(group)?.length ?? 0;
      const next = new Set(opened);
      const isOpen = !next.delete(group);
      if (isOpen) next.add(group);
      set({ opened: next });
      say(isOpen ? `all ${many} members of ${group} are shown` : `${group} is closed`);
    },
    tidy() {
      set(({ tidied }) => ({ tidied: tidied + 1 }));
      get().say('the chart is laid out afresh');
    },
  }));
}

export const useBuilderStore = (): Builder => useContext(DraftContext) as Builder;

/** What a view needs of the draft: it is drawn again only when that changes. */
export const useBuilder = <T>(of: (state: BuilderState) => T): T => useStore(useBuilderStore(), of);

export const useDocument = (): FlowDocument => useBuilder(({ session }) => session.document);

/** The settings of a node, or of the flow: where `changeStep` and `changeFlow` write. */
export function settingsOf({ flow }: FlowDocument, node: string | null): Record<string, unknown> {
  if (flow === null) return {};
  if (node === null || node === flow.spec.triggerEnvironment) return flow.spec;
  return stepOf({ flow }, node) ?? {};
}

type Steps = ReadonlyMap<string, FlowStepSpec>;
const indexes = new WeakMap<PromotionFlowSpec, Steps>();
let lastIndex: Steps = new Map();

/** A step by its name, quickly: each card of a large chart asks. One that says the same as before the last edit is the same object. */
export function stepOf({ flow }: Pick<FlowDocument, 'flow'>, name: string): FlowStepSpec | undefined {
  if (flow === null) return undefined;
  let index = indexes.get(flow.spec);
  if (!index) {
    index = new Map(flow.spec.steps.map((step) => [nameOf(step), kept(step)]));
    indexes.set(flow.spec, index);
    lastIndex = index;
  }
  return index.get(name);
}

function kept(step: FlowStepSpec): FlowStepSpec {
  const before = lastIndex.get(nameOf(step));
  return before && JSON.stringify(before) === JSON.stringify(step) ? before : step;
}

/** As `dependsOn` calls a step. */
export const nameOf = (step: { environment?: string; group?: string; name?: string; workflow?: string }): string =>
  step.environment ?? step.group ?? step.name ?? step.workflow ?? '';
