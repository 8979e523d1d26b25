import type { ReactNode } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Problem } from './problem.tsx';

interface OverProps {
  title: string;
  /** `whole`: as large as the window lets it, and closed by its own button alone. */
  size?: 'small' | 'wide' | 'whole';
  /** Why what was asked last was not done. */
  refusals?: readonly string[];
  /** Escape, a click beside it, or a button of its own. */
  onClose: () => void;
  children: ReactNode;
}

/** A question over the page, as long as it is there. */
export function Over({ title, size = 'small', refusals = [], onClose, children }: OverProps) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen
      isDismissable={size !== 'whole'}
      isKeyboardDismissDisabled={size === 'whole'}
      onOpenChange={(isOpen) => !isOpen && onClose()}
    >
      <Modal className={size === 'small' ? 'modal' : `modal ${size}`}>
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
