import { create } from 'zustand';
import { now } from './clock.ts';

export interface Connection {
  /** `idle`: nothing is followed on this page. */
  stream: 'idle' | 'connecting' | 'live' | 'lost';
  /** Whether the last question reached the server. */
  reachable: boolean;
  /** When the server was heard last, in milliseconds since the epoch, by its clock; null: not yet. */
  asOf: number | null;
}

/** What the header shows of the connection, in one place for the whole app. */
export const useConnection = create<Connection>(() => ({ stream: 'idle', reachable: true, asOf: null }));

const set = useConnection.setState;

export const heard = (): void => set({ asOf: now(), reachable: true });
export const unreachable = (): void => set({ reachable: false });
export const streamIs = (stream: Connection['stream']): void => set({ stream });
