import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { CandidateStatus, TriggerState } from '../core/trigger/candidate.ts';
import type { NewsKind } from '../core/trigger/change.ts';
import type { CandidateFacts } from '../core/trigger/kept.ts';

/** Where an application of a trigger environment stood when it was looked at last: what is not newer makes no candidate. */
@Entity('trigger_cursor')
export class TriggerCursorRow {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'PK_trigger_cursor' })
  application!: string;

  /** Compare-and-set: of two looks at once the second one looks again. */
  @Column({ type: 'integer' })
  revision!: number;

  /** What was looked at, in words: another repository, branch or folder begins anew. */
  @Column({ type: 'text' })
  place!: string;

  /** The head of the branch; null for a driver without commits. */
  @Column({ type: 'text', nullable: true })
  head!: string | null;

  /** The last commit up to that head that touched the application's folder. */
  @Column({ name: 'commit_id', type: 'text', nullable: true })
  commit!: string | null;

  /** Of a driver without commits: what was reported to run. */
  @Column({ type: 'text', nullable: true })
  version!: string | null;

  /** Of the content that a release would promote. */
  @Column({ type: 'text', nullable: true })
  digest!: string | null;

  /** How often the branch left the commits that it had. */
  @Column({ type: 'integer', default: 0 })
  epoch!: number;

  /** What came of the last change, in words. */
  @Column({ type: 'text' })
  outcome!: string;

  @Column({ name: 'moved_at', type: 'timestamptz' })
  movedAt!: Date;

  @Column({ name: 'looked_at', type: 'timestamptz' })
  lookedAt!: Date;

  /** Why the last look failed; null: it did not. */
  @Column({ type: 'text', nullable: true })
  error!: string | null;
}

/** What may become a release, or what became of it; a row stays for good. */
@Entity('candidate')
@Index('candidate_newest', ['createdAt', 'id'])
@Index('candidate_of_product', ['product', 'createdAt', 'id'])
@Index('candidate_of_environment', ['product', 'environment', 'createdAt', 'id'])
@Index('candidate_due', ['dueAt'], { where: 'due_at IS NOT NULL' })
@Index('candidate_open', ['product', 'environment'], { where: 'ended_at IS NULL' })
export class CandidateRow {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'PK_candidate' })
  id!: string;

  /** sha-256 (hex) of `candidateKey`: the same state of the same environment on the same flow is one candidate, for good. */
  @Index('candidate_once', { unique: true })
  @Column({ type: 'text' })
  key!: string;

  /** Compare-and-set. */
  @Column({ type: 'integer', default: 1 })
  revision!: number;

  @Column({ type: 'text' })
  product!: string;

  @Column({ type: 'text' })
  flow!: string;

  @Column({ type: 'text' })
  environment!: string;

  @Column({ type: 'jsonb' })
  state!: TriggerState;

  @Column({ type: 'text' })
  kind!: NewsKind;

  @Column({ type: 'text' })
  status!: CandidateStatus;

  /** What it waits for, or what came of it, in words. */
  @Column({ type: 'text' })
  reason!: string;

  @Column({ type: 'jsonb' })
  facts!: CandidateFacts;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  /** When it is looked at next; null: it has ended. A process that takes it moves this ahead. */
  @Column({ name: 'due_at', type: 'timestamptz', nullable: true })
  dueAt!: Date | null;

  /** When the pushes that belong to it are over. */
  @Column({ name: 'coalesced_at', type: 'timestamptz' })
  coalescedAt!: Date;

  /** When it is given up. */
  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt!: Date;

  @Column({ name: 'ended_at', type: 'timestamptz', nullable: true })
  endedAt!: Date | null;

  /** Tries in a row that failed. */
  @Column({ type: 'integer', default: 0 })
  attempts!: number;

  @Column({ name: 'release_id', type: 'uuid', nullable: true })
  releaseId!: string | null;

  @Column({ name: 'superseded_by', type: 'uuid', nullable: true })
  supersededBy!: string | null;

  /** Who released it at once, tried it again or dismissed it; null: nobody did. */
  @Column({ type: 'text', nullable: true })
  actor!: string | null;
}

/** Nothing becomes a release by itself while it lasts. A row stays for good: taken back, it is history. */
@Entity('trigger_pause')
@Index('trigger_pause_holds', { synchronize: false })
export class TriggerPauseRow {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'PK_trigger_pause' })
  id!: string;

  /** Null: of all products. */
  @Column({ type: 'text', nullable: true })
  product!: string | null;

  @Column({ type: 'text' })
  reason!: string;

  @Column({ type: 'text', nullable: true })
  actor!: string | null;

  @Column({ type: 'timestamptz' })
  since!: Date;

  /** When it ends by itself; null: when it is taken back. */
  @Column({ type: 'timestamptz', nullable: true })
  until!: Date | null;

  @Column({ name: 'resumed_at', type: 'timestamptz', nullable: true })
  resumedAt!: Date | null;

  @Column({ name: 'resumed_by', type: 'text', nullable: true })
  resumedBy!: string | null;
}

/** Whose commits those of an address are, as administrators say. */
@Entity('git_identity')
export class GitIdentityRow {
  /** In small letters. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'PK_git_identity' })
  email!: string;

  /** As callers are named. */
  @Column({ name: 'user_name', type: 'text' })
  user!: string;

  @Column({ type: 'text', nullable: true })
  actor!: string | null;

  @Column({ type: 'timestamptz' })
  at!: Date;
}
