/** A flow or a workflow under way: its text, which is the truth, how it is changed and how to get back. Without React and without a browser. */
export {
  actionChangesBetween,
  type Changed,
  type Changes,
  changesBetween,
  type FlowChanges,
  type NodeChange,
  type WorkflowChanges,
} from './changes.ts';
export { Draft, draftsOf, type DraftStore, type DraftWorld, type Tabs } from './drafts.ts';
export { editDocument, foresee } from './edit.ts';
export { diffOf, mergeInto, resolveConflict, sidesOf, type Side } from './merge.ts';
export { rangeOf, selectionAt } from './places.ts';
export { connectTargets, previewRemoval } from './preview.ts';
export { problemsOf, type ServerAnswer } from './problems.ts';
export { calledOf, calledThe } from './kinds.ts';
export { nameIn, newFlowText, newText, openDocument, openText, openWorkflow } from './read.ts';
export { sourceOf } from './reading.ts';
export {
  beginSession,
  countChanges,
  goOnFrom,
  isDirty,
  makeEdits,
  redo,
  select,
  startSession,
  typeText,
  undo,
  withEdited,
  type Done,
  type Made,
} from './session.ts';
export type * from './types.ts';
export { hasNode, leaveTyping, type LeftTyping, typingOfTheGone } from './typing.ts';
