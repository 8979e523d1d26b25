/**
 * Who asks. Commands are told `Caller | null`; null where the server runs without authentication, on loopback alone: whoever
 * reaches it may do everything, and is nobody in particular.
 */
export interface Caller {
  /** A person's or a service account's name: what `actor` of events and of the audit log shows. */
  name: string;
  kind: 'PERSON' | 'SERVICE_ACCOUNT';
  groups: string[];
  /** Names of roles that are granted to the caller, directly or through a group. */
  roles: string[];
}
