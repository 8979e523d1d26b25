import { create } from 'zustand';

export interface Connection {
  /** `idle`: nothing is followed on this page. `refused`: the server wants to know who is calling. */
  stream: 'idle' | 'connecting' | 'live' | 'lost';
  /** Whether the last question reached the server. */
  reachable: boolean;
  /** When the server was heard last, in milliseconds since the epoch; null: not yet. */
  asOf: number | null;
  /** The server's own words when it wants a token; null: it does not. */
  refused: string | null;
}

/** What the header shows of the connection, in one place for the whole app. */
export const useConnection = create<Connection>(() => ({ stream: 'idle', reachable: true, asOf: null, refused: null }));

const set = useConnection.setState;

export const heard = (): void => set({ asOf: Date.now(), reachable: true });
export const unreachable = (): void => set({ reachable: false });
export const streamIs = (stream: Connection['stream']): void => set({ stream });
export const refused = (words: string): void => set({ refused: words });
export const admitted = (): void => set({ refused: null });
