import { useRouterState } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Button, Label, TextArea, TextField } from 'react-aria-components';
import { create } from 'zustand';
import { Over } from './over.tsx';

/** A dialog that was open when the page took its button away. */
interface Gone {
  /** The page on which it was opened. */
  path: string;
  title: string;
  /** What is said of it; undefined: what can be said of anything. */
  whenGone: ReactNode;
  /** What was written in it, and what that was for. */
  label: string | undefined;
  words: string;
  /** What its order was answered, if there was one. */
  refusals: readonly string[];
}

const useGone = create<{ gone: Gone | null }>(() => ({ gone: null }));
const close = (): void => useGone.setState({ gone: null });

/** A person who has a dialog open is told that its button is gone, and nothing that is written in it is. */
export const leave = (gone: Gone): void => useGone.setState({ gone });

/** Once, over every page. Who has gone to another page is told nothing of the one before. */
export function Left() {
  const gone = useGone((state) => state.gone);
  const path = useRouterState({ select: () => window.location.pathname });
  if (gone === null || gone.path !== path) return null;
  const { title, whenGone, label, words, refusals } = gone;
  return (
    <Over title={title} refusals={refusals} onClose={close}>
      {whenGone ?? <p role="alert">There is nothing to do any more: somebody else was faster, or it has moved on.</p>}
      {words !== '' && (
        <TextField className="field" value={words} isReadOnly>
          <Label>{label}</Label>
          <TextArea rows={3} />
        </TextField>
      )}
      <div className="actions">
        <Button className="button" onPress={close}>
          Close
        </Button>
      </div>
    </Over>
  );
}
