import { createContext, type ReactNode, useContext, useDeferredValue, useMemo } from 'react';
import { Diff as DiffIcon, Minus, Plus, SquarePen } from 'lucide-react';
import { Button } from 'react-aria-components';
import { count } from '../parts/words.ts';
import {
  calledOf,
  calledThe,
  type Changed,
  type Changes,
  nameIn,
  openText,
  type TextDocument,
} from './document/index.ts';
import { useDraft, useDraftStore } from './draft.ts';

/** How a change looks and what it is called: never told by a colour alone. */
export const LOOK: Record<Changed, { word: string; icon: typeof Plus; className: string }> = {
  ADDED: { word: 'new', icon: Plus, className: 'is-new' },
  REMOVED: { word: 'removed', icon: Minus, className: 'is-gone' },
  CHANGED: { word: 'changed', icon: SquarePen, className: 'is-changed' },
};

const ChangesContext = createContext<Changes | null>(null);
/** What differs from what is saved; null while nobody wants to see it. S: what is saved. */
export const useChanges = <S,>(): Changes<S> | null => useContext(ChangesContext) as Changes<S> | null;

interface WithChangesProps<D extends TextDocument> {
  /** Always the same as long as what it knows is. */
  between: (saved: D, draft: D) => Changes | null;
  children: ReactNode;
}

/** Its children know what differs from what is saved. */
export function WithChanges<D extends TextDocument>({ between, children }: WithChangesProps<D>) {
  const isShown = useDraft((state) => state.isDiffShown);
  const base = useDraft(({ session }) => session.base.text);
  const document = useDeferredValue(useDraft(({ session }) => session.document)) as D;
  const { kind } = document;
  const saved = useMemo(() => (isShown ? openText<D>(kind, base) : undefined), [isShown, kind, base]);
  const changes = useMemo(() => (saved ? between(saved, document) : null), [saved, document, between]);
  return <ChangesContext value={changes}>{children}</ChangesContext>;
}

/** A sign on a card or in a row. */
export function Mark({ change }: { change: Changed }) {
  const { word, icon: Icon, className } = LOOK[change];
  return (
    <span className={`change-mark ${className}`}>
      <Icon size={12} aria-hidden />
      <span className="far-hidden">{word}</span>
    </span>
  );
}

/** Everything that the draft changes, in words; a click leads there. */
export function ChangeList() {
  const changes = useChanges();
  const store = useDraftStore();
  const document = useDraft(({ session }) => session.document);
  const { revision } = useDraft(({ session }) => session.base);
  if (!changes) return null;
  const { nodes, edges, whole } = changes;
  const many = nodes.size + edges.length + whole.length;
  const since = revision === null ? `the empty ${calledOf(document)}` : `revision ${revision}`;
  const jump = (node: string | null) => store.getState().select(node);
  return (
    <section className="note change-list" aria-label="Changes">
      <p>
        <DiffIcon size={14} aria-hidden />
        {many === 0 ? `Nothing differs from ${since}.` : `${count(many, 'difference')} from ${since}`}
      </p>
      <ul className="changes">
        {whole.map((words) => (
          <li key={words}>
            <Mark change="CHANGED" />
            <Button className="link-button" onPress={() => jump(null)}>
              {nameIn(document) || calledThe(document)}
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

/** What the draft says otherwise than what is saved of one part, while that is shown. */
export function Differences({ node }: { node: string }) {
  const found = useChanges()?.nodes.get(node);
  if (!found) return null;
  return (
    <p className="note">
      <Mark change={found.change} /> {found.words.join('; ')}
    </p>
  );
}

/** In place of the settings of a part that is drawn, or was selected, and is not in the draft. */
export function Gone({ node }: { node: string }) {
  const called = useDraft(({ session }) => calledOf(session.document));
  return (
    <>
      <p className="inspector-kind">Removed</p>
      <h2 tabIndex={-1}>{node}</h2>
      <p className="hint">The draft of the {called} does not have it. Undo brings back what was removed last.</p>
    </>
  );
}
