import { useState } from 'react';
import { useQuery } from 'urql';
import { wordsOf } from '../../api/client.ts';
import { useMay } from '../../frame/viewer.ts';
import { WorkflowToEditDocument, type WorkflowToEditQuery } from '../../generated/documents.ts';
import { newText, type WorkflowDocument } from '../document/index.ts';
import { type Newest, savedText } from '../draft.ts';
import type { Origin } from '../heading.tsx';
import { openDraft, type OpenDraft } from '../keep.ts';
import { useDeleted, useOpenDraft } from '../use-draft.ts';
import { createWorkflowStore, type WorkflowStore } from './state.ts';

interface Opened {
  draft?: OpenDraft<WorkflowStore>;
  origin: Origin;
  problem?: string;
  isMissing?: boolean;
}

/** A workflow that is opened to be edited: `null` is a new one. @returns without a draft while it is read */
export function useWorkflowDraft(name: string | null, begin = 'new-workflow'): Opened {
  const may = useMay()('EDIT_DEFINITIONS');
  const [{ data, error, stale }] = useQuery({
    query: WorkflowToEditDocument,
    variables: { name: name ?? '' },
    requestPolicy: 'network-only',
    pause: name === null,
  });
  const [read, setRead] = useState<WorkflowToEditQuery>();
  if (data && !stale && !read) setRead(data);
  const found = read?.promotionWorkflow;
  const isMissing = read !== undefined && !found;
  const deleted = useDeleted('PromotionWorkflow', isMissing ? name : null);
  const source = found?.syncedFrom ?? null;
  const isProposed = may && source !== null;
  const readOnly = !may
    ? 'You are not allowed to EDIT_DEFINITIONS.'
    : source && `It comes from the git source ${source.source}, file ${source.file}.`;
  const newest: Newest | null | undefined =
    name === null
      ? { revision: null, text: newText('PromotionWorkflow', begin), by: null, at: null }
      : found
        ? {
            revision: found.revision,
            text: savedText(found),
            by: found.revisions.nodes[0]?.by ?? null,
            at: found.updatedAt,
          }
        : deleted;
  const kept = name ?? `new ${begin}`;
  const draft = useOpenDraft(
    kept,
    newest
      ? (person) =>
          openDraft<WorkflowDocument, WorkflowStore>(
            { kind: 'PromotionWorkflow', name: kept, person, newest, readOnly, isProposed },
            createWorkflowStore,
          )
      : undefined,
  );
  return {
    draft,
    origin: { source, mayPropose: isProposed },
    problem: error && !read ? wordsOf(error) : undefined,
    isMissing: isMissing && deleted === null,
  };
}
