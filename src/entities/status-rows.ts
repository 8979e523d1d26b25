import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { StatusState } from '../core/gates/merge-state.ts';

/**
 * What the host of a repository is to say of a commit: a level. Whoever brings it there compares before and after; what is wanted last
 * is what is there at the end. src/jobs/status-sender.ts tells the life of a row.
 */
@Entity('commit_status')
@Index('commit_status_of_release', ['releaseId'])
@Index('commit_status_due', ['dueAt'], { where: 'due_at IS NOT NULL' })
@Index('commit_status_follows', { synchronize: false })
@Index('commit_status_refused', ['refusedSince'], { where: 'due_at IS NULL AND refused_since IS NOT NULL' })
export class CommitStatusRow {
  /** Its address, as definitions have it. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'PK_commit_status' })
  repository!: string;

  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'PK_commit_status' })
  sha!: string;

  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'PK_commit_status' })
  context!: string;

  /** MERGE: whether a pull request may be merged. RELEASE: how the release of this commit goes. */
  @Column({ type: 'text' })
  about!: 'MERGE' | 'RELEASE';

  @Column({ name: 'release_id', type: 'uuid' })
  releaseId!: string;

  /** Of the promotion; null: the release's. */
  @Column({ type: 'integer', nullable: true })
  position!: number | null;

  @Column({ type: 'text' })
  state!: StatusState;

  @Column({ type: 'text' })
  description!: string;

  @Column({ type: 'text', nullable: true })
  url!: string | null;

  /** Of what it follows from: an older one changes nothing. */
  @Column({ type: 'bigint', default: 0 })
  version!: string;

  /** Counts what was wanted. */
  @Column({ type: 'integer', default: 1 })
  generation!: number;

  /** The newest generation that the host has taken. */
  @Column({ type: 'integer', default: 0 })
  applied!: number;

  @Column({ name: 'applied_state', type: 'text', nullable: true })
  appliedState!: StatusState | null;

  @Column({ name: 'applied_at', type: 'timestamptz', nullable: true })
  appliedAt!: Date | null;

  /** When a sender may take it; null: there is nothing to send. */
  @Column({ name: 'due_at', type: 'timestamptz', nullable: true })
  dueAt!: Date | null;

  /** When the last call began. */
  @Column({ name: 'called_at', type: 'timestamptz', nullable: true })
  calledAt!: Date | null;

  /** A call is under way until then at the latest: no second one begins. */
  @Column({ name: 'busy_until', type: 'timestamptz', nullable: true })
  busyUntil!: Date | null;

  /** Calls that failed since what is wanted was wanted. */
  @Column({ type: 'integer', default: 0 })
  attempts!: number;

  @Column({ name: 'last_error', type: 'text', nullable: true })
  lastError!: string | null;

  /** Since when each call was refused for good; null: the last one was not. Without `due_at` it is given up. */
  @Column({ name: 'refused_since', type: 'timestamptz', nullable: true })
  refusedSince!: Date | null;

  /** Of a release: it may still change. */
  @Column({ type: 'boolean', default: false })
  follows!: boolean;
}

/** A commit that a merge queue is about to make the branch, and which pull requests of Sluice are in it; kept for a day. */
@Entity('merge_group')
export class MergeGroupRow {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'PK_merge_group' })
  repository!: string;

  @PrimaryColumn({ name: 'commit_id', type: 'text', primaryKeyConstraintName: 'PK_merge_group' })
  commit!: string;

  /** The branch that it is for. */
  @Column({ type: 'text' })
  base!: string;

  /** The promotions whose change is in it. */
  @Column({ type: 'jsonb' })
  members!: { releaseId: string; position: number }[];

  @Column({ name: 'seen_at', type: 'timestamptz', default: () => 'now()' })
  seenAt!: Date;
}
