import { ReactFlowProvider, type ReactFlowInstance } from '@xyflow/react';
import { FileCode, Keyboard, Redo2, Save as SaveIcon, Undo2 } from 'lucide-react';
import { lazy, type ReactNode, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { Button, Form, ListBox, ListBoxItem, Toolbar } from 'react-aria-components';
import { useClient } from 'urql';
import { wordsOf } from '../../api/client.ts';
import { follow } from '../../api/live.ts';
import {
  ApplyManifestsDocument,
  CheckManifestsDocument,
  type CheckManifestsQuery,
  SavesDocument,
  WorkflowToEditDocument,
} from '../../generated/documents.ts';
import { Loading } from '../../parts/empty.tsx';
import { Over } from '../../parts/over.tsx';
import { Diff } from '../diff.tsx';
import { NOT_KEPT } from '../document/leaving.ts';
import { focusField } from '../forms/form.tsx';
import { Keys } from '../dialogs/keys.tsx';
import { onWorkflowKey, WORKFLOW_COMMANDS } from './commands.ts';
import { ActionDependsOn, AddAction, RemoveAction } from './dialogs.tsx';
import { foundByServer, isChanged, openWorkflow, takeSaved, type WorkflowProblem } from './document.ts';
import { ActionGraph, type ActionNode, ProblemsOfWorkflow, TYPE_ICONS, useActionChart } from './graph.tsx';
import { ActionInspector } from './inspector.tsx';
import type { OpenWorkflow } from './keep.ts';
import { savedText } from '../state.ts';
import { useWorkflow, useWorkflowStore, WorkflowContext } from './state.ts';
import '../builder.css';

const WorkflowYaml = lazy(() => import('./workflow-yaml.tsx'));
const PAUSE_MS = 400;

interface EditorProps {
  opened: OpenWorkflow;
  onSaved: (name: string) => void;
  /** Where the page has nothing else above the editor. */
  title?: ReactNode;
  /** Besides the buttons of the editor. */
  children?: ReactNode;
}

/** Graph, outline, settings and text of one workflow; each shows what is selected in the others, and each can change all of it. */
export function WorkflowEditor({ opened, onSaved, title, children }: EditorProps) {
  return (
    <WorkflowContext value={opened.store}>
      <ReactFlowProvider>
        <Workbench opened={opened} onSaved={onSaved} title={title}>
          {children}
        </Workbench>
      </ReactFlowProvider>
    </WorkflowContext>
  );
}

type Checked = CheckManifestsQuery['manifestsCheck'];

/** What the server says of the text, once typing pauses; undefined while it has not said. */
function useServerCheck(): Checked | undefined {
  const client = useClient();
  const { text, isCurrent } = useWorkflow(({ draft }) => draft.document);
  const [answer, setAnswer] = useState<{ text: string; checked: Checked }>();
  useEffect(() => {
    if (!isCurrent) return undefined;
    const timer = setTimeout(() => {
      void client
        .query(CheckManifestsDocument, { input: { text } }, { requestPolicy: 'network-only' })
        .toPromise()
        .then(({ data }) => data && setAnswer({ text, checked: data.manifestsCheck }));
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [client, text, isCurrent]);
  return answer?.text === text ? answer.checked : undefined;
}

function useAllProblems(checked: Checked | undefined): readonly WorkflowProblem[] {
  const document = useWorkflow(({ draft }) => draft.document);
  return useMemo(() => {
    const all = new Map(document.problems.map((each) => [each.message, each]));
    const add = (
      message: string,
      path: readonly string[] | null | undefined,
      severity: WorkflowProblem['severity'],
    ) => {
      if (!all.has(message)) all.set(message, foundByServer(document, message, path ?? [], severity));
    };
    for (const error of checked?.userErrors ?? [])
      add(error.message, 'manifestPath' in error ? error.manifestPath : [], 'ERROR');
    for (const { message, manifestPath } of checked?.warnings ?? []) add(message, manifestPath, 'WARNING');
    return [...all.values()];
  }, [document, checked]);
}

function Workbench({ opened, onSaved, title, children }: EditorProps) {
  const { store } = opened;
  const root = useRef<HTMLDivElement>(null);
  const flow = useRef<ReactFlowInstance<ActionNode>>(undefined);
  const chart = useActionChart();
  const checked = useServerCheck();
  const problems = useAllProblems(checked);
  const dialog = useWorkflow((state) => state.dialog);
  const isYamlShown = useWorkflow((state) => state.isYamlShown);
  const readOnly = useWorkflow((state) => state.readOnly);
  const toggleYaml = () => store.setState(({ isYamlShown: isShown }) => ({ isYamlShown: !isShown }));
  const close = () => store.getState().ask(null);
  useEffect(() => {
    const views = {
      toggleYaml,
      toInspector: () => void focusField(root.current?.querySelector<HTMLElement>('.inspector [data-field]')),
      fit: () =>
        void flow.current?.fitBounds({ x: 0, y: 0, width: chart.width, height: chart.height }, { padding: 0.05 }),
      zoom: (step: number) => void flow.current?.zoomTo(flow.current.getZoom() * step),
    };
    const listen = (event: KeyboardEvent): void => {
      const { target } = event;
      if (!(target instanceof HTMLElement) || !root.current) return;
      if (target.contains(root.current) || root.current.contains(target))
        onWorkflowKey(event, store, views, root.current);
    };
    // In front of the widgets and of the flow below: a letter is a command here.
    document.addEventListener('keydown', listen, true);
    return () => document.removeEventListener('keydown', listen, true);
  }, [store, chart]);
  return (
    <ProblemsOfWorkflow value={problems}>
      <div className="builder-frame workflow" ref={root}>
        <div className="builder">
          <Heading title={title} onYaml={toggleYaml}>
            {children}
          </Heading>
          {readOnly !== null && <p className="note">{readOnly}</p>}
          <Older />
          <div className="panes">
            <ActionOutline />
            <div className="middle">
              <ActionGraph chart={chart} onReady={(ready) => (flow.current = ready)} />
              {isYamlShown && (
                <Suspense fallback={<Loading what="the editor" />}>
                  <WorkflowYaml problems={problems} />
                </Suspense>
              )}
              <ProblemList problems={problems} />
            </div>
            <ActionInspector />
          </div>
          <Said />
        </div>
      </div>
      {dialog?.is === 'add' && <AddAction {...dialog} close={close} />}
      {dialog?.is === 'depends-on' && <ActionDependsOn action={dialog.action} close={close} />}
      {dialog?.is === 'remove' && <RemoveAction action={dialog.action} close={close} />}
      {dialog?.is === 'keys' && <Keys commands={WORKFLOW_COMMANDS} close={close} />}
      {dialog?.is === 'save' && (
        <SaveWorkflow opened={opened} checked={checked} problems={problems} close={close} onSaved={onSaved} />
      )}
    </ProblemsOfWorkflow>
  );
}

function Heading({ title, onYaml, children }: Pick<EditorProps, 'title' | 'children'> & { onYaml: () => void }) {
  const store = useWorkflowStore();
  const canUndo = useWorkflow(({ draft }) => draft.past.length > 0);
  const canRedo = useWorkflow(({ draft }) => draft.future.length > 0);
  const readOnly = useWorkflow((state) => state.readOnly);
  const isYamlShown = useWorkflow((state) => state.isYamlShown);
  const { revision } = useWorkflow(({ draft }) => draft.base);
  const isDraft = useWorkflow(({ draft }) => isChanged(draft));
  const isUnkept = useWorkflow((state) => state.isUnkept);
  const { undo, redo, ask } = store.getState();
  return (
    <div className="heading builder-heading">
      {title}
      <p className="draft-state">
        {revision === null ? 'Never saved' : `${isDraft ? 'Draft since revision' : 'Revision'} ${revision}`}
        {isDraft && isUnkept && NOT_KEPT}
      </p>
      <Toolbar aria-label="Workflow" className="actions">
        <Button className="icon-button" aria-label="Undo" isDisabled={!canUndo} onPress={undo}>
          <Undo2 size={16} aria-hidden />
        </Button>
        <Button className="icon-button" aria-label="Redo" isDisabled={!canRedo} onPress={redo}>
          <Redo2 size={16} aria-hidden />
        </Button>
        <Button className="icon-button" aria-label="Keys" onPress={() => ask({ is: 'keys' })}>
          <Keyboard size={16} aria-hidden />
        </Button>
        <Button className="button" aria-pressed={isYamlShown} onPress={onYaml}>
          <FileCode size={16} aria-hidden />
          YAML
        </Button>
        {children}
        {readOnly === null && (
          <Button className="button primary" onPress={() => ask({ is: 'save' })}>
            <SaveIcon size={16} aria-hidden />
            Save workflow
          </Button>
        )}
      </Toolbar>
    </div>
  );
}

/** Hears when somebody saves the workflow, or deletes it. */
function useSaves(): void {
  const store = useWorkflowStore();
  const base = useWorkflow(({ draft }) => draft.base);
  const name = useMemo(() => (base.revision === null ? undefined : openWorkflow(base.text).workflow?.name), [base]);
  useEffect(() => {
    if (name === undefined) return undefined;
    let cursor: string | undefined;
    return follow({
      document: SavesDocument,
      variables: () => ({ kinds: ['PromotionWorkflow' as const], names: [name], after: cursor }),
      onData: ({ definitionEvents: { cursor: at, revision, definition, by } }) => {
        cursor = at;
        const { newest } = store.getState();
        if (revision <= (newest.revision ?? 0)) return;
        const now = definition ? { revision, text: savedText(definition) } : { revision: null, text: newest.text };
        store.setState({ newest: { ...now, by: by ?? null } });
      },
    });
  }, [name, store]);
}

/** Somebody saved it since this draft was begun: nothing is taken away, and nothing is overwritten unasked. */
function Older() {
  useSaves();
  const store = useWorkflowStore();
  const { revision } = useWorkflow(({ draft }) => draft.base);
  const { by, isInTheWay, ...newest } = useWorkflow((state) => state.newest);
  const isDraft = useWorkflow(({ draft }) => isChanged(draft));
  const isSaving = useWorkflow(({ dialog }) => dialog?.is === 'save');
  if (revision === newest.revision || isSaving) return null;
  const isGone = newest.revision === null;
  return (
    <section className="note newer" aria-label="A newer revision">
      <p role="status">
        {isInTheWay && <strong>It is not saved. </strong>}
        {by ?? 'Somebody else'} {isGone ? 'deleted this workflow' : `saved revision ${newest.revision}`}; this{' '}
        {isDraft ? 'draft began with' : 'is'} revision {revision ?? 'none'}.{isDraft && ' Nothing of yours is lost.'}
      </p>
      {(isDraft || isGone) && (
        <Button
          className="button small"
          onPress={() => store.setState(({ draft }) => ({ draft: { ...draft, base: newest } }))}
        >
          {isGone ? 'Keep it as a new workflow' : 'Keep my draft in its place'}
        </Button>
      )}
      {!isGone && (
        <Button
          className="button small"
          onPress={() => {
            store.setState(({ draft }) => ({ draft: takeSaved(draft, newest) }));
            store.getState().say(`This is revision ${newest.revision}; undo brings the draft back`);
          }}
        >
          {isDraft ? 'Take what is saved' : `Show revision ${newest.revision}`}
        </Button>
      )}
    </section>
  );
}

/** The actions as a list, in the order of the text: an equal editor, and the one for a screen reader. */
function ActionOutline() {
  const workflow = useWorkflow(({ draft }) => draft.document.workflow);
  const selected = useWorkflow(({ draft }) => draft.selection.action);
  const select = useWorkflow((state) => state.select);
  const actions = workflow?.spec.actions ?? [];
  return (
    <nav className="outline" aria-label="Outline of the workflow">
      <Button className={selected === null ? 'outline-flow selected' : 'outline-flow'} onPress={() => select(null)}>
        <strong>{workflow?.name || 'The workflow'}</strong>
        <small>settings of the workflow</small>
      </Button>
      <ListBox
        aria-label="Actions"
        className="outline-actions"
        selectionMode="single"
        selectionBehavior="replace"
        selectedKeys={selected === null ? [] : [selected]}
        onSelectionChange={(keys) => {
          const [key] = keys === 'all' ? [] : [...keys];
          if (key !== undefined) select(String(key));
        }}
        items={actions.map((each) => ({ ...each, id: each.name }))}
        renderEmptyState={() => <p className="hint">No action yet.</p>}
      >
        {({ name, type, dependsOn = [] }) => {
          const Icon = TYPE_ICONS[type];
          const where = dependsOn.length === 0 ? 'begins with the workflow' : `after ${dependsOn.join(', ')}`;
          return (
            <ListBoxItem id={name} textValue={`${name}, ${type} ${where}`}>
              <span className="outline-row">
                <Icon size={14} aria-hidden />
                <span className="outline-text">
                  {/* All of it is the name of the row: what is seen is what is heard. */}
                  <strong>{name}</strong>
                  <small>
                    {type} {where}
                  </small>
                </span>
              </span>
            </ListBoxItem>
          );
        }}
      </ListBox>
    </nav>
  );
}

function ProblemList({ problems }: { problems: readonly WorkflowProblem[] }) {
  const jump = useWorkflow((state) => state.jump);
  if (problems.length === 0) return <p className="problem-list none">Nothing is wrong.</p>;
  return (
    <section className="problem-list" aria-label={`Problems (${problems.length})`}>
      <ul>
        {problems.map(({ message, severity, line, at }) => (
          <li key={message} className={severity.toLowerCase()}>
            <span>{severity === 'ERROR' ? 'Error:' : 'Warning:'}</span>
            <Button className="link-button" onPress={() => jump(at.action, at.field)}>
              {message}
            </Button>
            <small className="numbers">line {line}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Said() {
  const { text, count: times } = useWorkflow(({ said }) => said);
  return (
    <p className="said" role="status" aria-live="polite">
      <span key={times}>{text}</span>
    </p>
  );
}

/** Shows what changes, and saves the text against the revision that was seen. */
function SaveWorkflow({
  opened,
  checked,
  problems,
  close,
  onSaved,
}: {
  opened: OpenWorkflow;
  checked: Checked | undefined;
  problems: readonly WorkflowProblem[];
  close: () => void;
  onSaved: (name: string) => void;
}) {
  const client = useClient();
  const { store, forget } = opened;
  const [refusals, setRefusals] = useState<readonly string[]>([]);
  const [busy, setBusy] = useState(false);
  const name = useWorkflow(({ draft }) => draft.document.workflow?.name ?? '');
  const errors = problems.filter(({ severity }) => severity === 'ERROR');
  const diff = checked?.changes.map((each) => each.diff).find((each) => each);
  const save = async (): Promise<readonly string[]> => {
    const { document, base } = store.getState().draft;
    const expectedRevisions = [{ kind: 'PromotionWorkflow' as const, name, revision: base.revision ?? 0 }];
    const { data, error } = await client
      .mutation(
        ApplyManifestsDocument,
        { input: { text: document.text, expectedRevisions } },
        { additionalTypenames: ['PromotionWorkflow'] },
      )
      .toPromise();
    if (error) return [wordsOf(error)];
    const { changes, userErrors } = data!.payload;
    if (userErrors.some(({ code }) => code === 'CONFLICT')) {
      const read = await client.query(WorkflowToEditDocument, { name }, { requestPolicy: 'network-only' }).toPromise();
      const found = read.data?.promotionWorkflow;
      const by = found?.revisions.nodes[0]?.by ?? null;
      const now = found ? { revision: found.revision, text: savedText(found) } : { revision: null, text: base.text };
      if (now.revision !== base.revision) {
        // What the other one saved stands above the draft, with the ways to go on.
        store.setState({ newest: { ...now, by, isInTheWay: true } });
        store.getState().say('It is not saved: somebody else saved the workflow in between');
        close();
        return [];
      }
    }
    if (userErrors.length > 0) return userErrors.map(({ message }) => message);
    const revision = changes.find(({ kind }) => kind === 'PromotionWorkflow')?.revision ?? base.revision;
    const saved = { revision, text: document.text };
    store.setState(({ draft }) => ({ draft: { ...draft, base: saved }, newest: { ...saved, by: null } }));
    store.getState().say(`${name} saved as revision ${revision}`);
    await forget();
    close();
    onSaved(name);
    return [];
  };
  return (
    <Over title={`Save ${name}`} size="wide" refusals={refusals} onClose={close}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          event.stopPropagation();
          setBusy(true);
          void save()
            .then(setRefusals)
            .finally(() => setBusy(false));
        }}
      >
        {errors.length > 0 && (
          <div className="note" role="status">
            It cannot be saved like this:
            <ul>
              {errors.map(({ message }) => (
                <li key={message}>{message}</li>
              ))}
            </ul>
          </div>
        )}
        {diff ? (
          <Diff text={diff} label="What changes" />
        ) : (
          <p className="hint">{checked ? 'Nothing changes for the server.' : 'Asking the server what changes …'}</p>
        )}
        <p className="hint">
          Releases on their way keep the workflow with which they began. The next release takes this one.
        </p>
        <div className="actions">
          <Button className="button" onPress={close}>
            Cancel
          </Button>
          <Button className="button primary" type="submit" isPending={busy} autoFocus>
            {`Save ${name}`}
          </Button>
        </div>
      </Form>
    </Over>
  );
}
