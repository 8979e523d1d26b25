import {
  type Edge,
  getViewportForBounds,
  type Node,
  type ReactFlowInstance,
  type ReactFlowProps,
  useStore,
  type Viewport,
} from '@xyflow/react';
import { type PointerEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { nearest, Picture } from '../../parts/picture.tsx';
import type { Box, Connecting, Drawn } from './drawn.ts';

/** Below it a card is a name and a colour. */
const FAR = 0.45;
/** No smaller when it is opened: the letters of a card are read. */
const READABLE = 0.7;
const MARGIN = 16;

interface CanvasProps<N extends Node> {
  chart: Drawn;
  nodes: N[];
  edges: Edge[];
  nodeTypes: NonNullable<ReactFlowProps<N>['nodeTypes']>;
  edgeTypes?: NonNullable<ReactFlowProps<N>['edgeTypes']>;
  selected: string | null;
  onSelect: (name: string | null) => void;
  onEdge: (edge: Edge) => void;
  onReady?: (flow: ReactFlowInstance<N>) => void;
  /** How edges are dragged. */
  drag: {
    connecting: Connecting | undefined;
    targetsOf: (from: string) => ReadonlyMap<string, string | null>;
    show: (connecting: Connecting | undefined) => void;
    connect: (from: string, to: string) => void;
    /** It was dropped where nothing is. */
    addAfter: (from: string) => void;
    /** It was dropped where it cannot end. */
    refuse: (reason: string) => void;
    /** "eu waits for staging". */
    inWords: (from: string, to: string) => string;
  };
  children?: ReactNode;
}

/** Nodes and edges that are panned, zoomed, walked by arrows and connected by dragging. The view moves for what is selected, and for nothing else. */
export function Canvas<N extends Node>({
  chart,
  selected,
  onSelect,
  onEdge,
  onReady,
  drag,
  children,
  ...picture
}: CanvasProps<N>) {
  const frame = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<Viewport>();
  const [flow, setFlow] = useState<ReactFlowInstance<N>>();
  const { connecting } = drag;
  const [over, setOver] = useState<string>();
  // A drag that is on its way asks for what holds when it ends.
  const now = useRef({ drag, onSelect, onEdge, onReady });
  now.current = { drag, onSelect, onEdge, onReady };
  // Always the same functions: for others every edge would be drawn again.
  const handlers = useMemo(
    (): Partial<ReactFlowProps<N>> => ({
      onInit(made) {
        setFlow(made);
        now.current.onReady?.(made);
      },
      onPaneClick: () => now.current.onSelect(null),
      onEdgeClick: (_, edge) => now.current.onEdge(edge),
      onConnectStart(_, { nodeId }) {
        const { show, targetsOf } = now.current.drag;
        setOver(undefined);
        if (nodeId !== null) show({ from: nodeId, targets: targetsOf(nodeId) });
      },
      isValidConnection: ({ target }) => now.current.drag.connecting?.targets.get(target) === null,
      onConnectEnd(event, { toNode }) {
        const { connecting: dragged, ...ends } = now.current.drag;
        ends.show(undefined);
        if (!dragged) return;
        const { from, targets } = dragged;
        const { clientX, clientY } = 'changedTouches' in event ? event.changedTouches[0]! : event;
        const to = toNode?.id ?? nodeAt(clientX, clientY);
        if (to === undefined) return ends.addAfter(from);
        const reason = targets.get(to);
        if (reason === null) ends.connect(from, to);
        else if (to !== from) ends.refuse(reason ?? `${to} cannot wait for ${from}`);
      },
    }),
    [],
  );
  useEffect(() => {
    const { clientWidth: width, clientHeight: height } = frame.current!;
    setView(firstView(chart, { width, height }));
    // Once: later the view moves for what is selected alone.
  }, []);
  useKeepMiddle(frame, flow);
  useShowSelected(chart, selected, flow, frame);
  const look = ({ clientX, clientY }: PointerEvent): void => {
    if (connecting) setOver(nodeAt(clientX, clientY));
  };
  return (
    <div
      className="canvas"
      ref={frame}
      onPointerMove={connecting && look}
      onKeyDown={(event) => walk(event, chart, onSelect)}
    >
      {view && (
        <Picture<N>
          {...picture}
          {...handlers}
          defaultViewport={view}
          minZoom={0.08}
          maxZoom={1.6}
          zoomActivationKeyCode={null}
          connectOnClick={false}
          connectionRadius={28}
        >
          <Distance />
          {children}
        </Picture>
      )}
      {connecting && <Verdict connecting={connecting} over={over} inWords={drag.inWords} />}
    </div>
  );
}

/** Before it is dropped: what the drop would do here, or why it cannot be. */
function Verdict({
  connecting: { from, targets },
  over,
  inWords,
}: {
  connecting: Connecting;
  over: string | undefined;
  inWords: CanvasProps<Node>['drag']['inWords'];
}) {
  const reason = over === undefined || over === from ? undefined : targets.get(over);
  const isRefused = typeof reason === 'string';
  const words =
    reason === undefined
      ? `Drag to what waits for ${from}; drop where nothing is to add something`
      : (reason ?? inWords(from, over!));
  return (
    <p className={isRefused ? 'verdict refused' : 'verdict'} role="status">
      <span aria-hidden>{isRefused ? '⦸ ' : reason === null ? '✓ ' : ''}</span>
      {words}
    </p>
  );
}

function nodeAt(x: number, y: number): string | undefined {
  const found = document.elementFromPoint(x, y)?.closest('.react-flow__node');
  return found?.querySelector<HTMLElement>('[data-node]')?.dataset['node'];
}

/** All of it where that can be read; else its beginning, and the rest by panning. */
function firstView({ nodes, width, height }: Drawn, frame: { width: number; height: number }) {
  const bounds = { x: 0, y: 0, width: Math.max(width, 1), height: Math.max(height, 1) };
  const { x, y, zoom } = getViewportForBounds(bounds, frame.width, frame.height, READABLE, 1, '8px');
  const first = nodes.reduce<Box | undefined>((left, each) => (left && left.x <= each.x ? left : each), undefined);
  const middle = first ? first.y + first.height / 2 : 0;
  return {
    x: width * zoom > frame.width ? MARGIN : x,
    y: height * zoom > frame.height ? frame.height / 2 - middle * zoom : y,
    zoom,
  };
}

/** What was in the middle stays there when the editor comes, or the window changes. */
function useKeepMiddle<N extends Node>(
  frame: { current: HTMLDivElement | null },
  flow: ReactFlowInstance<N> | undefined,
) {
  useEffect(() => {
    if (!flow || !frame.current) return undefined;
    let before = frame.current.clientHeight;
    const observer = new ResizeObserver(() => {
      const { clientHeight: height } = frame.current!;
      const { x, y, zoom } = flow.getViewport();
      if (height !== before) void flow.setViewport({ x, y: y + (height - before) / 2, zoom });
      before = height;
    });
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, [flow, frame]);
}

/** What is selected elsewhere comes into sight; the view moves for nothing else. */
function useShowSelected<N extends Node>(
  chart: Drawn,
  selected: string | null,
  flow: ReactFlowInstance<N> | undefined,
  frame: { current: HTMLDivElement | null },
): void {
  useEffect(() => {
    const node = chart.nodes.find(({ name }) => name === selected);
    if (!flow || !node || !frame.current) return;
    const { x, y, zoom } = flow.getViewport();
    const { clientWidth, clientHeight } = frame.current;
    const [left, top] = [node.x * zoom + x, node.y * zoom + y];
    const isInSight =
      left >= 0 && top >= 0 && left + node.width * zoom <= clientWidth && top + node.height * zoom <= clientHeight;
    if (!isInSight)
      void flow.setCenter(node.x + node.width / 2, node.y + node.height / 2, { zoom: Math.max(zoom, READABLE) });
    const focused = document.activeElement?.closest<HTMLElement>('[data-node]')?.dataset['node'];
    if (frame.current.contains(document.activeElement) && focused !== node.name)
      requestAnimationFrame(() => focusNode(frame.current, node.name));
  }, [selected, chart, flow, frame]);
}

export function focusNode(within: HTMLElement | null, name: string): void {
  within?.querySelector<HTMLElement>(`[data-node="${CSS.escape(name)}"]`)?.focus({ preventScroll: true });
}

function walk(event: React.KeyboardEvent<HTMLElement>, chart: Drawn, onSelect: CanvasProps<Node>['onSelect']): void {
  const from = (event.target as HTMLElement).closest<HTMLElement>('[data-node]')?.dataset['node'];
  const here = chart.nodes.find(({ name }) => name === from);
  if (!here || event.ctrlKey || event.metaKey || event.altKey) return;
  const next = nearest(chart.nodes, here, event.key);
  if (!next) return;
  event.preventDefault();
  onSelect(next.name);
  // At once: the next arrow goes on from there, however soon it comes.
  focusNode(event.currentTarget, next.name);
}

/** Says how far away one looks: once when a threshold is crossed, and from there on in steps of a twentieth and not at each one of the wheel. */
function Distance() {
  const farZoom = useStore(({ transform: [, , zoom] }) => (zoom < FAR ? Math.max(1, Math.round(zoom * 20)) / 20 : 1));
  const marker = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const canvas = marker.current?.closest<HTMLElement>('.canvas');
    canvas?.classList.toggle('far', farZoom < 1);
    canvas?.style.setProperty('--real-size', String(1 / farZoom));
  }, [farZoom]);
  return <span ref={marker} hidden />;
}
