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
/** What tabs tell each other: somebody has signed out here, has signed in here, or is here. */
type Told = 'out' | 'in' | { here: string | null };

/** Other tabs, and the window in which somebody signs in again. */
const tabs = new BroadcastChannel('sluice-session');
tabs.addEventListener('message', ({ data }: MessageEvent<Told>) => {
  const { over: words, name } = useSession.getState();
  // Who signs out leaves the machine to others: what is shown goes, too.
  if (data === 'out') window.location.reload();
  else if (data === 'in' || words !== null || (name !== undefined && data.here !== name)) void goOn();
});

// A page that the browser has kept for "back" shows what was there before somebody signed out.
window.addEventListener('pageshow', ({ persisted }) => persisted && window.location.reload());

/** The viewer is known from now on; another person begins with an empty page, in every tab. */
export function here(name: string | null): void {
  const { name: before } = useSession.getState();
  if (before === name) return;
  if (before !== undefined) return window.location.reload();
  useSession.setState({ name });
  tabs.postMessage({ here: name } satisfies Told);
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
  return answer?.ok ? signedIn() : wordsOf(answer);
}

/** In this tab or in a window of its own; every tab goes on. */
export async function signedIn(): Promise<null> {
  tabs.postMessage('in' satisfies Told);
  await goOn();
  return null;
}

/**
 * Ends the session, also at the identity provider where it has an address for that.
 * @returns why not, in the server's words: the person is signed in still
 */
export async function signOut(): Promise<string | null> {
  const answer = await post('auth/logout', {});
  if (!answer?.ok) return wordsOf(answer);
  tabs.postMessage('out' satisfies Told);
  const { next } = (await answer.json()) as { next: string | null };
  window.location.assign(next ?? ROOT.href);
  return null;
}

/** Where signing in begins; it ends at `path` of this app. */
export const loginAddress = (path: string): string => addressOf(`auth/login?return_to=${encodeURIComponent(path)}`);

/** Whether people can sign in at an identity provider; a text: why that is not known, in the server's words. */
export async function hasProvider(): Promise<boolean | string> {
  const answer = await fetch(addressOf('auth')).catch(() => null);
  if (!answer?.ok) return wordsOf(answer);
  return ((await answer.json()) as { identityProvider: boolean }).identityProvider;
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
  // Read also where it refuses: the browser keeps the connection of an answer that is not.
  const told = (await answer?.json().catch(() => null)) as { data?: { viewer: { name: string | null } } | null } | null;
  return answer?.ok ? told?.data?.viewer.name : undefined;
}

/** Of an answer that refuses; null: there is none. What stands in front of the server has no words for people. */
async function wordsOf(answer: Response | null): Promise<string> {
  if (answer === null) return 'The server cannot be reached.';
  const told = (await answer.json().catch(() => null)) as { errors?: { message: string }[] } | null;
  return told?.errors?.[0]?.message ?? `The server answers ${answer.status}.`;
}

const post = (path: string, body: object): Promise<Response | null> =>
  fetch(addressOf(path), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...OWN_PAGE },
    body: JSON.stringify(body),
  }).catch(() => null);
