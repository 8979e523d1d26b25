import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import {
  ChartLine,
  CirclePlus,
  FlaskConical,
  Globe,
  GitFork,
  Hourglass,
  type LucideIcon,
  Megaphone,
  Plus,
  SquareTerminal,
  Trash2,
  UserCheck,
  Workflow,
} from 'lucide-react';
import { memo, useMemo, useRef } from 'react';
import { Button } from 'react-aria-components';
import { fixed } from '../../parts/picture.tsx';
import type { WorkflowAction } from '../../../../../src/core/definitions.ts';
import type { ActionType } from '../../../../../src/core/kinds/actions.ts';
import { Mark, useChanges } from '../changes.tsx';
import { Canvas } from '../chart/canvas.tsx';
import type { Box } from '../chart/drawn.ts';
import { EDGE_TYPES, toEdges } from '../chart/edges.ts';
import type { PromotionWorkflowSpec } from '../document/index.ts';
import { NO_PREVIEW } from '../draft.ts';
import { useProblemsAt } from '../problems.tsx';
import { targetsOf } from './edits.ts';
import { type ActionChart, placeActions } from './place.ts';
import { useWorkflow, useWorkflowStore } from './state.ts';

export const TYPE_ICONS: Record<ActionType, LucideIcon> = {
  http: Globe,
  wait: Hourglass,
  approval: UserCheck,
  notify: Megaphone,
  analysis: ChartLine,
  command: SquareTerminal,
  argoWorkflow: Workflow,
  simulate: FlaskConical,
};

/** Where the actions stand; an edit moves only what it has to. */
export function useActionChart(): ActionChart {
  const actions = useWorkflow(({ session }) => session.document.workflow?.spec.actions);
  const changes = useChanges<PromotionWorkflowSpec>();
  const last = useRef<ActionChart>(undefined);
  return useMemo(() => (last.current = placeActions(actions ?? [], last.current, changes)), [actions, changes]);
}

/** The actions as a graph. One tab stop; arrows go from action to action. */
export function ActionGraph({ chart }: { chart: ActionChart }) {
  const store = useWorkflowStore();
  const isCurrent = useWorkflow(({ session }) => session.document.isCurrent);
  const selected = useWorkflow(({ session }) => session.selection.node);
  const preview = useWorkflow((state) => state.preview);
  const isReadOnly = useWorkflow(({ readOnly }) => readOnly !== null);
  const nodes = useMemo(() => chart.nodes.map(toNode), [chart]);
  const edges = useMemo(() => toEdges(chart.edges, preview), [chart, preview]);
  const { ask, edit, say, select, jump, show } = store.getState();
  if (chart.nodes.length === 0) {
    return (
      <div className="chart chart-empty">
        <Button className="begin" isDisabled={isReadOnly} onPress={() => ask({ is: 'add', place: 'after', of: null })}>
          <CirclePlus size={22} aria-hidden />
          Add the first action
        </Button>
        <p className="hint">Actions without a dependency begin together. The others wait for what they depend on.</p>
      </div>
    );
  }
  return (
    <section
      className={isCurrent ? 'chart' : 'chart stale'}
      aria-label="Actions of the workflow. Arrow keys go from action to action, question mark lists all keys."
    >
      {!isCurrent && <p className="stale-note">The text cannot be read now: this is the workflow as it was.</p>}
      <Canvas<ActionNode>
        chart={chart}
        nodes={nodes}
        edges={edges}
        nodeTypes={TYPES}
        edgeTypes={EDGE_TYPES}
        selected={selected}
        onSelect={(name) => select(name)}
        onEdge={({ target }) => jump({ node: target, field: ['dependsOn'] })}
        drag={{
          connecting: preview.connecting,
          targetsOf: (from) => targetsOf(store.getState().session.document.workflow?.spec.actions ?? [], from),
          show: (dragged) => show(dragged ? { connecting: dragged } : NO_PREVIEW),
          connect(from, to) {
            const action = store.getState().session.document.workflow?.spec.actions.find(({ name }) => name === to);
            edit({ type: 'setDependencies', action: to, dependsOn: [...(action?.dependsOn ?? []), from] });
          },
          addAfter: (of) => ask({ is: 'add', place: 'after', of }),
          refuse: say,
          inWords: (from, to) => `${to} will wait for ${from}`,
        }}
      />
    </section>
  );
}

type ActionNode = Node<{ name: string }, 'action'>;

const toNode = (box: Box): ActionNode => ({
  ...fixed(box, { size: 16 }),
  id: box.name,
  type: 'action',
  data: { name: box.name },
});

const ActionCard = memo(function ActionCard({ data: { name } }: NodeProps<ActionNode>) {
  const changes = useChanges<PromotionWorkflowSpec>();
  const change = changes?.nodes.get(name)?.change;
  const isGone = change === 'REMOVED';
  const isNamed = (each: WorkflowAction): boolean => each.name === name;
  const now = useWorkflow(({ session }) => session.document.workflow?.spec.actions.find(isNamed));
  const action = isGone ? changes?.saved.actions.find(isNamed) : now;
  const first = useWorkflow(({ session }) => session.document.workflow?.spec.actions[0]?.name);
  const selected = useWorkflow(({ session }) => session.selection.node);
  const reason = useWorkflow(({ preview }) => preview.connecting?.targets.get(name));
  const goes = useWorkflow(({ preview }) => preview.removed?.includes(name) ?? false);
  const isReadOnly = useWorkflow(({ readOnly }) => readOnly !== null);
  const ask = useWorkflow((state) => state.ask);
  const select = useWorkflow((state) => state.select);
  const wrong = useProblemsAt(name).length;
  if (!action) return null;
  const Icon = TYPE_ICONS[action.type];
  const state = goes || isGone ? 'goes' : reason === null ? 'lit' : reason === undefined ? '' : 'dim';
  const tool = (label: string, className: string, Sign: LucideIcon, onPress: () => void, text?: string) => (
    <button type="button" className={className} tabIndex={-1} aria-label={label} title={label} onClick={onPress}>
      <Sign size={13} aria-hidden />
      {text}
    </button>
  );
  return (
    <div className={`node action ${state}`} title={reason ?? undefined}>
      <Handle type="target" position={Position.Left} isConnectableStart={false} />
      <button
        type="button"
        className={wrong > 0 ? 'node-card has-error' : 'node-card'}
        data-node={name}
        aria-pressed={selected === name}
        tabIndex={(selected ?? first) === name ? 0 : -1}
        onClick={() => select(name)}
      >
        <span className="card-head">
          <Icon size={16} aria-hidden />
          <strong title={name}>{name}</strong>
          {wrong > 0 && <span className="mark error">{wrong}</span>}
        </span>
        <small className="far-hidden">{action.type}</small>
        <small className="far-hidden">{aboutAction(action)}</small>
      </button>
      {change && <Mark change={change} />}
      {!isReadOnly && !isGone && (
        <>
          {tool(`Add before ${name}`, 'plus before', Plus, () => ask({ is: 'add', place: 'before', of: name }))}
          <span className="node-tools">
            {tool(`Add side by side with ${name}`, '', Plus, () => ask({ is: 'add', place: 'beside', of: name }))}
            {tool(
              `What ${name} depends on`,
              '',
              GitFork,
              () => ask({ is: 'depends-on', action: name }),
              String(action.dependsOn?.length ?? 0),
            )}
            {tool(`Remove ${name}`, '', Trash2, () => ask({ is: 'remove', action: name }))}
          </span>
          {tool(`Add after ${name}`, 'plus after', Plus, () => ask({ is: 'add', place: 'after', of: name }))}
        </>
      )}
      <Handle type="source" position={Position.Right} isConnectable={!isReadOnly && !isGone} />
    </div>
  );
});

const TYPES = { action: ActionCard };

/** The parameter that tells most of it. */
function aboutAction({ parameters }: WorkflowAction): string {
  const keys = ['url', 'duration', 'question', 'program', 'template', 'text'];
  const found = keys.map((key) => parameters[key]).find((each) => typeof each === 'string' && each !== '');
  return typeof found === 'string' ? found : '';
}
