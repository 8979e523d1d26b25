import { useNavigate } from '@tanstack/react-router';
import { CircleUser, TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';
import {
  Button,
  Dialog,
  Heading,
  Menu,
  MenuItem,
  MenuTrigger,
  Modal,
  ModalOverlay,
  Popover,
} from 'react-aria-components';
import { useQuery } from 'urql';
import { here, signOut } from '../api/session.ts';
import { ViewerDocument } from '../generated/documents.ts';
import { Problem } from '../parts/problem.tsx';

/** Who is here, and what they can do about it. */
export function Who() {
  const [{ data }] = useQuery({ query: ViewerDocument });
  const navigate = useNavigate();
  const [problem, setProblem] = useState<string | null>(null);
  const viewer = data?.viewer;
  useEffect(() => {
    if (viewer) here(viewer.name);
  }, [viewer]);
  if (!viewer) return null;
  if (viewer.kind === 'ANONYMOUS')
    return (
      <span className="banner" title="Set SLUICE_ADMIN_TOKEN or an identity provider to change that">
        <TriangleAlert size={16} aria-hidden />
        <span>
          No sign-in<span className="long">: whoever reaches this server can do everything</span>
        </span>
      </span>
    );
  return (
    <>
      <MenuTrigger>
        <Button className="who" aria-label={`Signed in as ${viewer.name}`}>
          <CircleUser size={18} aria-hidden />
          <span>{viewer.name}</span>
        </Button>
        <Popover className="popover">
          <Menu
            className="who-menu"
            onAction={(key) => (key === 'out' ? void signOut().then(setProblem) : void navigate({ to: '/sessions' }))}
          >
            <MenuItem id="sessions">My sessions</MenuItem>
            <MenuItem id="out">Sign out</MenuItem>
          </Menu>
        </Popover>
      </MenuTrigger>
      <ModalOverlay className="overlay" isDismissable isOpen={problem !== null} onOpenChange={() => setProblem(null)}>
        <Modal className="modal">
          <Dialog className="dialog" role="alertdialog">
            <Heading slot="title">You are signed in still</Heading>
            <Problem>{problem ?? ''}</Problem>
            <div className="actions">
              <Button className="button" slot="close">
                Close
              </Button>
            </div>
          </Dialog>
        </Modal>
      </ModalOverlay>
    </>
  );
}
