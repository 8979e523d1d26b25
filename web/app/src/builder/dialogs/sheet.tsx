import type { ReactNode } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Problem } from '../../parts/problem.tsx';
import { useBuilder } from '../state.ts';

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
  const refusals = useBuilder((state) => state.refusals);
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Modal className={wide ? 'modal wide' : 'modal'}>
        <Dialog className="dialog">
          <Heading slot="title">{title}</Heading>
          {children}
          {refusals.map((each) => (
            <Problem key={each}>{each}</Problem>
          ))}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
