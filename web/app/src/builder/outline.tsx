import { Boxes, Flag, type LucideIcon, Server, Workflow } from 'lucide-react';
import { useMemo } from 'react';
import { Button, Tree, TreeItem, TreeItemContent } from 'react-aria-components';
import { layoutOf } from '../../../../src/core/flow.ts';
import { useProblems } from './problems.tsx';
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

/** The flow as a list in its order, with all that the chart can do: an equal editor, and the one for a screen reader. */
export function Outline() {
  const { flow } = useDocument();
  const selected = useBuilder(({ session }) => session.selection.node);
  const select = useBuilder((state) => state.select);
  const groups = useBuilder(({ catalogue }) => catalogue.groups);
  const problems = useProblems();
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
  return (
    <nav className="outline" aria-label="Outline of the flow">
      <Button className={selected === null ? 'outline-flow selected' : 'outline-flow'} onPress={() => select(null)}>
        <strong>{flow?.name || 'The flow'}</strong>
        <small>settings of the flow</small>
      </Button>
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
        dependencies={[problems]}
        renderEmptyState={() => <p className="hint">No environment yet.</p>}
      >
        {(item) => <Row item={item} wrong={problems.filter(({ at }) => at.node === item.id).length} />}
      </Tree>
    </nav>
  );
}

function Row({ item, wrong }: { item: Item; wrong: number }) {
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
            {wrong > 0 && <span className="mark error">{wrong}</span>}
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
