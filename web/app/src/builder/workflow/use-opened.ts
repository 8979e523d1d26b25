import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { wordsOf } from '../../api/client.ts';
import { ViewerDocument, WorkflowToEditDocument, type WorkflowToEditQuery } from '../../generated/documents.ts';
import { savedText } from '../state.ts';
import { newWorkflowText } from './document.ts';
import { type OpenWorkflow, openKeptWorkflow } from './keep.ts';

/** A workflow that is opened to be edited: `null` is a new one. @returns undefined while it is read */
export function useOpened(
  name: string | null,
  begin = 'new-workflow',
): { opened?: OpenWorkflow; problem?: string; isMissing?: boolean } {
  const [{ data: viewer }] = useQuery({ query: ViewerDocument });
  const [{ data, error, stale }] = useQuery({
    query: WorkflowToEditDocument,
    variables: { name: name ?? '' },
    requestPolicy: 'network-only',
    pause: name === null,
  });
  const [opened, setOpened] = useState<OpenWorkflow>();
  // It is opened once: what is saved meanwhile, by others or here, does not replace what one edits.
  const [read, setRead] = useState<WorkflowToEditQuery>();
  if (data && !stale && !read) setRead(data);
  const person = viewer?.viewer.name ?? viewer?.viewer.kind;
  const may = viewer?.viewer.permissions.includes('EDIT_DEFINITIONS');
  const isRead = person !== undefined && may !== undefined && (name === null || read !== undefined);
  const found = read?.promotionWorkflow;
  useEffect(() => {
    if (!isRead || person === undefined || (name !== null && !found)) return undefined;
    const source = found?.syncedFrom?.source;
    const readOnly = !may
      ? 'You are not allowed to EDIT_DEFINITIONS.'
      : source === undefined
        ? null
        : `It comes from the git source ${source}: it is changed there.`;
    const saved = found
      ? { revision: found.revision, text: savedText(found), by: found.revisions.nodes[0]?.by ?? null }
      : { revision: null, text: newWorkflowText(begin), by: null };
    let isGone = false;
    let made: OpenWorkflow | undefined;
    void openKeptWorkflow({ workflow: name ?? `new ${begin}`, person, saved, readOnly }).then((each) => {
      made = each;
      if (isGone) each.close();
      else setOpened(each);
    });
    return () => {
      isGone = true;
      made?.close();
    };
  }, [isRead, name]);
  if (error && !read) return { problem: wordsOf(error) };
  if (name !== null && isRead && !found) return { isMissing: true };
  return opened ? { opened } : {};
}
