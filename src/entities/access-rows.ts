import { Column, Entity, Generated, Index, PrimaryColumn } from 'typeorm';
import type { AuditOutcome, AuditObject } from '../core/access/audit.ts';
import type { Grant, Role, SessionOrigin, SubjectKind } from '../core/access/index.ts';
import type { Maker } from '../core/caller.ts';
import type { EnvironmentSelector, Selector } from '../core/definitions.ts';

/** A token without its secret: only a hash is kept. Revoked and expired ones stay, as history. */
@Entity('api_token')
export class ApiTokenRow {
  /** The part of the token that may be shown. */
  @PrimaryColumn({ type: 'text' })
  id!: string;

  /** sha-256 of the whole token, hex. */
  @Column({ type: 'text' })
  hash!: string;

  /** What it is for, in its maker's words. */
  @Column({ type: 'text' })
  name!: string;

  /** Whom it speaks for. */
  @Column({ name: 'subject_kind', type: 'text' })
  subjectKind!: Exclude<SubjectKind, 'GROUP'>;

  @Column({ type: 'text' })
  subject!: string;

  /** The person's groups when it was made by themselves: what is granted to these, at the time of use, is granted to the person. */
  @Column({ type: 'jsonb', default: [] })
  groups!: string[];

  /**
   * Who stands behind it: its maker, the maker of the token with which that was done, and so on; never the one it speaks for.
   * Null: it was made by a version that did not know.
   */
  @Column({ type: 'jsonb', nullable: true })
  makers!: Maker[] | null;

  /** Null: whatever is granted to the subject, as it is at the time. */
  @Column({ type: 'jsonb', nullable: true })
  scope!: Grant[] | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column({ name: 'created_by', type: 'text', nullable: true })
  createdBy!: string | null;

  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt!: Date | null;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt!: Date | null;

  @Column({ name: 'revoked_by', type: 'text', nullable: true })
  revokedBy!: string | null;

  /** To the minute. */
  @Column({ name: 'last_used_at', type: 'timestamptz', nullable: true })
  lastUsedAt!: Date | null;
}

/** A role for a person, service account or group, for products × environments. */
@Entity('role_grant')
@Index('role_grant_subject', ['subjectKind', 'subject'])
export class RoleGrantRow {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ name: 'subject_kind', type: 'text' })
  subjectKind!: SubjectKind;

  @Column({ type: 'text' })
  subject!: string;

  @Column({ type: 'text' })
  role!: Role;

  @Column({ type: 'jsonb' })
  products!: Selector;

  @Column({ type: 'jsonb' })
  environments!: EnvironmentSelector;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column({ name: 'created_by', type: 'text', nullable: true })
  createdBy!: string | null;
}

/**
 * A person's or program's session with the web app: what a cookie stands for, without the cookie, of which only a hash is kept. Ended ones stay
 * for a month, as history.
 */
@Entity('web_session')
@Index('web_session_subject', ['subjectKind', 'subject', 'id'])
@Index('web_session_open', { synchronize: false })
export class WebSessionRow {
  /** May be shown; later ones are greater, as bytes. */
  @PrimaryColumn({ type: 'text' })
  id!: string;

  /** sha-256 of the cookie's value, hex. */
  @Index('web_session_hash', { unique: true })
  @Column({ type: 'text' })
  hash!: string;

  @Column({ type: 'text' })
  origin!: SessionOrigin;

  @Column({ name: 'subject_kind', type: 'text' })
  subjectKind!: Exclude<SubjectKind, 'GROUP'>;

  @Column({ type: 'text' })
  subject!: string;

  /** As the identity provider named them last; of a session of a token they are the token's. */
  @Column({ type: 'jsonb' })
  groups!: string[];

  /** The identity provider whose word the session rests on; null: it rests on a token of this server. */
  @Column({ type: 'text', nullable: true })
  issuer!: string | null;

  /** What that provider calls the person, its claim `sub`: it says so when the person is signed out there. Null: unknown, or no provider. */
  @Column({ name: 'provider_subject', type: 'text', nullable: true })
  providerSubject!: string | null;

  /** The session there, its claim `sid`. */
  @Column({ name: 'provider_session', type: 'text', nullable: true })
  providerSession!: string | null;

  /** The API token that was swapped for the session. */
  @Column({ name: 'token_id', type: 'text', nullable: true })
  tokenId!: string | null;

  /** sha-256 of the token that was swapped, API token or admin token: the session is good as long as the token is the same. */
  @Column({ name: 'token_hash', type: 'text', nullable: true })
  tokenHash!: string | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  /** To the minute. */
  @Column({ name: 'last_used_at', type: 'timestamptz' })
  lastUsedAt!: Date;

  /** When it ends whatever is done with it. */
  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt!: Date;

  @Column({ name: 'ended_at', type: 'timestamptz', nullable: true })
  endedAt!: Date | null;

  /** Null: it ended by itself, or a caller without a name ended it. */
  @Column({ name: 'ended_by', type: 'text', nullable: true })
  endedBy!: string | null;

  /** In words that its owner reads. */
  @Column({ name: 'end_reason', type: 'text', nullable: true })
  endReason!: string | null;

  /** From where the sign-in came. */
  @Column({ type: 'text', nullable: true })
  address!: string | null;

  @Column({ name: 'user_agent', type: 'text', nullable: true })
  userAgent!: string | null;

  /** When the identity provider is asked whether the session may go on; null: never. Whoever asks moves it first. */
  @Column({ name: 'renew_at', type: 'timestamptz', nullable: true })
  renewAt!: Date | null;

  /** The provider's tokens, sealed: JSON of `refreshToken` and `idToken`. */
  @Column({ name: 'key_id', type: 'text', nullable: true })
  keyId!: string | null;

  @Column({ type: 'bytea', nullable: true })
  nonce!: Buffer | null;

  @Column({ type: 'bytea', nullable: true })
  sealed!: Buffer | null;
}

/** One row: counts the changes of tokens, grants and sessions, so that open subscriptions learn of them in one small read. */
@Entity('access_clock')
export class AccessClockRow {
  @PrimaryColumn({ type: 'integer' })
  id!: number;

  @Column({ type: 'bigint' })
  revision!: string;
}

/** Every command, except those of anonymous callers, and what became of it. Append-only: triggers refuse UPDATE, DELETE and TRUNCATE. */
@Entity('audit_log')
@Index('audit_log_of_actor', { synchronize: false })
@Index('audit_log_actor', ['actor', 'id'])
export class AuditLogRow {
  @PrimaryColumn({ type: 'bigint' })
  @Generated('increment')
  id!: string;

  /** Of the command: it has one entry. */
  @Index('audit_log_once', { unique: true })
  @Column({ type: 'uuid' })
  command!: string;

  @Column({ type: 'timestamptz', default: () => 'clock_timestamp()' })
  at!: Date;

  /** Null: a server without authentication. */
  @Column({ type: 'text', nullable: true })
  actor!: string | null;

  @Column({ name: 'actor_kind', type: 'text', nullable: true })
  actorKind!: 'PERSON' | 'SERVICE_ACCOUNT' | null;

  /** What showed who it was: a token's id, or the issuer of a JWT. */
  @Column({ type: 'text', nullable: true })
  credential!: string | null;

  /** The command: the name of the mutation. */
  @Column({ type: 'text' })
  action!: string;

  @Column({ type: 'text' })
  transport!: string;

  @Column({ type: 'text', nullable: true })
  address!: string | null;

  @Column({ name: 'user_agent', type: 'text', nullable: true })
  userAgent!: string | null;

  /** Secrets masked. */
  @Column({ type: 'jsonb' })
  input!: unknown;

  @Column({ type: 'text' })
  outcome!: AuditOutcome;

  /** Why not, where it was refused. */
  @Column({ type: 'jsonb', nullable: true })
  reasons!: string[] | null;

  @Column({ type: 'jsonb', nullable: true })
  before!: unknown;

  @Column({ type: 'jsonb', nullable: true })
  after!: unknown;

  /** What was changed; one entry per thing. */
  @Column({ type: 'jsonb' })
  objects!: AuditObject[];
}
