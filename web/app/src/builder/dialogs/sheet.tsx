import type { ReactNode } from 'react';
import { Over as OverPage } from '../../parts/over.tsx';
import { useDraft } from '../draft.ts';

/** A question over the draft. It is closed by Escape, and then nothing has happened. */
export function Over({
  title,
  wide = false,
  onClose,
  children,
}: {
  title: string;
  wide?: boolean;
  onClose: () => void;
  children: ReactNode;
}) {
  const refusals = useDraft((state) => state.refusals);
  return (
    <OverPage title={title} size={wide ? 'wide' : 'small'} refusals={refusals} onClose={onClose}>
      {children}
    </OverPage>
  );
}
