import type { Caller } from '../caller.ts';
import type { Grant } from './grants.ts';

/** Who asks, as a server with authentication found out. */
export interface Identity {
  caller: Caller;
  grants: readonly Grant[];
  /** Nobody said who: there is a caller of this name, who may nothing. */
  anonymous: boolean;
  /** What showed who it is, for the audit log: a token's id, or where a JWT came from. Never a secret. */
  credential: string | null;
  /** Milliseconds since the epoch; null: when somebody revokes it. */
  expiresAt: number | null;
}

export const ANONYMOUS: Identity = {
  caller: { name: 'anonymous', kind: 'PERSON', groups: [], roles: [] },
  grants: [],
  anonymous: true,
  credential: null,
  expiresAt: null,
};
