import { useContext } from 'react';
import { createStore, type StoreApi, useStore } from 'zustand';
import type { WorkflowDocument } from '../document/index.ts';
import { type Begin, DraftContext, type DraftDialog, type DraftState, draftState } from '../draft.ts';
import { editWorkflow } from './document.ts';
import type { Place, WorkflowEdit } from './edits.ts';

/** What is asked over the workflow. */
export type WorkflowDialog =
  | DraftDialog
  | { is: 'add'; place: Place; of: string | null }
  | { is: 'depends-on'; action: string }
  | { is: 'remove'; action: string };

export type WorkflowState = DraftState<WorkflowDocument, WorkflowEdit, WorkflowDialog>;
export type WorkflowStore = StoreApi<WorkflowState>;

export const createWorkflowStore = (begin: Begin<WorkflowDocument>): WorkflowStore =>
  createStore<WorkflowState>()((set, get) => ({
    ...draftState<WorkflowDocument, WorkflowEdit, WorkflowDialog>(begin, get, set, editWorkflow),
    rename: (to) => get().edit({ type: 'renameWorkflow', to }),
  }));

export const useWorkflowStore = (): WorkflowStore => useContext(DraftContext) as WorkflowStore;
export const useWorkflow = <T>(of: (state: WorkflowState) => T): T => useStore(useWorkflowStore(), of);
