import { type Edge, getViewportForBounds, Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { ChevronDown, ChevronRight } from 'lucide-react';
import { createContext, type KeyboardEvent, useContext, useMemo, useState } from 'react';
import { Button } from 'react-aria-components';
import type { ReasonFragment } from '../generated/documents.ts';
import { arrow, fixed, nearest, Picture } from '../parts/picture.tsx';
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
            <Picture
              nodes={nodes}
              edges={edges}
              nodeTypes={TYPES}
              defaultViewport={viewportOf(layout, width, height)}
              minZoom={0.1}
              maxZoom={1.5}
              nodesConnectable={false}
              zoomOnScroll={false}
              preventScrolling={false}
            />
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

const toNode = (box: Box): BoxNode => ({
  ...fixed(box),
  id: box.id,
  type: box.group === null ? 'environment' : 'group',
  data: { box },
});

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
    markerEnd: arrow(`edge-${kind}`),
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
  const from = (event.target as HTMLElement).closest<HTMLElement>('[data-environment]');
  if (!from || !event.key.startsWith('Arrow')) return;
  event.preventDefault();
  const boxOf = (card: HTMLElement) => {
    const { x, y, width, height } = card.getBoundingClientRect();
    return { card, x, y, width, height };
  };
  const boxes = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-environment]')].map(boxOf);
  nearest(
    boxes,
    boxes.find(({ card }) => card === from)!,
    event.key,
  )?.card.focus();
}
