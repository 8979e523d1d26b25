import { createContext, useContext } from 'react';
import { createStore, type StoreApi, useStore } from 'zustand';
import type { Connecting } from '../chart/drawn.ts';
import type { Base, Path } from '../document/index.ts';
import {
  editWorkflow,
  redoWorkflow,
  typeWorkflow,
  undoWorkflow,
  type WorkflowDone,
  type WorkflowDraft,
} from './document.ts';
import type { Place, WorkflowEdit } from './edits.ts';

/** What is asked over the workflow. */
export type WorkflowDialog =
  | { is: 'add'; place: Place; of: string | null }
  | { is: 'depends-on'; action: string }
  | { is: 'remove'; action: string }
  | { is: 'save' }
  | { is: 'keys' };

/** What is saved now; `revision` null: it was never saved, or is deleted. */
export interface NewestWorkflow extends Base {
  by: string | null;
  /** A save was refused for it. */
  isInTheWay?: boolean;
}

export interface WorkflowState {
  draft: WorkflowDraft;
  newest: NewestWorkflow;
  /** Not to be edited here: why. */
  readOnly: string | null;
  dialog: WorkflowDialog | null;
  connecting: Connecting | undefined;
  /** What a removal would do, drawn before it is done. */
  preview: { removed: readonly string[]; reconnected: readonly { from: string; to: string }[] };
  said: { text: string; count: number };
  refusals: readonly string[];
  jumps: number;
  isYamlShown: boolean;
  /** This browser has not kept the last changes, or not yet: they end with the tab. */
  isUnkept: boolean;
  /** @returns whether it was made */
  edit: (edit: WorkflowEdit) => boolean;
  type: (text: string) => void;
  undo: () => void;
  redo: () => void;
  select: (action: string | null, field?: Path) => void;
  /** Selects a field and gives it the focus. */
  jump: (action: string | null, field: Path) => void;
  say: (text: string) => void;
  ask: (dialog: WorkflowDialog | null) => void;
}

export type WorkflowStore = StoreApi<WorkflowState>;

export const NO_PREVIEW: WorkflowState['preview'] = { removed: [], reconnected: [] };

export function createWorkflowStore(begin: Pick<WorkflowState, 'draft' | 'newest' | 'readOnly'>): WorkflowStore {
  return createStore<WorkflowState>()((set, get) => {
    const say = (text: string): void => set(({ said }) => ({ said: { text, count: said.count + 1 } }));
    const take = ({ draft, said, refusal }: WorkflowDone): boolean => {
      set({ draft, refusals: refusal === undefined ? [] : [refusal] });
      say(said);
      return refusal === undefined;
    };
    return {
      ...begin,
      dialog: null,
      connecting: undefined,
      preview: NO_PREVIEW,
      said: { text: '', count: 0 },
      refusals: [],
      jumps: 0,
      isYamlShown: false,
      isUnkept: false,
      edit(edit) {
        const { readOnly, draft } = get();
        return take(readOnly === null ? editWorkflow(draft, edit) : { draft, said: readOnly, refusal: readOnly });
      },
      type(text) {
        if (get().readOnly === null) set({ draft: typeWorkflow(get().draft, text, Date.now()), refusals: [] });
      },
      undo: () => void take(undoWorkflow(get().draft)),
      redo: () => void take(redoWorkflow(get().draft)),
      select: (action, field = []) => set(({ draft }) => ({ draft: { ...draft, selection: { action, field } } })),
      jump: (action, field) =>
        set(({ draft, jumps }) => ({ draft: { ...draft, selection: { action, field } }, jumps: jumps + 1 })),
      say,
      ask: (dialog) => set({ dialog, refusals: [], preview: NO_PREVIEW }),
    };
  });
}

export const WorkflowContext = createContext<WorkflowStore | undefined>(undefined);
export const useWorkflowStore = (): WorkflowStore => useContext(WorkflowContext)!;
export const useWorkflow = <T>(of: (state: WorkflowState) => T): T => useStore(useWorkflowStore(), of);
