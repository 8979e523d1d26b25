import { LogIn } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button, Dialog, Form, Heading, Input, Label, Modal, ModalOverlay, TextField } from 'react-aria-components';
import { ROOT } from '../api/place.ts';
import { hasProvider, loginAddress, signedIn, swap, useSession } from '../api/session.ts';
import { Problem } from '../parts/problem.tsx';
import { useTitle } from './title.ts';
import './sign-in.css';

/** In place of the page: nobody has signed in here yet. */
export function SignInPage() {
  useTitle('Sign in');
  const { pathname, search, hash } = window.location;
  return (
    <div className="card sign-in">
      <h1>Sign in</h1>
      <Ways onProvider={() => window.location.assign(loginAddress(pathname + search + hash))} />
    </div>
  );
}

/** Over the page, which stays as it is: the session is over. */
export function SessionOver({ reason }: { reason: string }) {
  const [isOpen, setOpen] = useState(true);
  const [isBlocked, setBlocked] = useState(false);
  if (!isOpen)
    return (
      <Button className="button primary sign-in-again" onPress={() => setOpen(true)}>
        <LogIn size={16} aria-hidden />
        Sign in again
      </Button>
    );
  const inWindow = (): void => {
    const opened = window.open(
      loginAddress(`${ROOT.pathname}signed-in`),
      'sluice-sign-in',
      'popup,width=520,height=680',
    );
    setBlocked(opened === null);
  };
  return (
    <ModalOverlay className="overlay" isOpen onOpenChange={setOpen}>
      <Modal className="modal">
        <Dialog className="dialog" role="alertdialog">
          <Heading slot="title">Your session is over</Heading>
          <p>Nothing on this page is lost. Sign in again, and it goes on where it is.</p>
          <p className="hint">{reason}</p>
          {isBlocked && <Problem>The browser does not open the window. Allow it to this page, or use a token.</Problem>}
          <Ways onProvider={inWindow} />
          <div className="actions">
            <Button className="button" onPress={() => setOpen(false)}>
              Look at the page first
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** How soon the server is asked again how one can sign in, in milliseconds. */
const AGAIN_MS = 3_000;

/** At the identity provider, where there is one, or with a token. */
function Ways({ onProvider }: { onProvider: () => void }) {
  const [provider, setProvider] = useState<boolean | string>();
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isGone = false;
    const look = async (): Promise<void> => {
      const found = await hasProvider();
      if (isGone) return;
      setProvider(found);
      if (typeof found === 'string') timer = setTimeout(() => void look(), AGAIN_MS);
    };
    void look();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, []);
  if (provider === undefined) return null;
  return (
    <>
      {typeof provider === 'string' && <Problem>{provider}</Problem>}
      {provider === true && (
        <>
          <Button className="button primary" onPress={onProvider} autoFocus>
            <LogIn size={16} aria-hidden />
            Sign in with your identity provider
          </Button>
          <p className="or">or</p>
        </>
      )}
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          setBusy(true);
          void swap(token).then((why) => {
            setBusy(false);
            setProblem(why);
          });
        }}
      >
        <TextField
          className="field"
          value={token}
          onChange={setToken}
          isRequired
          type="password"
          autoComplete="off"
          autoFocus={provider === false}
        >
          <Label>API token</Label>
          <Input />
        </TextField>
        <p className="hint">
          It is swapped for a session, which can do what the token can and ends with it at the latest. This page does
          not keep it.
        </p>
        {problem !== null && <Problem>{problem}</Problem>}
        <Button className={provider === true ? 'button' : 'button primary'} type="submit" isPending={busy}>
          Sign in with the token
        </Button>
      </Form>
    </>
  );
}

/** What the window shows in which somebody has signed in again; it closes itself where the browser lets it. */
export function SignedIn() {
  useEffect(() => {
    void signedIn().then(() => window.close());
  }, []);
  const isOver = useSession((state) => state.over !== null);
  return (
    <main className="card sign-in">
      <h1>{isOver ? 'You are not signed in' : 'You are signed in'}</h1>
      <p>Close this window and go on in the one before.</p>
    </main>
  );
}
