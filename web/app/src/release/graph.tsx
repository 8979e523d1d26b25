import '@xyflow/react/dist/base.css';
import {
  Controls,
  type Edge,
  getViewportForBounds,
  Handle,
  MarkerType,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
} from '@xyflow/react';
import { ChevronDown, ChevronRight } from 'lucide-react';
import { createContext, type KeyboardEvent, useContext, useMemo, useState } from 'react';
import { Button } from 'react-aria-components';
import type { ReasonFragment } from '../generated/documents.ts';
import { lookOf, Status } from '../parts/status.tsx';
import { worstOf } from '../parts/worst.ts';
import { Took, When } from '../parts/time.tsx';
import { without } from '../parts/words.ts';
import { commitsOf, wordOf } from './environments.tsx';
import { type Box, FEW, type Layout, layoutOf } from './layout.ts';
import { reasonsByPromotion } from './paint.ts';
import type { PromotionRead, ReleaseRead } from './use-release.ts';

interface GraphProps {
  release: ReleaseRead;
  selected: string | undefined;
  onSelect: (name: string) => void;
}

/** What changes while the graph stands still. */
interface Now {
  byName: Map<string, PromotionRead>;
  reasons: Map<string, ReasonFragment[]>;
  groups: ReleaseRead['groups'];
  selected: string | undefined;
  /** The one card that Tab reaches; arrows go on from there. */
  reachable: string | undefined;
  onSelect: (name: string) => void;
  toggle: (group: string) => void;
}

const NowContext = createContext<Now | undefined>(undefined);
const useNowOfGraph = (): Now => useContext(NowContext)!;

/** The release from left to right, as it is now. It never moves by itself. */
export default function Graph({ release, selected, onSelect }: GraphProps) {
  const { promotions, groups, skeleton } = release;
  const [opened, setOpened] = useState<ReadonlySet<string>>(() => fewMembers(skeleton.promotions));
  // Frozen with the release: it is laid out again only when somebody opens or closes a group.
  const layout = useMemo(() => layoutOf(skeleton.promotions, opened), [skeleton, opened]);
  const nodes = useMemo(() => layout.boxes.map(toNode), [layout]);
  const byName = new Map(promotions.map((each) => [each.name, each]));
  const reasons = reasonsByPromotion(release);
  const edges = layout.edges.map((each) => toEdge(each, layout, byName, reasons));
  const [width, setWidth] = useState<number>();
  const height = Math.min(Math.max(layout.height + 32, 220), 620);
  const now: Now = {
    byName,
    reasons,
    groups,
    selected,
    reachable: selected ?? promotions[0]?.name,
    onSelect,
    toggle: (group) => {
      const next = new Set(opened);
      if (!next.delete(group)) next.add(group);
      setOpened(next);
    },
  };
  return (
    <div
      className="graph"
      ref={(element) => {
        if (element && width === undefined) setWidth(element.clientWidth);
      }}
      role="group"
      aria-label="Graph of the release. Arrow keys go from environment to environment."
      onKeyDown={move}
    >
      <div style={{ height }}>
        {width !== undefined && (
          <NowContext value={now}>
            <ReactFlow
              nodes={nodes}
              edges={edges}
              nodeTypes={TYPES}
              defaultViewport={viewportOf(layout, width, height)}
              minZoom={0.1}
              maxZoom={1.5}
              onlyRenderVisibleElements={nodes.length > 60}
              nodesDraggable={false}
              nodesConnectable={false}
              nodesFocusable={false}
              edgesFocusable={false}
              elementsSelectable={false}
              disableKeyboardA11y
              deleteKeyCode={null}
              selectionKeyCode={null}
              multiSelectionKeyCode={null}
              panActivationKeyCode={null}
              zoomOnScroll={false}
              zoomOnDoubleClick={false}
              preventScrolling={false}
            >
              <Controls showInteractive={false} />
            </ReactFlow>
          </NowContext>
        )}
      </div>
    </div>
  );
}

function fewMembers(promotions: ReleaseRead['skeleton']['promotions']): Set<string> {
  const sizes = new Map<string, number>();
  for (const { group } of promotions) if (group != null) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return new Set([...sizes].filter(([, size]) => size <= FEW).map(([name]) => name));
}

type BoxNode = Node<{ box: Box }>;

function toNode(box: Box): BoxNode {
  const { id, x, y, width, height } = box;
  const handle = { y: height / 2, width: 1, height: 1 };
  return {
    id,
    type: box.group === null ? 'environment' : 'group',
    position: { x, y },
    width,
    height,
    // Sizes are known: nothing has to be drawn to be measured, so what is out of sight never is.
    measured: { width, height },
    handles: [
      { type: 'target', position: Position.Left, x: 0, ...handle },
      { type: 'source', position: Position.Right, x: width, ...handle },
    ],
    data: { box },
  };
}

const THROUGH = ['SUCCEEDED', 'SKIPPED'];
const NOT_YET = ['PENDING', 'WAITING'];
/** What is against a start, as it stands on an edge. */
const HOLDS: Record<string, string> = {
  WaitingForApproval: 'approval',
  WaitingForWindow: 'window',
  WaitingForHold: 'on hold',
  WaitingForVersion: 'bad version',
  WaitingForEnvironment: 'occupied',
  WaitingForTurn: 'its turn',
};

function toEdge(
  { id, from, to }: Layout['edges'][number],
  layout: Layout,
  byName: Now['byName'],
  reasons: Now['reasons'],
): Edge {
  const of = (box: string): PromotionRead[] =>
    layout.boxes.find((each) => each.id === box)!.members.flatMap((name) => byName.get(name) ?? []);
  const [before, after] = [of(from), of(to)];
  const isPassed = after.some(({ status }) => !NOT_YET.includes(status));
  const isHeld = !isPassed && after.some(({ status }) => NOT_YET.includes(status));
  const isDone = before.every(({ status }) => THROUGH.includes(status));
  const label =
    isHeld && isDone ? after.flatMap(({ name }) => (reasons.get(name) ?? []).flatMap(holdOf))[0] : undefined;
  const kind = isPassed ? 'passed' : label !== undefined ? 'held' : isDone ? 'next' : 'idle';
  return {
    id,
    source: from,
    target: to,
    type: 'default',
    className: `edge ${kind}`,
    label,
    markerEnd: { type: MarkerType.ArrowClosed, color: `var(--edge-${kind})`, width: 18, height: 18 },
  };
}

const holdOf = ({ __typename }: { __typename?: string }): string[] =>
  __typename !== undefined && __typename in HOLDS ? [HOLDS[__typename]!] : [];

function viewportOf({ width, height }: Layout, frameWidth: number, frameHeight: number) {
  return getViewportForBounds({ x: 0, y: 0, width, height }, frameWidth, frameHeight, 0.3, 1, 0.02);
}

function EnvironmentNode({ data }: NodeProps<BoxNode>) {
  return (
    <>
      <Handle type="target" position={Position.Left} />
      <EnvironmentCard name={data.box.members[0]!} />
      <Handle type="source" position={Position.Right} />
    </>
  );
}

function EnvironmentCard({ name }: { name: string }) {
  const { byName, reasons, selected, reachable, onSelect } = useNowOfGraph();
  const promotion = byName.get(name);
  if (!promotion) return null;
  const reason = reasons.get(name)?.[0]?.message;
  const { tone } = lookOf(promotion.status);
  return (
    <button
      type="button"
      className={`environment-card edge-${tone}`}
      data-environment={name}
      aria-pressed={name === selected}
      tabIndex={name === reachable ? 0 : -1}
      onClick={() => onSelect(name)}
    >
      <span className="card-head">
        <strong>{name}</strong>
        {promotion.planned.production && <span className="chip">prod</span>}
      </span>
      <Status status={promotion.status} word={wordOf(promotion)} />
      <small>
        {promotion.startedAt ? (
          <>
            <Took from={promotion.startedAt} until={promotion.endedAt ?? null} />
            {commitsOf(promotion) && <span className="mono"> {commitsOf(promotion)}</span>}
          </>
        ) : promotion.earliestStart ? (
          <When at={promotion.earliestStart} />
        ) : (
          reason && without(name, reason)
        )}
      </small>
    </button>
  );
}

function GroupNode({ data: { box } }: NodeProps<BoxNode>) {
  const { byName, groups, toggle } = useNowOfGraph();
  const members = box.members.flatMap((name) => byName.get(name) ?? []);
  const group = groups.find(({ name }) => name === box.group);
  const worst = worstOf(members.map(({ status }) => status));
  const through = members.filter(({ status }) => THROUGH.includes(status)).length;
  return (
    <div className={`group-box ${box.isOpen ? 'open' : `closed edge-${lookOf(worst).tone}`}`}>
      <Handle type="target" position={Position.Left} />
      <Button className="group-head" aria-expanded={box.isOpen} onPress={() => toggle(box.group!)}>
        {box.isOpen ? <ChevronDown size={16} aria-hidden /> : <ChevronRight size={16} aria-hidden />}
        <strong>{box.group}</strong>
        <span className="numbers">
          {through}/{members.length}
        </span>
      </Button>
      {box.isOpen ? (
        box.members.map((name) => <EnvironmentCard key={name} name={name} />)
      ) : (
        <>
          <Status status={worst} />
          <small>{group?.reason}</small>
        </>
      )}
      <Handle type="source" position={Position.Right} />
    </div>
  );
}

const TYPES = { environment: EnvironmentNode, group: GroupNode };

/** Arrow keys: left and right to what comes before and after, up and down to the neighbour. */
function move(event: KeyboardEvent<HTMLDivElement>): void {
  const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
  const from = (event.target as HTMLElement).closest<HTMLElement>('[data-environment]');
  if (!step || !from) return;
  event.preventDefault();
  const cards = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-environment]')];
  const here = from.getBoundingClientRect();
  const [dx, dy] = step as [number, number];
  const near = cards
    .filter((each) => each !== from)
    .map((each) => {
      const there = each.getBoundingClientRect();
      const [x, y] = [there.x - here.x, there.y - here.y];
      return { each, along: x * dx + y * dy, across: Math.abs(x * dy) + Math.abs(y * dx) };
    })
    .filter(({ along }) => along > 8)
    // Along a row first: what lies aside is far.
    .sort((a, b) => a.along + 3 * a.across - (b.along + 3 * b.across))[0];
  near?.each.focus();
}
