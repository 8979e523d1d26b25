import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { useTitle } from '../frame/title.ts';
import { FlowToEditDocument, ViewerDocument } from '../generated/documents.ts';
import { Empty, Loading } from '../parts/empty.tsx';
import { Problem, QueryProblem } from '../parts/problem.tsx';
import { FlowBuilder } from './builder.tsx';
import { useCatalogue } from './catalogue.ts';
import { newFlowText } from './document/index.ts';
import { openDraft, type OpenDraft, rememberAsTyped } from './keep.ts';
import { BuilderContext, type Newest } from './state.ts';

/** A flow that is there. */
export function EditFlowPage() {
  const { name } = useParams({ from: '/flows/$name' });
  useTitle(name);
  // What others save meanwhile does not replace what one edits: it is told.
  const [{ data, error, stale }] = useQuery({
    query: FlowToEditDocument,
    variables: { name },
    requestPolicy: 'network-only',
  });
  if (error) return <QueryProblem error={error} />;
  if (!data || stale) return <Loading what="the flow" />;
  const { promotionFlow: flow } = data;
  if (!flow) {
    return (
      <Empty title={`There is no flow ${name}.`}>
        <Link to="/flows">Show all flows</Link>
      </Empty>
    );
  }
  const { syncedFrom, viewerCan, revisions, revision, manifest, updatedAt } = flow;
  const refused = viewerCan.edit.allowed || syncedFrom ? null : (viewerCan.edit.reason ?? 'You may not change it.');
  const newest = { revision, text: manifest, by: revisions.nodes[0]?.by ?? null, at: updatedAt };
  return <Draft key={name} flow={name} newest={newest} readOnly={refused} source={syncedFrom?.source ?? null} />;
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
  const manifest = data?.promotionFlow?.manifest;
  const text = manifest === undefined ? newFlowText('new-flow') : renamed(manifest, `${from}-copy`);
  const newest = { revision: null, text, by: null, at: null };
  const draftName = from === undefined ? 'new flow' : `new flow like ${from}`;
  return <Draft key={draftName} flow={draftName} newest={newest} readOnly={null} source={null} />;
}

/** The manifest of the server has its name on a line of its own. */
const renamed = (manifest: string, name: string): string =>
  manifest.replace(/^(metadata:\n {2}name: ).*$/m, `$1${name}`);

interface DraftProps {
  /** What the draft is kept under. */
  flow: string;
  newest: Newest;
  readOnly: string | null;
  source: string | null;
}

function Draft({ flow, newest, readOnly, source }: DraftProps) {
  const navigate = useNavigate();
  const { catalogue, problem, readAgain } = useCatalogue();
  const [{ data: viewer }] = useQuery({ query: ViewerDocument });
  const [draft, setDraft] = useState<OpenDraft>();
  const person = viewer?.viewer.name ?? viewer?.viewer.kind;
  const isReady = catalogue !== undefined && person !== undefined;
  useEffect(() => {
    if (!isReady) return undefined;
    let opened: OpenDraft | undefined;
    let isGone = false;
    void openDraft({ flow, person, newest, catalogue, readOnly }).then((made) => {
      opened = made;
      if (isGone) made.close();
      else setDraft(made);
    });
    return () => {
      isGone = true;
      opened?.close();
    };
    // A draft is opened once: what changes of the flow or of the catalogue afterwards is told to it.
  }, [isReady, flow]);
  if (problem !== undefined && !catalogue) return <Problem>{problem}</Problem>;
  if (!draft) return <Loading what="the flow" />;
  const { builder } = draft;
  return (
    <BuilderContext value={builder}>
      <FlowBuilder
        source={source}
        readAgain={async () => {
          const now = await readAgain();
          if (now) builder.getState().learn(now);
        }}
        onDiscard={() => draft.discard()}
        onSaved={async (name, revision) => {
          await draft.saved(revision);
          if (newest.revision === null) await rememberAsTyped(person!, name, builder.getState().newest);
        }}
        onShown={(name) => {
          if (newest.revision === null) void navigate({ to: '/flows/$name', params: { name } });
        }}
      />
    </BuilderContext>
  );
}
