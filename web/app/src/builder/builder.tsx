import { Link } from '@tanstack/react-router';
import { ReactFlowProvider } from '@xyflow/react';
import { FlaskConical, Search } from 'lucide-react';
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { Button, Input, Label, SearchField } from 'react-aria-components';
import type { Kind } from '../../../../src/core/kinds/names.ts';
import { CheckFlowDocument } from '../generated/documents.ts';
import { WithChanges } from './changes.tsx';
import { focusNode } from './chart/canvas.tsx';
import { ChartContext, FlowChart, useChartOfFlow } from './chart/chart.tsx';
import { COMMANDS } from './commands.ts';
import { Define } from './dialogs/define.tsx';
import { EditGroup } from './dialogs/group.tsx';
import type { OverDraftProps } from './dialogs/over-draft.tsx';
import { AddSteps, ChooseTrigger, DependsOn, RemoveStep, RenameStep } from './dialogs/steps.tsx';
import { TryIt } from './dialogs/try.tsx';
import { TriggerButton } from './dialogs/trigger.tsx';
import { changesBetween, type FlowDocument, sourceOf } from './document/index.ts';
import type { Origin } from './heading.tsx';
import { whenIdle } from './idle.ts';
import { Inspector } from './inspector.tsx';
import { Outline } from './outline.tsx';
import { type Check, Problems } from './problems.tsx';
import { useBuilder, useBuilderStore, useDocument } from './state.ts';
import { Workbench } from './workbench.tsx';
import { WorkflowOver } from './workflow/over.tsx';
import './builder.css';

interface FlowBuilderProps extends Omit<OverDraftProps, 'close'> {
  origin: Origin;
  /** Reads again what exists besides the flow. */
  readAgain: () => Promise<void>;
}

/** Chart, outline, settings and text of one draft. Each shows what is selected in the others, and each can change all of it. */
export function FlowBuilder(props: FlowBuilderProps) {
  return (
    <ReactFlowProvider>
      <WithProblems>
        <Workshop {...props} />
      </WithProblems>
    </ReactFlowProvider>
  );
}

function WithProblems({ children }: { children: ReactNode }) {
  const catalogue = useBuilder((state) => state.catalogue);
  const between = useCallback(
    (saved: FlowDocument, draft: FlowDocument) => changesBetween(saved, draft, catalogue),
    [catalogue],
  );
  return (
    <Problems check={checkFlow} known={catalogue}>
      <WithChanges between={between}>{children}</WithChanges>
    </Problems>
  );
}

const checkFlow: Check = async (client, text) => {
  const { data } = await client
    .query(CheckFlowDocument, { draft: { manifest: text } }, { requestPolicy: 'network-only' })
    .toPromise();
  return data?.promotionFlowCheck;
};

/** A definition that is being made, and who waits for its name. */
interface Making {
  kind: Kind;
  name: string;
  /** What it begins with. */
  spec: Record<string, unknown> | undefined;
  done: (name: string | null) => void;
}

function Workshop({ origin, readAgain, ...over }: FlowBuilderProps) {
  const store = useBuilderStore();
  const chart = useChartOfFlow();
  const dialog = useBuilder((state) => state.dialog);
  const root = useRef<HTMLDivElement>(null);
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

  const names = useCallback(() => {
    const { environments, groups, workflows } = store.getState().catalogue;
    return [...environments.keys(), ...groups.keys(), ...workflows];
  }, [store]);

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

  const newGroup = async (node: string): Promise<void> => {
    const group = await create('EnvironmentGroup');
    if (group === null) return;
    store.getState().edit({ type: 'addSteps', steps: [{ group, dependsOn: [] }], after: [node], before: [] });
  };

  return (
    <ChartContext value={chart}>
      <Workbench
        {...over}
        origin={origin}
        root={root}
        heading={useHeading(origin, over.onSaved, () => setSearching(!isSearching))}
        store={store}
        commands={COMMANDS}
        more={{ newGroup: (node) => void newGroup(node), search: () => setSearching(true) }}
        chart={chart}
        outline={<Outline />}
        picture={<FlowChart />}
        inspector={<Inspector create={create} />}
        names={names}
        onCreate={(kind, name) => void create(kind, name)}
        readAgain={readAgain}
        close={close}
      >
        {isSearching && <SearchNode onDone={() => setSearching(false)} />}
      </Workbench>
      {dialog?.is === 'trigger-environment' && <ChooseTrigger close={close} create={create} />}
      {dialog?.is === 'add' && <AddSteps {...dialog} close={close} create={create} />}
      {dialog?.is === 'depends-on' && <DependsOn node={dialog.node} close={close} />}
      {dialog?.is === 'remove' && <RemoveStep node={dialog.node} close={close} />}
      {dialog?.is === 'rename' && <RenameStep node={dialog.node} close={close} />}
      {dialog?.is === 'try' && <TryIt close={close} />}
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
  useEffect(() => whenIdle(() => void sourceOf(document)), [document]);
}

/** A dialog has given the focus back by then. */
const FOCUS_IS_BACK_MS = 50;

function useHeading(origin: Origin, onSaved: OverDraftProps['onSaved'], onSearch: () => void) {
  const store = useBuilderStore();
  const name = useBuilder(({ session }) => session.document.flow?.name);
  const isReadOnly = useBuilder(({ readOnly }) => readOnly !== null);
  const { ask } = store.getState();
  return {
    label: 'Flow',
    save: 'Save',
    title: (
      <h1>
        <Link to="/flows">Flows</Link>
        <span aria-hidden>/</span>
        {name || 'New flow'}
      </h1>
    ),
    signs: (
      <Button className="icon-button" aria-label="Search a node" onPress={onSearch}>
        <Search size={16} aria-hidden />
      </Button>
    ),
    tools: (
      <Button className="button" onPress={() => ask({ is: 'try' })}>
        <FlaskConical size={16} aria-hidden />
        Try it
      </Button>
    ),
    children: origin.source === null && !isReadOnly && <TriggerButton onSaved={onSaved} />,
  };
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
