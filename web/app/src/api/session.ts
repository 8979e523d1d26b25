import { create } from 'zustand';
import { addressOf, ROOT } from './place.ts';

/** What only pages of this server send: without it the session's cookie does not count. */
export const OWN_PAGE = { 'x-sluice-csrf': '1' };

export interface SessionState {
  /** The server's own words when it wants to know who is calling; null: it knows, or does not ask. */
  over: string | null;
  /** Who is here; undefined: nobody was yet. */
  name: string | null | undefined;
}

/** Whether the person on this page is signed in. The session itself is a cookie, which no script can read. */
export const useSession = create<SessionState>(() => ({ over: null, name: undefined }));

let waiting: (() => void)[] = [];
/** Other tabs, and the window in which somebody signs in again. */
const tabs = new BroadcastChannel('sluice-session');
tabs.addEventListener('message', ({ data }) =>
  data === 'in' ? void goOn() : over('You have signed out in another tab.'),
);

/** The viewer is known from now on; another person begins with an empty page. */
export function here(name: string | null): void {
  useSession.setState({ name });
}

function over(words: string): void {
  if (useSession.getState().over === null) useSession.setState({ over: words });
}

/**
 * Resolves when the person has signed in again: at once, and without a word, when another tab has done so.
 * @param words why the server does not know the caller, as it says it
 */
export function untilSignedIn(words: string): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    void goOn().then((isIn) => isIn || over(words));
  });
}

/** Swaps a token for a session. @returns why not, in the server's words; null: the person is signed in */
export async function swap(token: string): Promise<string | null> {
  const answer = await post('auth/token', { token });
  if (answer === null) return 'The server cannot be reached.';
  if (answer.ok) return signedIn();
  const { errors } = (await answer.json()) as { errors: { message: string }[] };
  return errors[0]?.message ?? 'The server refuses.';
}

/** In this tab or in a window of its own; every tab goes on. */
export async function signedIn(): Promise<null> {
  tabs.postMessage('in');
  await goOn();
  return null;
}

/** Ends the session, also at the identity provider where it has an address for that. */
export async function signOut(): Promise<void> {
  const answer = await post('auth/logout', {});
  if (!answer?.ok) return;
  tabs.postMessage('out');
  const { next } = (await answer.json()) as { next: string | null };
  window.location.assign(next ?? ROOT.href);
}

/** Where signing in begins; it ends at `path` of this app. */
export const loginAddress = (path: string): string => addressOf(`auth/login?return_to=${encodeURIComponent(path)}`);

/** Whether callers must sign in, and how they can. */
export async function waysIn(): Promise<{ required: boolean; identityProvider: boolean }> {
  const answer = await fetch(addressOf('auth'));
  return (await answer.json()) as { required: boolean; identityProvider: boolean };
}

/** Asks who is here now. The same person goes on where the page is; for another one what is shown is not theirs. */
async function goOn(): Promise<boolean> {
  const name = await viewer();
  if (name === undefined) return false;
  const before = useSession.getState().name;
  if (before !== undefined && before !== name) {
    window.location.reload();
    return true;
  }
  useSession.setState({ over: null, name });
  const all = waiting;
  waiting = [];
  for (const each of all) each();
  return true;
}

/** Undefined: the server does not know the caller, or does not answer. */
async function viewer(): Promise<string | null | undefined> {
  const answer = await post('graphql', { query: '{ viewer { name } }' });
  if (!answer?.ok) return undefined;
  const { data } = (await answer.json()) as { data?: { viewer: { name: string | null } } | null };
  return data?.viewer.name;
}

const post = (path: string, body: object): Promise<Response | null> =>
  fetch(addressOf(path), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...OWN_PAGE },
    body: JSON.stringify(body),
  }).catch(() => null);
