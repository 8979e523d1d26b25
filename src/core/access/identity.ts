import type { Caller, Maker } from '../caller.ts';
import { EVERYTHING, mayDo } from './grants.ts';
import type { HeldGrant } from './grants.ts';
import type { Visibility } from './visibility.ts';

/** Who asks, as a server with authentication found out. */
export interface Identity {
  caller: Caller;
  grants: readonly HeldGrant[];
  /** The request named no caller: this identity has a name, and no permission. */
  anonymous: boolean;
  /** The grants are the scope of a token: more that is granted to the caller does not widen them. */
  scoped?: boolean;
  /** What showed who it is, for the audit log: a token's id, where a JWT came from, or a session. Never a secret. */
  credential: string | null;
  /**
   * Of a session: the credential that it rests on, as it would be called itself. Whatever is made in the session ends with that one, as if
   * it had been made with it.
   */
  restsOn?: string | null;
  /** Milliseconds since the epoch; null: when it is revoked. */
  expiresAt: number | null;
  /**
   * Of an API token that ends: its end, in milliseconds since the epoch. Nothing that is made with it and acts by itself later may
   * last longer. Absent for who signed in: a session ends, the person stays.
   */
  lasts?: number;
}

/** Who stands behind something that this caller makes: the caller, and everybody behind the credential. */
export function makersOf({ caller, grants }: Pick<Identity, 'caller' | 'grants'>, subject: string): Maker[] {
  const unlimited = mayDo(grants, 'MANAGE_ACCESS', EVERYTHING);
  const makers = [{ name: caller.name, unlimited }, ...(caller.makers ?? [])];
  return makers.filter(({ name }) => name !== subject);
}

/** Of a connection that stays open: read anew each time, both change while it is open. */
export interface LiveAccess {
  readonly identity: Identity;
  /** Null: everything. */
  readonly visibility: Visibility | null;
}

/** How a session of the web app came about: by the identity provider, or by a token that was swapped for it. */
export type SessionOrigin = 'IDENTITY_PROVIDER' | 'TOKEN';

/** How `Identity.credential`, and so the audit log, names a session of the web app. */
export const sessionCredential = (id: string): string => `session/${id}`;

export const ANONYMOUS: Identity = {
  caller: { name: 'anonymous', kind: 'PERSON', groups: [], roles: [] },
  grants: [],
  anonymous: true,
  credential: null,
  expiresAt: null,
};

const SERVICE_ACCOUNT = 'service-account/';
const GIT_SOURCE = 'git-source/';

/** As revisions and the audit log call a git source, by its name. */
export const sourceName = (source: string): string => GIT_SOURCE + source;

/** How a subject is called where callers are named. A program is told from a person by its name alone, wherever that is shown. */
export function callerName(kind: 'USER' | 'SERVICE_ACCOUNT', subject: string): string {
  return kind === 'USER' ? subject : `${SERVICE_ACCOUNT}${subject}`;
}

/** The name of the caller that uses `SLUICE_ADMIN_TOKEN`. */
export const ROOT = callerName('SERVICE_ACCOUNT', 'admin');

export const isReservedAccount = (name: string): boolean => name === ROOT;

/** Whether an identity provider's name would be taken for something else here. */
export function isReservedName(name: string): boolean {
  return [SERVICE_ACCOUNT, GIT_SOURCE].some((each) => name.startsWith(each)) || name === ANONYMOUS.caller.name;
}

/** Under which name and groups a caller has grants. */
export function holderOf({ kind, name, groups }: Caller): {
  kind: 'USER' | 'SERVICE_ACCOUNT';
  subject: string;
  groups: string[];
} {
  if (kind === 'PERSON') return { kind: 'USER', subject: name, groups };
  return { kind: 'SERVICE_ACCOUNT', subject: name.slice(SERVICE_ACCOUNT.length), groups };
}
