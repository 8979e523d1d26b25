import { type Edge } from '@xyflow/react';
import { CirclePlus } from 'lucide-react';
import { createContext, memo, useContext, useMemo, useRef } from 'react';
import { Button } from 'react-aria-components';
import { useAll } from '../../api/read-all.ts';
import { ProductsDocument } from '../../generated/documents.ts';
import { Choose } from '../../parts/choose.tsx';
import { fixed } from '../../parts/picture.tsx';
import { connectTargets, type PromotionFlowSpec } from '../document/index.ts';
import { useChanges } from '../changes.tsx';
import { NO_PREVIEW } from '../draft.ts';
import { useBuilder, useBuilderStore } from '../state.ts';
import { Canvas } from './canvas.tsx';
import { NodeCard } from './card.tsx';
import { EDGE_TYPES, toEdges } from './edges.ts';
import { type CardNode, type Chart, NO_CHART, placeFlow, type Placed, SLOTS } from './place.ts';

const TYPES = { card: NodeCard };

export const ChartContext = createContext<Chart>(NO_CHART);
export const useChart = (): Chart => useContext(ChartContext);

/** Where everything stands; what does not have to move stays where it is, as long as the page is open. */
export function useChartOfFlow(): Chart {
  const spec = useBuilder(({ session }) => session.document.flow?.spec);
  const groups = useBuilder(({ catalogue }) => catalogue.groups);
  const tidied = useBuilder((state) => state.tidied);
  const opened = useBuilder((state) => state.opened);
  const changes = useChanges<PromotionFlowSpec>();
  const last = useRef({ chart: NO_CHART, tidied });
  const now = useRef(spec);
  now.current = spec;
  const structure = useMemo(() => spec && structureOf(spec), [spec]);
  return useMemo(() => {
    const { current: whole } = now;
    if (!whole || whole.triggerEnvironment === '') return NO_CHART;
    const before = last.current.tidied === tidied ? last.current.chart : NO_CHART;
    const chart = placeFlow(whole, groups, before, changes, opened);
    last.current = { chart, tidied };
    return chart;
  }, [structure, groups, changes, tidied, opened]);
}

/** What the layout depends on. A setting of a step is no part of it: the chart is the same one, and nothing is placed or drawn again. */
const structureOf = ({ triggerEnvironment, steps }: PromotionFlowSpec): string =>
  JSON.stringify([
    triggerEnvironment,
    steps.map(({ environment, group, name, workflow, dependsOn }) => [environment, group, name, workflow, dependsOn]),
  ]);

/** The flow from left to right. One tab stop; arrows go from node to node. */
export const FlowChart = memo(function FlowChart() {
  const chart = useChart();
  const ask = useBuilder((state) => state.ask);
  const isReadOnly = useBuilder(({ readOnly }) => readOnly !== null);
  const isCurrent = useBuilder(({ session }) => session.document.isCurrent);
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
      <Strip />
      <FlowCanvas chart={chart} />
    </section>
  );
});

const RELEASE_HOOKS = [
  ['onStart', 'at its start'],
  ['onSuccess', 'after success'],
  ['onFail', 'after a failure'],
] as const;

/** Above the chart: what belongs to the release as a whole, and whose policies the connectors show. */
function Strip() {
  const store = useBuilderStore();
  const hooks = useBuilder(({ session }) => session.document.flow?.spec.hooks);
  const product = useBuilder((state) => state.product);
  const names = useAll(ProductsDocument).nodes?.map(({ name }) => name) ?? [];
  return (
    <div className="chart-strip">
      <span className="hint">Hooks of the release:</span>
      {RELEASE_HOOKS.map(([key, when]) => {
        const workflow = hooks?.[key];
        return (
          <Button
            key={key}
            className={workflow === undefined ? 'link-button unset' : 'link-button'}
            aria-label={`Hook of the release ${when}: ${workflow ?? 'not set'}`}
            onPress={() => store.getState().jump({ node: null, field: ['hooks', key] })}
          >
            {when}
            {workflow !== undefined && `: ${workflow}`}
          </Button>
        );
      })}
      {names.length > 0 && (
        <Choose
          label="Policies of"
          value={product ?? undefined}
          choices={names}
          none="no product"
          isInline
          onChange={(chosen) => store.setState({ product: chosen ?? null })}
        />
      )}
    </div>
  );
}

function FlowCanvas({ chart }: { chart: Chart }) {
  const store = useBuilderStore();
  const selected = useBuilder(({ session }) => session.selection.node);
  const preview = useBuilder((state) => state.preview);
  const known = useRef(new Map<Placed, CardNode>());
  const nodes = useMemo(() => {
    // What did not move is the same node, and is not drawn again.
    const made = new Map(chart.nodes.map((each) => [each, known.current.get(each) ?? toNode(each)]));
    known.current = made;
    return [...made.values()];
  }, [chart]);
  const knownEdges = useRef(new Map<string, Edge>());
  const edges = useMemo(() => {
    const made = toEdges(chart.edges, preview).map((each) => {
      const before = knownEdges.current.get(each.id);
      return before && isSameEdge(before, each) ? before : each;
    });
    knownEdges.current = new Map(made.map((each) => [each.id, each]));
    return made;
  }, [chart, preview]);
  const { show, edit, ask, say, select, jump } = store.getState();
  return (
    <Canvas<CardNode>
      chart={chart}
      nodes={nodes}
      edges={edges}
      nodeTypes={TYPES}
      edgeTypes={EDGE_TYPES}
      selected={selected}
      onSelect={(name) => select(name)}
      onEdge={({ data }) => {
        const { to, at } = data as { to: string; at: number };
        jump({ node: to, field: at < 0 ? ['dependsOn'] : ['dependsOn', at] });
      }}
      drag={{
        connecting: preview.connecting,
        targetsOf(from) {
          const { session, catalogue } = store.getState();
          const targets = connectTargets(session.document, catalogue, from);
          return new Map(targets.map(({ name, reason }) => [name, reason]));
        },
        show: (dragged) => show(dragged ? { connecting: dragged } : NO_PREVIEW),
        connect: (from, to) => void edit({ type: 'connect', from, to }),
        addAfter: (node) => ask({ is: 'add', node, place: 'after' }),
        refuse: say,
        inWords: (from, to) => `${to} will wait for ${from}`,
      }}
    />
  );
}

const toNode = (placed: Placed): CardNode => ({
  ...fixed(placed, { inset: placed.kind === 'workflow' ? SLOTS - 8 : 0, size: 16 }),
  id: placed.name,
  type: 'card',
  data: { placed },
});

const isSameEdge = (a: Edge, b: Edge): boolean =>
  a.className === b.className && a.type === b.type && a.label === b.label && a.data?.['at'] === b.data?.['at'];
