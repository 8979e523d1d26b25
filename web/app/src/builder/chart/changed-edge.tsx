import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from '@xyflow/react';

interface Ends {
  sourceX: number;
  sourceY: number;
  targetX: number;
  targetY: number;
}

/** What a click on an edge has to know of it, and what is drawn at it. */
export type EdgeData = {
  from: string;
  to: string;
  at: number;
  member?: string | undefined;
  change?: 'ADDED' | 'REMOVED' | undefined;
};

const SIGNS = { ADDED: { sign: '+', word: 'new' }, REMOVED: { sign: '−', word: 'gone' } };

/** Half of the room between two columns. */
const BEFORE_TARGET = 26;

/** An edge that came or went: a sign that is seen also from far, and words. They stand in the room before what it leads to: no card is there. */
export function ChangedEdge({ data, ...edge }: EdgeProps<Edge<EdgeData>>) {
  const [path] = getBezierPath(edge);
  const { x, y } = beforeTarget(edge);
  const { member, change } = data!;
  const { sign, word } = SIGNS[change!];
  return (
    <>
      <BaseEdge path={path} markerEnd={edge.markerEnd} interactionWidth={edge.interactionWidth} />
      <EdgeLabelRenderer>
        <span className="edge-place" style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}>
          <span className="edge-change">
            {member !== undefined && <span className="far-hidden">{member} </span>}
            {sign}
            <span className="far-hidden"> {word}</span>
          </span>
        </span>
      </EdgeLabelRenderer>
    </>
  );
}

/** The point of the curve that lies so far left of its end; of a short one its middle. */
function beforeTarget({ sourceX, sourceY, targetX, targetY }: Ends): { x: number; y: number } {
  const way = targetX - sourceX;
  if (way < 2 * BEFORE_TARGET) return { x: (sourceX + targetX) / 2, y: (sourceY + targetY) / 2 };
  const wanted = targetX - BEFORE_TARGET;
  // Both handles of the curve are half of the way long, and level.
  const bend = sourceX + way / 2;
  const at = (t: number, from: number, by: number, to: number): number =>
    (1 - t) ** 3 * from + 3 * (1 - t) ** 2 * t * by + 3 * (1 - t) * t ** 2 * (from + to - by) + t ** 3 * to;
  let [low, high] = [0, 1];
  for (let halved = 0; halved < 20; halved += 1) {
    const t = (low + high) / 2;
    if (at(t, sourceX, bend, targetX) < wanted) low = t;
    else high = t;
  }
  return { x: wanted, y: at(low, sourceY, sourceY, targetY) };
}
