import '@xyflow/react/dist/base.css';
import { Controls, type Edge, MarkerType, type Node, Position, ReactFlow, type ReactFlowProps } from '@xyflow/react';

/** With so many nodes, only those in sight are drawn. */
const MANY = 60;

/** A graph that is looked at: nodes stand where they are given, keys are those of the page, and one tab stop is enough. */
export function Picture<N extends Node>({ children, nodes = [], ...more }: ReactFlowProps<N>) {
  return (
    <ReactFlow
      nodes={nodes}
      onlyRenderVisibleElements={nodes.length > MANY}
      nodesDraggable={false}
      nodesFocusable={false}
      edgesFocusable={false}
      elementsSelectable={false}
      disableKeyboardA11y
      deleteKeyCode={null}
      selectionKeyCode={null}
      multiSelectionKeyCode={null}
      panActivationKeyCode={null}
      zoomOnDoubleClick={false}
      {...more}
    >
      {children}
      <Controls showInteractive={false} />
    </ReactFlow>
  );
}

interface Stands {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where a node stands and how large it is. Sizes are known: nothing is drawn to be measured, so what is out of sight never is. */
export function fixed(
  { x, y, width, height }: Stands,
  { inset = 0, size = 1 }: { inset?: number; size?: number } = {},
) {
  const handle = { y: (height - size) / 2, width: size, height: size };
  return {
    position: { x, y },
    width,
    height,
    measured: { width, height },
    handles: [
      { type: 'target' as const, position: Position.Left, x: inset, ...handle },
      { type: 'source' as const, position: Position.Right, x: width - size / 2, ...handle },
    ],
  };
}

/** The head of an edge in a colour of the theme. */
export const arrow = (color: string): NonNullable<Edge['markerEnd']> => ({
  type: MarkerType.ArrowClosed,
  color: `var(--${color})`,
  width: 18,
  height: 18,
});

const STEPS: Record<string, readonly [number, number]> = {
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
  ArrowDown: [0, 1],
  ArrowUp: [0, -1],
};

/** The box that an arrow key leads to from another one: along a row first, what lies aside is far. */
export function nearest<T extends Stands>(boxes: readonly T[], here: T, key: string): T | undefined {
  const step = STEPS[key];
  if (!step) return undefined;
  const [dx, dy] = step;
  return boxes
    .filter((each) => each !== here)
    .map((each) => {
      const x = each.x - here.x;
      const y = each.y + each.height / 2 - (here.y + here.height / 2);
      return { each, along: x * dx + y * dy, across: Math.abs(x * dy) + Math.abs(y * dx) };
    })
    .filter(({ along, across }) => along > 8 && (dx !== 0 || across < here.width))
    .sort((a, b) => a.along + 3 * a.across - (b.along + 3 * b.across))[0]?.each;
}
