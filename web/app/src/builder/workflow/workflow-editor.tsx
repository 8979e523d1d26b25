import { ReactFlowProvider } from '@xyflow/react';
import { type ReactNode, useCallback, useRef } from 'react';
import { Button, ListBox, ListBoxItem } from 'react-aria-components';
import { ACTIONS } from '../../../../../src/core/kinds/actions.ts';
import { CheckManifestsDocument } from '../../generated/documents.ts';
import { Mark, useChanges, WithChanges } from '../changes.tsx';
import type { OverDraftProps } from '../dialogs/over-draft.tsx';
import { actionChangesBetween } from '../document/index.ts';
import { DraftContext } from '../draft.ts';
import type { Origin } from '../heading.tsx';
import type { OpenDraft } from '../keep.ts';
import { type Check, Problems } from '../problems.tsx';
import { Workbench } from '../workbench.tsx';
import { WORKFLOW_COMMANDS } from './commands.ts';
import { ActionDependsOn, AddAction, RemoveAction } from './dialogs.tsx';
import { ActionGraph, TYPE_ICONS, useActionChart } from './graph.tsx';
import { ActionInspector } from './inspector.tsx';
import { useWorkflow, useWorkflowStore, type WorkflowStore } from './state.ts';
import '../builder.css';

interface EditorProps {
  draft: OpenDraft<WorkflowStore>;
  origin: Origin;
  onShown: OverDraftProps['onShown'];
  /** Where the page has nothing else above the editor. */
  title?: ReactNode;
  /** Besides the buttons of the editor. */
  children?: ReactNode;
}

/** Graph, outline, settings and text of one workflow; each shows what is selected in the others, and each can change all of it. */
export function WorkflowEditor({ draft, ...props }: EditorProps) {
  return (
    <DraftContext value={draft.store}>
      <ReactFlowProvider>
        <Problems check={checkWorkflow} known={null}>
          <WithChanges between={actionChangesBetween}>
            <Workshop {...props} onDiscard={draft.discard} onSaved={draft.saved} />
          </WithChanges>
        </Problems>
      </ReactFlowProvider>
    </DraftContext>
  );
}

const checkWorkflow: Check = async (client, text) => {
  const input = { text };
  const { data } = await client.query(CheckManifestsDocument, { input }, { requestPolicy: 'network-only' }).toPromise();
  if (!data) return undefined;
  const { changes, userErrors, warnings } = data.manifestsCheck;
  const diff = changes.map((each) => each.diff).find((each) => each);
  // One that is synced is changed by a proposal.
  return { diff, warnings, userErrors: userErrors.filter(({ code }) => code !== 'READ_ONLY') };
};

type WorkshopProps = Omit<EditorProps, 'draft'> & Pick<OverDraftProps, 'onDiscard' | 'onSaved'>;

function Workshop({ title, children, ...over }: WorkshopProps) {
  const store = useWorkflowStore();
  const root = useRef<HTMLDivElement>(null);
  const chart = useActionChart();
  const dialog = useWorkflow((state) => state.dialog);
  const close = () => store.getState().ask(null);
  const names = useCallback(() => {
    const { workflow } = store.getState().session.document;
    return [...Object.keys(ACTIONS), ...(workflow?.spec.actions.map(({ name }) => name) ?? [])];
  }, [store]);
  return (
    <>
      <Workbench
        {...over}
        root={root}
        className="workflow"
        heading={{ label: 'Workflow', save: 'Save workflow', title, children }}
        store={store}
        commands={WORKFLOW_COMMANDS}
        more={{}}
        chart={chart}
        outline={<ActionOutline />}
        picture={<ActionGraph chart={chart} />}
        inspector={<ActionInspector />}
        names={names}
        close={close}
      />
      {dialog?.is === 'add' && <AddAction {...dialog} close={close} />}
      {dialog?.is === 'depends-on' && <ActionDependsOn action={dialog.action} close={close} />}
      {dialog?.is === 'remove' && <RemoveAction action={dialog.action} close={close} />}
    </>
  );
}

/** Read by itself: the rows are the same as long as the actions are. */
function ChangeSign({ name }: { name: string }) {
  const change = useChanges()?.nodes.get(name)?.change;
  return change && <Mark change={change} />;
}

/** The actions as a list, in the order of the text: an equal editor, and the one for a screen reader. */
function ActionOutline() {
  const workflow = useWorkflow(({ session }) => session.document.workflow);
  const selected = useWorkflow(({ session }) => session.selection.node);
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
                <ChangeSign name={name} />
              </span>
            </ListBoxItem>
          );
        }}
      </ListBox>
    </nav>
  );
}
