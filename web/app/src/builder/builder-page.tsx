import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { useQuery } from 'urql';
import { useTitle } from '../frame/title.ts';
import { FlowToEditDocument, type FlowToEditQuery } from '../generated/documents.ts';
import { Empty, Loading } from '../parts/empty.tsx';
import { Problem, QueryProblem } from '../parts/problem.tsx';
import { FlowBuilder } from './builder.tsx';
import { useCatalogue } from './catalogue.ts';
import { editDocument, type FlowDocument, type Known, newFlowText, openDocument } from './document/index.ts';
import { DraftContext, type Newest, savedText } from './draft.ts';
import type { Source } from './heading.tsx';
import { keepOpened, openDraft, openedGroups } from './keep.ts';
import { type Builder, createBuilder } from './state.ts';
import { useDeleted, useOpenDraft } from './use-draft.ts';

/** A flow that is there. */
export function EditFlowPage() {
  const { name } = useParams({ from: '/flows/$name' });
  useTitle(name);
  return <EditFlow key={name} name={name} />;
}

function EditFlow({ name }: { name: string }) {
  const [{ data, error, stale }] = useQuery({
    query: FlowToEditDocument,
    variables: { name },
    requestPolicy: 'network-only',
  });
  // What is saved meanwhile, by others or here, does not replace what one edits: it is told.
  const [opened, setOpened] = useState<FlowToEditQuery>();
  if (data && !stale && !opened) setOpened(data);
  if (error && !opened) return <QueryProblem error={error} />;
  if (!opened) return <Loading what="the flow" />;
  const { promotionFlow: flow } = opened;
  if (!flow) return <NoFlow name={name} />;
  const { syncedFrom, viewerCan, revisions, revision, updatedAt } = flow;
  const refused = viewerCan.edit.allowed ? null : (viewerCan.edit.reason ?? 'You may not change it.');
  const newest = { revision, text: savedText(flow), by: revisions.nodes[0]?.by ?? null, at: updatedAt };
  return <Draft flow={name} newest={newest} readOnly={refused} source={syncedFrom ?? null} />;
}

/** It was deleted, or never was there; a draft of it is there all the same. */
function NoFlow({ name }: { name: string }) {
  const newest = useDeleted('PromotionFlow', name);
  if (newest === undefined) return <Loading what="the flow" />;
  if (newest !== null) return <Draft flow={name} newest={newest} readOnly={null} source={null} />;
  return (
    <Empty title={`There is no flow ${name}.`}>
      <Link to="/flows">Show all flows</Link>
    </Empty>
  );
}

/** A flow that is begun: empty, or as another one is. */
export function NewFlowPage() {
  useTitle('New flow');
  const { from } = useSearch({ from: '/flows/new' });
  const [{ data, error }] = useQuery({
    query: FlowToEditDocument,
    variables: { name: from ?? '' },
    pause: from === undefined,
  });
  if (error) return <QueryProblem error={error} />;
  if (from !== undefined && !data) return <Loading what={`the flow ${from}`} />;
  const copied = data?.promotionFlow;
  const text = copied ? copyOf(copied, `${from}-copy`) : newFlowText('new-flow');
  const newest = { revision: null, text, by: null, at: null };
  const draftName = from === undefined ? 'new flow' : `new flow like ${from}`;
  return <Draft key={draftName} flow={draftName} newest={newest} readOnly={null} source={null} />;
}

/** The text of a flow as it was written, with another name; as the server prints it where the name cannot be written by itself. */
function copyOf(flow: Parameters<typeof savedText>[0], name: string): string {
  const renamed = (text: string): string | undefined =>
    editDocument(openDocument(text), [{ type: 'renameFlow', to: name }], NOTHING).document?.text;
  return renamed(savedText(flow)) ?? renamed(flow.manifest) ?? newFlowText(name);
}

const NOTHING: Known = { environments: new Set(), groups: new Map(), workflows: new Set() };

interface DraftProps {
  /** What the draft is kept under. */
  flow: string;
  newest: Newest;
  /** Why the viewer may not change it. */
  readOnly: string | null;
  source: Source | null;
}

function Draft({ flow, newest, readOnly, source }: DraftProps) {
  const navigate = useNavigate();
  const { catalogue, problem, readAgain } = useCatalogue();
  const reason = readOnly ?? (source && `It comes from the git source ${source.source}, file ${source.file}.`);
  const isProposed = readOnly === null && source !== null;
  const draft = useOpenDraft(
    flow,
    catalogue &&
      ((person) =>
        openDraft<FlowDocument, Builder>(
          { kind: 'PromotionFlow', name: flow, person, newest, readOnly: reason, isProposed },
          (begin) => keepOpened(createBuilder({ ...begin, catalogue, opened: openedGroups() })),
        )),
  );
  const learn = useCallback(async () => {
    const now = await readAgain();
    if (now) draft?.store.getState().learn(now);
  }, [draft, readAgain]);
  if (problem !== undefined && !catalogue) return <Problem>{problem}</Problem>;
  if (!draft) return <Loading what="the flow" />;
  return (
    <DraftContext value={draft.store}>
      <FlowBuilder
        origin={{ source, mayPropose: isProposed }}
        readAgain={learn}
        onDiscard={() => draft.discard()}
        onSaved={(saved) => draft.saved(saved)}
        onShown={(name) => {
          if (newest.revision === null) void navigate({ to: '/flows/$name', params: { name } });
        }}
      />
    </DraftContext>
  );
}
