import { refusedAt, refusedText, write } from '../document/edit.ts';
import { readingOf } from '../document/reading.ts';
import { type Made, withEdited } from '../document/session.ts';
import type { Edited, Refused, Selection, Session, WorkflowDocument } from '../document/types.ts';
import { editActions, type WorkflowEdit } from './edits.ts';

/** Makes edits in the text as one change that can be undone, all or none. When they are refused, the session is the same one. */
export const editWorkflow = (
  session: Session<WorkflowDocument>,
  edits: readonly WorkflowEdit[],
): Made<WorkflowDocument> => withEdited(session, edited(session.document, edits));

function edited(document: WorkflowDocument, edits: readonly WorkflowEdit[]): Edited<WorkflowDocument> | Refused {
  const reading = readingOf(document);
  if (!document.isCurrent || !reading) return refusedText(document);
  let { definition } = reading;
  const sentences: string[] = [];
  let selection: Selection = { node: null, field: [] };
  for (const edit of edits) {
    if (edit.type === 'renameWorkflow') {
      definition = { ...definition, metadata: { ...definition.metadata, name: edit.to } };
      sentences.push(`the workflow is called ${edit.to}`);
      continue;
    }
    const made = editActions(definition.spec, edit);
    if ('refusal' in made)
      return refusedAt('action' in edit && typeof edit.action === 'string' ? edit.action : null, made.refusal);
    definition = { ...definition, spec: made.spec };
    sentences.push(made.said);
    const field = edit.type === 'changeAction' ? Object.keys(edit.settings).slice(0, 1) : [];
    selection = { node: made.selected, field };
  }
  const written = write(document, definition);
  if ('refusals' in written) return written;
  return { document: written, said: sentences.join('; '), notes: [], selection };
}
