import { createContext, useContext } from 'react';
import { createStore, type StoreApi, useStore } from 'zustand';
import type { Catalogue } from './catalogue.ts';
import type { Connecting } from './chart/drawn.ts';
import {
  type Base,
  type FlowDocument,
  type FlowEdit,
  type FlowStepSpec,
  type Path,
  type PromotionFlowSpec,
  type Selection,
  type Session,
  makeEdits,
  openDocument,
  redo,
  select,
  typeText,
  undo,
} from './document/index.ts';

/** What is asked over the draft, which stays as it is behind it. */
export type Dialog =
  | { is: 'trigger-environment' }
  /** Environments, groups or workflows that come after or before a node. */
  | { is: 'add'; node: string; place: 'after' | 'before' }
  | { is: 'depends-on'; node: string }
  | { is: 'remove'; node: string }
  | { is: 'rename'; node: string }
  | { is: 'save' }
  | { is: 'discard' }
  | { is: 'revisions' }
  | { is: 'export' }
  | { is: 'try' }
  /** The actions of a workflow that the flow names. */
  | { is: 'workflow'; name: string }
  /** Members, gate and limits of a group. */
  | { is: 'group'; name: string }
  | { is: 'keys' };

/** What several views draw while something is going on. */
export interface Preview {
  connecting?: Connecting;
  /** Nodes that would go. */
  removed?: readonly string[];
  /** Edges that would come. */
  reconnected?: readonly { from: string; to: string }[];
}

/** The text that a definition was written as, or else the manifest that the server prints. */
export const savedText = ({ text, manifest }: { text?: string | null; manifest: string }): string => text ?? manifest;

/** What is saved now, as far as this page has heard. */
export interface Newest {
  /** null: it was never saved. */
  revision: number | null;
  /** null: it was deleted. */
  text: string | null;
  by: string | null;
  at: string | null;
  /** A save was refused because of it. */
  isInTheWay?: boolean;
}

export interface BuilderState {
  session: Session;
  newest: Newest;
  /** A save is on its way: what is heard of meanwhile is most likely that. */
  isSaving: boolean;
  /** When the draft was kept in this browser, in milliseconds since the epoch; null: nothing had to be, or it cannot be. */
  keptAt: number | null;
  /** This browser has not kept the last changes, or not yet: they end with the tab. */
  isUnkept: boolean;
  catalogue: Catalogue;
  /** Not to be edited here: why. */
  readOnly: string | null;
  dialog: Dialog | null;
  preview: Preview;
  /** What was done last, for the live region; `count` makes the same words news again. */
  said: { text: string; count: number };
  /** Why the last edit was not made. */
  refusals: readonly string[];
  /** Counts the jumps to a field: each gives it the focus, also the one that is selected already. */
  jumps: number;
  /** Whose policies the connectors show; null: only what the flow itself says. */
  product: string | null;
  /** What differs from the saved flow is drawn, too. */
  isDiffShown: boolean;
  /** Groups that show all of their members on the chart. */
  opened: ReadonlySet<string>;
  /** Counts the wishes to lay the chart out afresh. */
  tidied: number;
  /** @returns whether they were made */
  edit: (...edits: FlowEdit[]) => boolean;
  type: (text: string) => void;
  undo: () => void;
  redo: () => void;
  select: (node: string | null, field?: Path) => void;
  /** Selects a field and gives it the focus. */
  jump: (selection: Selection) => void;
  say: (text: string) => void;
  ask: (dialog: Dialog | null) => void;
  show: (preview: Preview) => void;
  learn: (catalogue: Catalogue) => void;
  put: (session: Session, said?: string) => void;
  toggleDiff: () => void;
  /** Shows all members of a large group, or fewer again. */
  toggleMembers: (group: string) => void;
  tidy: () => void;
}

export type Builder = StoreApi<BuilderState>;

/** Always the same: what shows refusals is drawn again for new ones alone. */
const NONE: readonly string[] = [];

export function createBuilder(
  begin: Pick<BuilderState, 'session' | 'newest' | 'catalogue' | 'readOnly' | 'opened'>,
): Builder {
  return createStore<BuilderState>()((set, get) => {
    const say = (text: string): void => set(({ said }) => ({ said: { text, count: said.count + 1 } }));
    return {
      ...begin,
      isSaving: false,
      keptAt: null,
      isUnkept: false,
      dialog: null,
      preview: {},
      said: { text: '', count: 0 },
      refusals: NONE,
      jumps: 0,
      product: null,
      isDiffShown: false,
      tidied: 0,
      edit(...edits) {
        const { session, catalogue: known, readOnly: why } = get();
        if (why !== null) {
          set({ refusals: [why] });
          say(why);
          return false;
        }
        const made = makeEdits(session, edits, known);
        const refusals = made.refusals.length === 0 ? NONE : made.refusals.map(({ message }) => message);
        set({ session: made.session, refusals });
        say([made.said, ...made.notes].join('. '));
        return refusals.length === 0;
      },
      type(text) {
        if (get().readOnly === null)
          set(({ session }) => ({ session: typeText(session, text, Date.now()), refusals: NONE }));
      },
      undo() {
        const { session, said } = undo(get().session);
        set({ session, refusals: NONE });
        say(said);
      },
      redo() {
        const { session, said } = redo(get().session);
        set({ session, refusals: NONE });
        say(said);
      },
      select: (node, field = []) => set(({ session }) => ({ session: select(session, { node, field }) })),
      jump: (selection) => set(({ session, jumps }) => ({ session: select(session, selection), jumps: jumps + 1 })),
      say,
      ask: (dialog) => set({ dialog, refusals: NONE, preview: {} }),
      show: (preview) => set({ preview }),
      learn: (known) => set({ catalogue: known }),
      put(session, said) {
        set({ session, refusals: NONE });
        if (said !== undefined) say(said);
      },
      toggleDiff() {
        set(({ isDiffShown }) => ({ isDiffShown: !isDiffShown }));
        say(get().isDiffShown ? 'differences from the saved flow are shown' : 'differences are hidden');
      },
      toggleMembers(group) {
        const { opened, catalogue } = get();
        const many = catalogue.groups.get(group)?.length ?? 0;
        const next = new Set(opened);
        const isOpen = !next.delete(group);
        if (isOpen) next.add(group);
        set({ opened: next });
        say(isOpen ? `all ${many} members of ${group} are shown` : `${group} is closed`);
      },
      tidy() {
        set(({ tidied }) => ({ tidied: tidied + 1 }));
        say('the chart is laid out afresh');
      },
    };
  });
}

/** What the flow is called where it is saved; undefined: it never was. */
export const savedName = ({ revision, text }: Base): string | undefined =>
  revision === null ? undefined : openDocument(text).flow?.name;

export const BuilderContext = createContext<Builder | undefined>(undefined);

export const useBuilderStore = (): Builder => useContext(BuilderContext)!;

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
