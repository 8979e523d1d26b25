import { Boxes, Flag, type LucideIcon, Server, Workflow } from 'lucide-react';
import { memo, useDeferredValue, useEffect, useMemo, useRef } from 'react';
import { Button, ListLayout, Tree, TreeItem, TreeItemContent, Virtualizer } from 'react-aria-components';
import { layoutOf } from '../../../../src/core/flow.ts';
import { Mark, useChanges } from './changes.tsx';
import { useProblemsAt } from './problems.tsx';
import { useBuilder, useDocument } from './state.ts';

interface Item {
  id: string;
  name: string;
  kind: string;
  /** What it waits for, and what else stands under it. */
  details: { id: string; text: string }[];
}

const ICONS: Record<string, LucideIcon> = { trigger: Flag, environment: Server, group: Boxes, workflow: Workflow };
const MEMBER = ' member ';

/** A row is as high as its words need; until it is seen it counts as two lines. */
const ROWS = { estimatedRowSize: 46 };

/** The flow as a list in its order, with all that the chart can do: an equal editor, and the one for a screen reader. */
export const Outline = memo(function Outline() {
  // Behind the chart: a click there is answered first.
  const { flow } = useDeferredValue(useDocument());
  const selected = useBuilder(({ session }) => session.selection.node);
  const select = useBuilder((state) => state.select);
  const groups = useBuilder(({ catalogue }) => catalogue.groups);
  const items = useMemo(() => {
    if (!flow || flow.spec.triggerEnvironment === '') return [];
    const { nodes } = layoutOf(flow.spec, groups);
    const last = nodes.length;
    return [...nodes]
      .sort((a, b) => (a.rank ?? last) - (b.rank ?? last))
      .map(({ name, kind, step, environments }): Item => {
        const { dependsOn = [] } = flow.spec.steps[step] ?? {};
        const members = kind === 'group' ? environments : [];
        return {
          id: name,
          name,
          kind: kind === 'trigger' ? 'trigger environment' : `${kind} after ${dependsOn.join(', ') || 'nothing'}`,
          details: members.map((text) => ({ id: `${name}${MEMBER}${text}`, text })),
        };
      });
  }, [flow, groups]);
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    // What is selected elsewhere comes into sight; a row that is far away is not drawn yet.
    const tree = nav.current?.querySelector('.outline-tree');
    if (selected === null || !tree || tree.contains(document.activeElement)) return;
    const row = tree.querySelector(`[data-key="${CSS.escape(selected)}"]`);
    if (row) {
      // By hand: the page around it stays where it is.
      const [inner, outer] = [row.getBoundingClientRect(), tree.getBoundingClientRect()];
      tree.scrollTop += Math.min(0, inner.top - outer.top) + Math.max(0, inner.bottom - outer.bottom);
    } else tree.scrollTop = items.findIndex(({ id }) => id === selected) * ROWS.estimatedRowSize;
    // When the order changes, nothing is scrolled.
  }, [selected]);
  return (
    <nav className="outline" aria-label="Outline of the flow" ref={nav}>
      <Button className={selected === null ? 'outline-flow selected' : 'outline-flow'} onPress={() => select(null)}>
        <strong>{flow?.name || 'The flow'}</strong>
        <small>settings of the flow</small>
      </Button>
      <Virtualizer layout={ListLayout} layoutOptions={ROWS}>
        <Tree
          aria-label="Steps"
          className="outline-tree"
          selectionMode="single"
          selectionBehavior="replace"
          selectedKeys={selected === null ? [] : [selected]}
          onSelectionChange={(keys) => {
            const [key] = keys === 'all' ? [] : [...keys];
            if (key !== undefined) select(String(key).split(MEMBER)[0]!);
          }}
          items={items}
          renderEmptyState={() => <p className="hint">No environment yet.</p>}
        >
          {(item) => <Row item={item} />}
        </Tree>
      </Virtualizer>
    </nav>
  );
});

function Row({ item }: { item: Item }) {
  const Icon = ICONS[item.kind.split(' ')[0]!] ?? Server;
  return (
    <TreeItem id={item.id} textValue={`${item.name}, ${item.kind}`}>
      <TreeItemContent>
        {({ hasChildItems, isExpanded }) => (
          <span className="outline-row">
            {hasChildItems ? (
              <Button slot="chevron" className="chevron" aria-label={isExpanded ? 'Close' : 'Open'}>
                <span aria-hidden>{isExpanded ? '▾' : '▸'}</span>
              </Button>
            ) : (
              <span className="chevron" />
            )}
            <Icon size={14} aria-hidden />
            <span className="outline-text">
              <strong>{item.name}</strong>
              <small>{item.kind}</small>
            </span>
            <Signs name={item.id} />
          </span>
        )}
      </TreeItemContent>
      {item.details.map(({ id, text }) => (
        <TreeItem key={id} id={id} textValue={text}>
          <TreeItemContent>
            <span className="outline-row member">
              <span className="chevron" />
              {text}
            </span>
          </TreeItemContent>
        </TreeItem>
      ))}
    </TreeItem>
  );
}

/** Read by itself: a problem elsewhere draws no row again. */
function Signs({ name }: { name: string }) {
  const problems = useProblemsAt(name);
  const change = useChanges()?.nodes.get(name)?.change;
  return (
    <>
      {change && <Mark change={change} />}
      {problems.length > 0 && <span className="mark error">{problems.length}</span>}
    </>
  );
}
