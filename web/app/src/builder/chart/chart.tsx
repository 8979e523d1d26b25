import '@xyflow/react/dist/base.css';
import {
  Controls,
  type Edge,
  getViewportForBounds,
  MarkerType,
  Position,
  ReactFlow,
  type ReactFlowInstance,
  useStore,
} from '@xyflow/react';
import { CirclePlus } from 'lucide-react';
import { createContext, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { Button } from 'react-aria-components';
import { connectTargets } from '../document/index.ts';
import { useBuilder, useBuilderStore, useDocument } from '../state.ts';
import { type CardNode, type Chart, neighbour, placeFlow, type Placed, SLOTS } from './place.ts';
import { NodeCard } from './card.tsx';

const TYPES = { card: NodeCard };
/** Below it a card is a name and a colour. */
const FAR = 0.45;
/** With so many nodes, only those in sight are drawn. */
const MANY = 60;
/** No smaller when it is opened. */
const READABLE = 0.55;
const MARGIN = 16;

/** The chart as it is placed: keys and searches look at it, and not at what happens to be drawn. */
export const ChartContext = createContext<Chart>({ nodes: [], edges: [], width: 0, height: 0 });
export const useChart = (): Chart => useContext(ChartContext);

export function useChartOfFlow(): Chart {
  const spec = useBuilder(({ session }) => session.document.flow?.spec);
  const groups = useBuilder(({ catalogue }) => catalogue.groups);
  return useMemo(
    () =>
      spec && spec.triggerEnvironment !== '' ? placeFlow(spec, groups) : { nodes: [], edges: [], width: 0, height: 0 },
    [spec, groups],
  );
}

/** The flow from left to right. One tab stop; arrows go from node to node. */
export function FlowChart() {
  const chart = useChart();
  const ask = useBuilder((state) => state.ask);
  const isReadOnly = useBuilder(({ readOnly }) => readOnly !== null);
  const { isCurrent } = useDocument();
  if (chart.nodes.length === 0) {
    return (
      <div className="chart chart-empty">
        <Button className="begin" isDisabled={isReadOnly} onPress={() => ask({ is: 'trigger-environment' })}>
          <CirclePlus size={22} aria-hidden />
          Choose the trigger environment
        </Button>
        <p className="hint">A version arrives there first. Everything else comes after it.</p>
      </div>
    );
  }
  return (
    <section
      className={isCurrent ? 'chart' : 'chart stale'}
      aria-label="Chart of the flow. Arrow keys go from node to node, question mark lists all keys."
    >
      {!isCurrent && <p className="stale-note">The text cannot be read now: this is the flow as it was.</p>}
      <Canvas chart={chart} />
    </section>
  );
}

function Canvas({ chart }: { chart: Chart }) {
  const store = useBuilderStore();
  const selected = useBuilder(({ session }) => session.selection.node);
  const preview = useBuilder((state) => state.preview);
  const nodes = useMemo(() => chart.nodes.map(toNode), [chart]);
  const edges = useMemo(() => toEdges(chart, preview.reconnected, preview.removed), [chart, preview]);
  const frame = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<{ width: number; height: number }>();
  const [flow, setFlow] = useState<ReactFlowInstance<CardNode, Edge>>();
  useEffect(() => {
    const { clientWidth: width, clientHeight: height } = frame.current!;
    setSize({ width, height });
  }, []);
  useKeepMiddle(frame, flow);
  useShowSelected(chart, selected, flow, frame);
  return (
    <div className="canvas" ref={frame} onKeyDown={(event) => walk(event, chart, store)}>
      {size && (
        <ReactFlow
          nodes={nodes}
          edges={edges}
          nodeTypes={TYPES}
          onInit={setFlow}
          defaultViewport={viewOf(chart, size)}
          minZoom={0.08}
          maxZoom={1.6}
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
          zoomActivationKeyCode={null}
          zoomOnDoubleClick={false}
          connectOnClick={false}
          connectionRadius={28}
          onPaneClick={() => store.getState().select(null)}
          onEdgeClick={(_, { data }) => {
            const { to, at } = data as { to: string; at: number };
            store.getState().jump({ node: to, field: at < 0 ? ['dependsOn'] : ['dependsOn', at] });
          }}
          onConnectStart={(_, { nodeId }) => {
            const { session, catalogue, show } = store.getState();
            if (nodeId === null) return;
            const targets = new Map(
              connectTargets(session.document, catalogue, nodeId).map(({ name, reason }) => [name, reason]),
            );
            show({ connecting: { from: nodeId, targets } });
          }}
          isValidConnection={({ target }) => store.getState().preview.connecting?.targets.get(target) === null}
          onConnect={({ source, target }) => store.getState().edit({ type: 'connect', from: source, to: target })}
          onConnectEnd={(_, { fromNode, toNode, isValid }) => {
            const {
              preview: { connecting },
              show,
              say,
              ask,
            } = store.getState();
            show({});
            if (isValid || !fromNode) return;
            if (toNode === null) ask({ is: 'add', node: fromNode.id, place: 'after' });
            else if (toNode.id !== fromNode.id)
              say(connecting?.targets.get(toNode.id) ?? `${toNode.id} cannot wait for ${fromNode.id}`);
          }}
          proOptions={{ hideAttribution: false }}
        >
          <Distance />
          <Controls showInteractive={false} />
        </ReactFlow>
      )}
    </div>
  );
}

/** All of it where that can be read; else its beginning, and the rest by panning. */
function viewOf({ width, height }: Chart, frame: { width: number; height: number }) {
  const bounds = { x: 0, y: 0, width: Math.max(width, 1), height: Math.max(height, 1) };
  const { x, y, zoom } = getViewportForBounds(bounds, frame.width, frame.height, READABLE, 1, 0.06);
  return { x: Math.max(x, MARGIN), y: height * zoom > frame.height ? MARGIN : y, zoom };
}

/** What was in the middle stays there when the editor comes, or the window changes. */
function useKeepMiddle(frame: { current: HTMLDivElement | null }, flow: ReactFlowInstance<CardNode, Edge> | undefined) {
  useEffect(() => {
    if (!flow || !frame.current) return undefined;
    let before = frame.current.clientHeight;
    const observer = new ResizeObserver(() => {
      const { clientHeight: height } = frame.current!;
      const { x, y, zoom } = flow.getViewport();
      void flow.setViewport({ x, y: y + (height - before) / 2, zoom });
      before = height;
    });
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, [flow, frame]);
}

function toNode(placed: Placed): CardNode {
  const { name, x, y, width, height } = placed;
  const handle = { y: height / 2 - 8, width: 16, height: 16 };
  return {
    id: name,
    type: 'card',
    position: { x, y },
    width,
    height,
    // Sizes are known: nothing has to be drawn to be measured.
    measured: { width, height },
    handles: [
      { type: 'target', position: Position.Left, x: placed.kind === 'trigger' ? SLOTS - 8 : 0, ...handle },
      { type: 'source', position: Position.Right, x: width - 8, ...handle },
    ],
    data: { placed },
  };
}

function toEdges(
  { edges }: Chart,
  added: readonly { from: string; to: string }[] = [],
  removed: readonly string[] = [],
): Edge[] {
  const drawn = edges.map(({ id, from, to, member }): Edge => {
    const at = edges.filter((each) => each.to === to).findIndex((each) => each.id === id);
    const goes = removed.includes(from) || removed.includes(to);
    return {
      id,
      source: from,
      target: to,
      data: { from: member ?? from, to, at },
      className: goes ? 'edge goes' : 'edge idle',
      ...(member !== undefined && { label: member }),
      interactionWidth: 18,
      markerEnd: {
        type: MarkerType.ArrowClosed,
        color: goes ? 'var(--bad)' : 'var(--edge-idle)',
        width: 18,
        height: 18,
      },
    };
  });
  const coming = added.map(({ from, to }): Edge => ({
    id: `new ${from} > ${to}`,
    source: from,
    target: to,
    className: 'edge comes',
    data: { from, to, at: -1 },
  }));
  return [...drawn, ...coming];
}

/** What is selected elsewhere comes into sight; the view moves for nothing else. */
function useShowSelected(
  chart: Chart,
  selected: string | null,
  flow: ReactFlowInstance<CardNode, Edge> | undefined,
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
      void flow.setCenter(node.x + node.width / 2, node.y + node.height / 2, { zoom: Math.max(zoom, 0.6) });
    const hasFocus = frame.current.contains(document.activeElement);
    if (hasFocus) requestAnimationFrame(() => focusNode(frame.current, node.name));
  }, [selected, chart, flow, frame]);
}

export function focusNode(within: HTMLElement | null, name: string): void {
  within?.querySelector<HTMLElement>(`[data-node="${CSS.escape(name)}"]`)?.focus({ preventScroll: true });
}

function walk(event: React.KeyboardEvent, chart: Chart, store: ReturnType<typeof useBuilderStore>): void {
  const from = (event.target as HTMLElement).closest<HTMLElement>('[data-node]')?.dataset['node'];
  if (from === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const next = neighbour(chart, from, event.key);
  if (next === undefined) return;
  event.preventDefault();
  store.getState().select(next);
}

/** Says how far away one looks, once per threshold and not at each step of the wheel. */
function Distance() {
  const isFar = useStore(({ transform }) => transform[2] < FAR);
  const marker = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    marker.current?.closest('.canvas')?.classList.toggle('far', isFar);
  }, [isFar]);
  return <span ref={marker} hidden />;
}
