/**
 * Who asks. Commands are told `Caller | null`; null where the server runs without authentication, on loopback alone: a caller that
 * reaches it may do everything, and has no name.
 */
export interface Caller {
  /** A person's or a service account's name: what `actor` of events and of the audit log shows. */
  name: string;
  kind: 'PERSON' | 'SERVICE_ACCOUNT';
  groups: string[];
  /** Names of roles that are granted to the caller, directly or through a group. */
  roles: string[];
  /** Who made the credential with which the caller came, who made the one with which that was made, and so on. */
  makers?: readonly Maker[];
}

/** The caller who made a token, or a link in a person's name. */
export interface Maker {
  /** As callers are named; null: it was made on a server that asks for no name. */
  name: string | null;
  /**
   * Was ADMIN without limits, or is trusted by such an ADMIN to bring the decisions of others: two credentials of one such maker are
   * not taken for one person's.
   */
  unlimited: boolean;
}
