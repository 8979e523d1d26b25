import { Link } from '@tanstack/react-router';
import { ReactFlowProvider, useReactFlow } from '@xyflow/react';
import {
  Diff as DiffIcon,
  FileCode,
  FlaskConical,
  GitPullRequestCreate,
  History,
  Keyboard,
  Redo2,
  Save as SaveIcon,
  Search,
  Share,
  Undo2,
} from 'lucide-react';
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import { Button, Input, Label, SearchField, Toolbar } from 'react-aria-components';
import type { Kind } from '../../../../src/core/kinds/names.ts';
import { Loading } from '../parts/empty.tsx';
import { Problem } from '../parts/problem.tsx';
import { When } from '../parts/time.tsx';
import { count } from '../parts/words.ts';
import { ChangeList, ChangesContext, useChangesOfFlow } from './changes.tsx';
import { focusNode } from './chart/canvas.tsx';
import { ChartContext, FlowChart, useChartOfFlow } from './chart/chart.tsx';
import { COMMANDS, onKey } from './commands.ts';
import { Define } from './dialogs/define.tsx';
import { EditGroup } from './dialogs/group.tsx';
import { Keys } from './dialogs/keys.tsx';
import { Discard, Export, Revisions } from './dialogs/others.tsx';
import { type OnSaved, Propose, Save } from './dialogs/save.tsx';
import { AddSteps, ChooseTrigger, DependsOn, RemoveStep, RenameStep } from './dialogs/steps.tsx';
import { TryIt } from './dialogs/try.tsx';
import { TriggerButton } from './dialogs/trigger.tsx';
import { countChanges, sourceOf } from './document/index.ts';
import { NOT_KEPT } from './document/leaving.ts';
import { focusField } from './forms/form.tsx';
import { Inspector } from './inspector.tsx';
import { Newer } from './newer.tsx';
import { Outline } from './outline.tsx';
import { ProblemList, Problems } from './problems.tsx';
import { useBuilder, useBuilderStore, useDocument } from './state.ts';
import { WorkflowOver } from './workflow/over.tsx';
import './builder.css';

const YamlEditor = lazy(() => import('./yaml/yaml-editor.tsx'));

/** The git source that a flow comes from, and the file there. */
export interface Source {
  source: string;
  file: string;
}

interface FlowBuilderProps {
  /** Null: it is saved here. */
  source: Source | null;
  /** It is changed by pull requests, and the viewer can open one. */
  mayPropose: boolean;
  /** Reads again what exists besides the flow. */
  readAgain: () => Promise<void>;
  onDiscard: () => Promise<void>;
  onSaved: OnSaved;
  /** The flow with this name is to be shown. */
  onShown: (name: string) => void;
}

/** Chart, outline, settings and text of one draft. Each shows what is selected in the others, and each can change all of it. */
export function FlowBuilder(props: FlowBuilderProps) {
  return (
    <ReactFlowProvider>
      <Problems>
        <WithChanges>
          <Workshop {...props} />
        </WithChanges>
      </Problems>
    </ReactFlowProvider>
  );
}

function WithChanges({ children }: { children: ReactNode }) {
  return <ChangesContext value={useChangesOfFlow()}>{children}</ChangesContext>;
}

/** A definition that is being made, and who waits for its name. */
interface Making {
  kind: Kind;
  name: string;
  /** What it begins with. */
  spec: Record<string, unknown> | undefined;
  done: (name: string | null) => void;
}

function Workshop({ source, mayPropose, readAgain, onDiscard, onSaved, onShown }: FlowBuilderProps) {
  const store = useBuilderStore();
  const chart = useChartOfFlow();
  const flow = useReactFlow();
  const dialog = useBuilder((state) => state.dialog);
  const readOnly = useBuilder((state) => state.readOnly);
  const hasErrorsOf = useBuilder(({ refusals, dialog: open }) => (open === null ? refusals : NONE));
  const root = useRef<HTMLDivElement>(null);
  const [isYamlShown, setYamlShown] = useState(false);
  const [isSearching, setSearching] = useState(false);
  const [making, setMaking] = useState<Making>();

  const create = useCallback(
    (kind: Kind, name = '', spec?: Record<string, unknown>) =>
      new Promise<string | null>((resolve) => {
        setMaking({
          kind,
          name,
          spec,
          done: (made) => {
            setMaking(undefined);
            if (made === null) return resolve(null);
            store.getState().say(`${made} created`);
            // The rules know it before anything names it.
            void readAgain().then(() => resolve(made));
          },
        });
      }),
    [readAgain, store],
  );

  useReadAhead();

  const close = useCallback(() => {
    store.getState().ask(null);
    // The dialog gives the focus back first. Who used the chart goes on at what is selected now; the outline keeps its own place.
    setTimeout(() => {
      // As it is then: a key can have led on in between.
      const { node } = store.getState().session.selection;
      const { activeElement: at } = document;
      if (node !== null && (at === document.body || at?.closest('.chart'))) focusNode(root.current, node);
    }, FOCUS_IS_BACK_MS);
  }, [store]);

  useEffect(() => {
    const newGroup = async (node: string): Promise<void> => {
      const group = await create('EnvironmentGroup');
      if (group === null) return;
      store.getState().edit({ type: 'addSteps', steps: [{ group, dependsOn: [] }], after: [node], before: [] });
    };
    const views = {
      newGroup: (node: string) => void newGroup(node),
      toggleYaml: () => setYamlShown((isShown) => !isShown),
      toInspector: () => void focusField(root.current?.querySelector<HTMLElement>('.inspector [data-field]')),
      search: () => setSearching(true),
      fit: () => void flow.fitBounds({ x: 0, y: 0, width: chart.width, height: chart.height }, { padding: 0.05 }),
      zoomTo: (zoom: number) => void flow.zoomTo(zoom),
      zoom: (step: number) => void flow.zoomTo(flow.getZoom() * step),
    };
    const listen = (event: KeyboardEvent): void => {
      const { target } = event;
      if (!(target instanceof HTMLElement)) return;
      // A click beside everything gives the focus to the page around the builder.
      const isAround = target.contains(root.current) && document.querySelector('[role="dialog"]') === null;
      if (isAround || root.current?.contains(target)) onKey(event, store, views);
    };
    // In front of the widgets: a letter is a command here and no search among the rows of a tree.
    document.addEventListener('keydown', listen, true);
    return () => document.removeEventListener('keydown', listen, true);
  }, [store, flow, chart, create]);

  return (
    <ChartContext value={chart}>
      <div className="builder-frame">
        <div className="builder" ref={root}>
          <Heading
            onSaved={onSaved}
            source={source}
            mayPropose={mayPropose}
            isYamlShown={isYamlShown}
            onYaml={() => setYamlShown(!isYamlShown)}
            onSearch={() => setSearching(!isSearching)}
          />
          {readOnly !== null && <p className="note">{readOnly}</p>}
          <Newer readAgain={readAgain} />
          {hasErrorsOf.map((each) => (
            <Problem key={each}>{each}</Problem>
          ))}
          <ChangeList />
          {isSearching && <SearchNode onDone={() => setSearching(false)} />}
          <div className="panes">
            <Outline />
            <div className="middle">
              <FlowChart />
              {isYamlShown && (
                <Suspense fallback={<Loading what="the editor" />}>
                  <YamlEditor />
                </Suspense>
              )}
              <ProblemList onCreate={(kind, name) => void create(kind, name)} />
            </div>
            <Inspector create={create} />
          </div>
          <Said />
        </div>
      </div>
      {dialog?.is === 'trigger-environment' && <ChooseTrigger close={close} create={create} />}
      {dialog?.is === 'add' && <AddSteps {...dialog} close={close} create={create} />}
      {dialog?.is === 'depends-on' && <DependsOn node={dialog.node} close={close} />}
      {dialog?.is === 'remove' && <RemoveStep node={dialog.node} close={close} />}
      {dialog?.is === 'rename' && <RenameStep node={dialog.node} close={close} />}
      {dialog?.is === 'save' && source === null && <Save close={close} onSaved={onSaved} onShown={onShown} />}
      {dialog?.is === 'save' && source !== null && <Propose source={source.source} close={close} />}
      {dialog?.is === 'revisions' && <Revisions close={close} mayRestore={source === null} />}
      {dialog?.is === 'discard' && <Discard close={close} onDiscard={onDiscard} />}
      {dialog?.is === 'export' && <Export close={close} />}
      {dialog?.is === 'try' && <TryIt close={close} />}
      {dialog?.is === 'keys' && <Keys commands={COMMANDS} close={close} />}
      {dialog?.is === 'workflow' && (
        <WorkflowOver
          name={dialog.name}
          onDone={(saved) => {
            close();
            if (saved !== null) store.getState().say(`${saved} saved`);
          }}
        />
      )}
      {dialog?.is === 'group' && (
        <EditGroup
          name={dialog.name}
          onDone={(saved) => {
            close();
            if (saved !== null) void readAgain().then(() => store.getState().say(`${saved} saved`));
          }}
        />
      )}
      {making?.kind === 'PromotionWorkflow' && (
        <WorkflowOver name={null} begin={making.name || 'new-workflow'} onDone={making.done} />
      )}
      {making && making.kind !== 'PromotionWorkflow' && (
        <Define
          key={`${making.kind} ${making.name}`}
          kind={making.kind}
          name={making.name}
          spec={making.spec}
          onDone={making.done}
        />
      )}
    </ChartContext>
  );
}

/** What the next edit has to know of the text is read while nobody waits. */
function useReadAhead(): void {
  const document = useDocument();
  useEffect(() => {
    // Safari has no idle callbacks.
    if (!('requestIdleCallback' in window)) return undefined;
    const waiting = requestIdleCallback(() => void sourceOf(document));
    return () => cancelIdleCallback(waiting);
  }, [document]);
}

/** A dialog has given the focus back by then. */
const FOCUS_IS_BACK_MS = 50;
const NONE: readonly string[] = [];
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

function Heading({
  onSaved,
  source,
  mayPropose,
  isYamlShown,
  onYaml,
  onSearch,
}: Pick<FlowBuilderProps, 'onSaved' | 'source' | 'mayPropose'> & {
  isYamlShown: boolean;
  onYaml: () => void;
  onSearch: () => void;
}) {
  const store = useBuilderStore();
  const name = useBuilder(({ session }) => session.document.flow?.name);
  const { revision } = useBuilder(({ session }) => session.base);
  const newest = useBuilder((state) => state.newest);
  const keptAt = useBuilder((state) => state.keptAt);
  const isUnkept = useBuilder((state) => state.isUnkept);
  const changes = useBuilder(({ session }) => countChanges(session));
  const canUndo = useBuilder(({ session }) => session.past.length > 0);
  const canRedo = useBuilder(({ session }) => session.future.length > 0);
  const readOnly = useBuilder((state) => state.readOnly);
  const isDiffShown = useBuilder((state) => state.isDiffShown);
  const ask = store.getState().ask;
  return (
    <div className="heading builder-heading">
      <h1>
        <Link to="/flows">Flows</Link>
        <span aria-hidden>/</span>
        {name || 'New flow'}
      </h1>
      <p className="draft-state">
        {revision === null
          ? 'Never saved'
          : changes === 0
            ? `Revision ${revision}`
            : `Draft, ${count(changes, 'change')} since revision ${revision}`}
        {newest.revision === revision && newest.by !== null && ` by ${newest.by}`}
        {newest.revision === revision && newest.at !== null && (
          <>
            {' '}
            <When at={newest.at} />
          </>
        )}
        {changes > 0 && isUnkept && NOT_KEPT}
        {changes > 0 && !isUnkept && keptAt !== null && `, kept here ${CLOCK.format(keptAt)}`}
        {source !== null && `, from the git source ${source.source}`}
      </p>
      <Toolbar aria-label="Flow" className="actions">
        <Button className="icon-button" aria-label="Undo" isDisabled={!canUndo} onPress={() => store.getState().undo()}>
          <Undo2 size={16} aria-hidden />
        </Button>
        <Button className="icon-button" aria-label="Redo" isDisabled={!canRedo} onPress={() => store.getState().redo()}>
          <Redo2 size={16} aria-hidden />
        </Button>
        <Button className="icon-button" aria-label="Search a node" onPress={onSearch}>
          <Search size={16} aria-hidden />
        </Button>
        <Button className="icon-button" aria-label="Keys" onPress={() => ask({ is: 'keys' })}>
          <Keyboard size={16} aria-hidden />
        </Button>
        <Button className="button" aria-pressed={isYamlShown} onPress={onYaml}>
          <FileCode size={16} aria-hidden />
          YAML
        </Button>
        <Button className="button" aria-pressed={isDiffShown} onPress={() => store.getState().toggleDiff()}>
          <DiffIcon size={16} aria-hidden />
          Differences
        </Button>
        <Button className="button" onPress={() => ask({ is: 'try' })}>
          <FlaskConical size={16} aria-hidden />
          Try it
        </Button>
        <Button className="button" onPress={() => ask({ is: 'export' })}>
          <Share size={16} aria-hidden />
          Export
        </Button>
        {revision !== null && (
          <Button className="button" onPress={() => ask({ is: 'revisions' })}>
            <History size={16} aria-hidden />
            Revisions
          </Button>
        )}
        {changes > 0 && readOnly === null && (
          <Button className="button" onPress={() => ask({ is: 'discard' })}>
            Discard
          </Button>
        )}
        {source === null && readOnly === null && <TriggerButton onSaved={onSaved} />}
        {readOnly === null && (
          <Button className="button primary" onPress={() => ask({ is: 'save' })}>
            <SaveIcon size={16} aria-hidden />
            {source === null ? 'Save' : 'Propose'}
          </Button>
        )}
        {readOnly !== null && mayPropose && (
          <Button
            className="button primary"
            onPress={() => {
              store.setState({ readOnly: null });
              store.getState().say('What you change now is a proposal, and nothing changes here before it is merged');
            }}
          >
            <GitPullRequestCreate size={16} aria-hidden />
            Edit as a proposal
          </Button>
        )}
      </Toolbar>
    </div>
  );
}

/** Finds a node by a part of its name, also a member of a group, and goes there. */
function SearchNode({ onDone }: { onDone: () => void }) {
  const store = useBuilderStore();
  const groups = useBuilder(({ catalogue }) => catalogue.groups);
  const names = useBuilder(({ session }) => session.document.flow?.spec);
  const find = (text: string): void => {
    const wanted = text.trim().toLowerCase();
    const nodes = names
      ? [names.triggerEnvironment, ...names.steps.map((step) => step.environment ?? step.group ?? step.name ?? '')]
      : [];
    const has = (name: string): boolean => name.toLowerCase().includes(wanted);
    const found = nodes.find((name) => has(name) || (groups.get(name) ?? []).some(has));
    if (found === undefined) return store.getState().say(`Nothing is called like ${text}`);
    store.getState().select(found);
    store.getState().say(`${found} selected`);
    onDone();
  };
  return (
    <SearchField
      className="field inline node-search"
      autoFocus
      onSubmit={find}
      onKeyDown={(event) => event.key === 'Escape' && onDone()}
    >
      <Label>Search a node</Label>
      <Input />
    </SearchField>
  );
}

/** The one place where each result is told: seen at the bottom, and spoken. */
function Said() {
  const { text, count: times } = useBuilder(({ said }) => said);
  return (
    <p className="said" role="status" aria-live="polite">
      {/* Another element each time: the same words twice are spoken twice. */}
      <span key={times}>{text}</span>
    </p>
  );
}
