import { createContext, useContext, useDeferredValue, useMemo } from 'react';
import { Diff as DiffIcon, Minus, Plus, SquarePen } from 'lucide-react';
import { Button } from 'react-aria-components';
import { count } from '../parts/words.ts';
import { type Changed, changesBetween, type FlowChanges, openDocument } from './document/index.ts';
import { useBuilder, useBuilderStore, useDocument } from './state.ts';

/** How a change looks and what it is called: never told by a colour alone. */
export const LOOK: Record<Changed, { word: string; icon: typeof Plus; className: string }> = {
  ADDED: { word: 'new', icon: Plus, className: 'is-new' },
  REMOVED: { word: 'removed', icon: Minus, className: 'is-gone' },
  CHANGED: { word: 'changed', icon: SquarePen, className: 'is-changed' },
};

export const ChangesContext = createContext<FlowChanges | null>(null);
/** What differs from the saved flow; null while nobody wants to see it. */
export const useChanges = (): FlowChanges | null => useContext(ChangesContext);

export function useChangesOfFlow(): FlowChanges | null {
  const isShown = useBuilder((state) => state.isDiffShown);
  const base = useBuilder(({ session }) => session.base.text);
  const catalogue = useBuilder((state) => state.catalogue);
  const document = useDeferredValue(useDocument());
  const saved = useMemo(() => (isShown ? openDocument(base) : undefined), [isShown, base]);
  return useMemo(() => (saved ? changesBetween(saved, document, catalogue) : null), [saved, document, catalogue]);
}

/** A sign on a card or in a row. */
export function Mark({ change }: { change: Changed }) {
  const { word, icon: Icon, className } = LOOK[change];
  return (
    <span className={`change-mark ${className}`}>
      <Icon size={12} aria-hidden />
      {word}
    </span>
  );
}

/** Everything that the draft changes, in words; a click leads there. */
export function ChangeList() {
  const changes = useChanges();
  const store = useBuilderStore();
  const { flow } = useDocument();
  const { revision } = useBuilder(({ session }) => session.base);
  if (!changes) return null;
  const { nodes, edges, flow: ofFlow } = changes;
  const many = nodes.size + edges.length + ofFlow.length;
  const since = revision === null ? 'the empty flow' : `revision ${revision}`;
  const jump = (node: string | null) => store.getState().select(node);
  return (
    <section className="note change-list" aria-label="Changes">
      <p>
        <DiffIcon size={14} aria-hidden />
        {many === 0 ? `Nothing differs from ${since}.` : `${count(many, 'difference')} from ${since}`}
      </p>
      <ul className="changes">
        {ofFlow.map((words) => (
          <li key={words}>
            <Mark change="CHANGED" />
            <Button className="link-button" onPress={() => jump(null)}>
              {flow?.name ?? 'the flow'}
            </Button>
            {words}
          </li>
        ))}
        {[...nodes].map(([name, { change, words }]) => (
          <li key={name}>
            <Mark change={change} />
            {change === 'REMOVED' ? (
              <strong>{name}</strong>
            ) : (
              <Button className="link-button" onPress={() => jump(name)}>
                {name}
              </Button>
            )}
            {words.join('; ')}
          </li>
        ))}
        {edges.map(({ from, to, change }) => (
          <li key={`${change} ${from} > ${to}`}>
            <Mark change={change} />
            {from} → {to}
          </li>
        ))}
      </ul>
    </section>
  );
}
