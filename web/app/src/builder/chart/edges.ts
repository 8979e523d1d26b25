import type { Edge } from '@xyflow/react';
import { arrow } from '../../parts/picture.tsx';
import type { Preview } from '../draft.ts';
import { ChangedEdge, type EdgeData } from './changed-edge.tsx';
import type { DrawnEdge } from './drawn.ts';

export const EDGE_TYPES = { changed: ChangedEdge };

/** Edges as they are drawn, with what differs from what is saved and with what a removal would do. */
export function toEdges(
  edges: readonly DrawnEdge[],
  { removed = [], reconnected = [] }: Pick<Preview, 'removed' | 'reconnected'>,
): Edge<EdgeData>[] {
  const drawn = edges.map(({ id, from, to, member, at, change }): Edge<EdgeData> => {
    const goes = change === 'REMOVED' || removed.includes(from) || removed.includes(to);
    return {
      id,
      ...(change && { type: 'changed' }),
      source: from,
      target: to,
      data: { from: member ?? from, to, at, member, change },
      className: goes ? 'edge goes' : change === 'ADDED' ? 'edge new' : 'edge idle',
      ...(member !== undefined && !change && { label: member }),
      interactionWidth: 18,
      markerEnd: arrow(goes ? 'bad' : change === 'ADDED' ? 'good' : 'edge-idle'),
    };
  });
  const coming = reconnected.map(({ from, to }): Edge<EdgeData> => ({
    id: `new ${from} > ${to}`,
    source: from,
    target: to,
    className: 'edge comes',
    data: { from, to, at: -1 },
  }));
  return [...drawn, ...coming];
}
