import type { Origin } from '../heading.tsx';
import { useDraft } from '../draft.ts';
import { Keys } from './keys.tsx';
import { Discard, Export, Revisions } from './others.tsx';
import { type OnSaved, Propose, Save } from './save.tsx';

export interface OverDraftProps {
  close: () => void;
  onDiscard: () => Promise<void>;
  onSaved: OnSaved;
  /** It was saved by its dialog, under this name. */
  onShown: (name: string) => void;
}

/** What is asked over a draft of any kind. */
export function OverDraft({
  source,
  commands,
  close,
  onDiscard,
  onSaved,
  onShown,
}: OverDraftProps & Pick<Origin, 'source'> & { commands: readonly { keys: string; about: string }[] }) {
  const dialog = useDraft((state) => state.dialog);
  switch (dialog?.is) {
    case 'save':
      if (source === null) return <Save close={close} onSaved={onSaved} onShown={onShown} />;
      return <Propose source={source.source} close={close} />;
    case 'revisions':
      return <Revisions close={close} mayRestore={source === null} />;
    case 'discard':
      return <Discard close={close} onDiscard={onDiscard} />;
    case 'export':
      return <Export close={close} />;
    case 'keys':
      return <Keys commands={commands} close={close} />;
    default:
      return null;
  }
}
