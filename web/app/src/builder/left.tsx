import { Button } from 'react-aria-components';
import { calledThe, hasNode } from './document/index.ts';
import { useDraft, useDraftStore } from './draft.ts';
import type { FormHelp } from './forms/form.tsx';

/** What fields of what is selected do with what is typed in them. */
export function useTyping(): Pick<FormHelp, 'keepTyping' | 'back' | 'tookBack'> {
  const { keepTyping, tookBack } = useDraftStore().getState();
  const back = useDraft(({ back: typing, session }) => (typing?.node === session.selection.node ? typing : null));
  return { keepTyping, back, tookBack };
}

/** A tab ended, such as by a crash, while something stood in a field: it is offered, and put back into the field when it is wanted. */
export function Left() {
  const store = useDraftStore();
  const left = useDraft((state) => state.left);
  const document = useDraft(({ session }) => session.document);
  const revision = useDraft(({ session }) => session.base.revision);
  const isReadOnly = useDraft(({ readOnly }) => readOnly !== null);
  if (left === null || isReadOnly) return null;
  const isThere = hasNode(document, left.node);
  const { forget, putBack } = store.getState();
  return (
    <section className="note newer" aria-label="Typed and not taken in">
      <p role="status">
        The page ended while <code>{left.text || 'nothing'}</code> stood in <code>{left.field}</code> of{' '}
        {left.node ?? calledThe(document)}. It was not taken in.
        {left.revision !== null && left.revision !== revision && ` It was typed at revision ${left.revision}.`}
        {!isThere && ` The draft does not have ${left.node} any more.`}
      </p>
      <div className="actions">
        {isThere && (
          <Button className="button small" onPress={putBack}>
            Put it back into the field
          </Button>
        )}
        <Button className="button small" onPress={forget}>
          Forget it
        </Button>
      </div>
    </section>
  );
}
