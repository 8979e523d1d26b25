import { Column, Entity, Generated, Index, PrimaryColumn } from 'typeorm';
import type { HealthStatus } from '../core/definitions.ts';
import type { ReleaseEvent } from '../core/events.ts';
import type { Lane, Work } from '../core/effects.ts';
import type { ReleaseStatus, Verification } from '../core/release.ts';
import type { RollbackCause } from '../core/rollback/rollback.ts';
import type { Drift } from '../drivers/driver.ts';

/**
 * The log: a row for what a decision says in one go about one environment (store/event-rows.ts). `sequence` and `id` are those of the
 * row's last event; the view `logged_event` has a row for each event. `sequence` is gapless within its release, given under the release's
 * row lock. Across releases the order is (`position`, `id`): position is the writing transaction's id, or that of the release's event
 * before it where that is higher. A reader takes only positions below the oldest transaction that is still open, so a late commit can
 * never appear behind a cursor. The table is append-only: a trigger refuses UPDATE.
 */
@Entity('release_event')
@Index('release_event_of_product', { synchronize: false })
@Index('release_event_of_environment', { synchronize: false })
@Index('release_event_of_type', { synchronize: false })
@Index('release_event_log', ['position', 'id'])
export class ReleaseEventRow {
  @PrimaryColumn({ name: 'release_id', type: 'uuid' })
  releaseId!: string;

  @PrimaryColumn({ type: 'integer' })
  sequence!: number;

  @Column({ type: 'bigint' })
  position!: string;

  @Generated('increment')
  @Column({ type: 'bigint' })
  id!: string;

  @Column({ type: 'timestamptz' })
  at!: Date;

  @Column({ type: 'text' })
  product!: string;

  @Column({ name: 'release_status', type: 'text' })
  releaseStatus!: ReleaseStatus;

  @Column({ type: 'text', nullable: true })
  actor!: string | null;

  /** One event, or the list of several. */
  @Column({ type: 'jsonb' })
  event!: ReleaseEvent | ReleaseEvent[];
}

/** Work that a decision asked for and that is not done, or not in the queue, yet: jobs/hand-over.ts tells the life of a row. */
@Entity('outbox')
@Index('outbox_errands', ['releaseId'], { where: "lane = 'errand'" })
export class OutboxRow {
  /** The release and the name of the work in it: known before it is written. */
  @PrimaryColumn({ type: 'text' })
  key!: string;

  @Column({ name: 'release_id', type: 'uuid' })
  releaseId!: string;

  @Column({ type: 'text', default: 'queue' })
  lane!: Lane;

  @Column({ type: 'jsonb' })
  work!: Work;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  /** When a sweep may claim it. */
  @Column({ name: 'due_at', type: 'timestamptz', default: () => 'now()' })
  dueAt!: Date;

  /** How often it was claimed. */
  @Column({ type: 'integer', default: 0 })
  attempts!: number;

  /** Why the last attempt failed; null: none has. */
  @Column({ name: 'last_error', type: 'text', nullable: true })
  lastError!: string | null;
}

/** A version became current in an application's environment: for history and for rollback. */
@Entity('deployment')
@Index('deployment_live', { synchronize: false })
@Index('deployment_history', ['product', 'environment', 'at'])
@Index('deployment_once', ['releaseId', 'application'], { unique: true })
export class DeploymentRow {
  @PrimaryColumn({ type: 'bigint' })
  @Generated('increment')
  id!: string;

  @Column({ name: 'release_id', type: 'uuid' })
  releaseId!: string;

  @Column({ type: 'text' })
  product!: string;

  @Column({ type: 'text' })
  environment!: string;

  @Column({ type: 'text' })
  application!: string;

  @Column({ type: 'text' })
  version!: string;

  @Column({ type: 'text' })
  digest!: string;

  @Column({ name: 'commit_id', type: 'text', nullable: true })
  commit!: string | null;

  @Column({ type: 'timestamptz' })
  at!: Date;

  /** When the environment's promotion succeeded with it; null: not verified healthy. */
  @Column({ name: 'verified_at', type: 'timestamptz', nullable: true })
  verifiedAt!: Date | null;

  /** How it was found good; null: by its health alone before anybody could be asked more, or not yet. */
  @Column({ name: 'verified_by', type: 'text', nullable: true })
  verifiedBy!: Verification | null;

  /** When the target was last looked at while this was the newest one there; null: not since it was brought. */
  @Column({ name: 'looked_at', type: 'timestamptz', nullable: true })
  lookedAt!: Date | null;

  /** When a process took it to look at: no other one does for a while. */
  @Column({ name: 'asked_at', type: 'timestamptz', nullable: true })
  askedAt!: Date | null;

  /** Why the last look could not see what is live; null: it could, or there was none yet. */
  @Column({ name: 'unseen', type: 'text', nullable: true })
  unseen!: string | null;

  /** The target does not hold it any more: it was changed by hand. Null: it does, as far as was seen. */
  @Column({ type: 'jsonb', nullable: true })
  drift!: DriftRecord | null;
}

export interface DriftRecord extends Drift {
  /** When it was first seen, ISO 8601. */
  since: string;
}

/** The newest report of what an application runs. */
@Entity('deployment_report')
export class DeploymentReportRow {
  @PrimaryColumn({ type: 'text' })
  application!: string;

  @Column({ name: 'commit_id', type: 'text', nullable: true })
  commit!: string | null;

  @Column({ type: 'text', nullable: true })
  version!: string | null;

  @Column({ type: 'timestamptz' })
  at!: Date;

  @Column({ type: 'text', nullable: true })
  actor!: string | null;
}

/** The newest report of an application's health. */
@Entity('health_report')
export class HealthReportRow {
  @PrimaryColumn({ type: 'text' })
  application!: string;

  @Column({ type: 'text' })
  status!: HealthStatus;

  @Column({ type: 'text', nullable: true })
  message!: string | null;

  @Column({ type: 'timestamptz' })
  at!: Date;

  @Column({ type: 'text', nullable: true })
  actor!: string | null;

  /** When a report of DEGRADED or PROGRESSING came the last time, by our clock. */
  @Column({ name: 'unhealthy_at', type: 'timestamptz', nullable: true })
  unhealthyAt!: Date | null;
}

/** The first answer to a key; the same key with another input is refused. Kept at least 24 hours. */
@Entity('idempotency_key')
export class IdempotencyKeyRow {
  /** Who gave it; '' for keys that were given before this was kept. */
  @PrimaryColumn({ type: 'text', default: '' })
  caller!: string;

  @PrimaryColumn({ type: 'text' })
  operation!: string;

  @PrimaryColumn({ type: 'text' })
  key!: string;

  /** sha-256 of the input, hex. */
  @Column({ type: 'text' })
  input!: string;

  /** The id of what was made. */
  @Column({ type: 'text' })
  result!: string;

  @Index()
  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}

/**
 * A rollback: the release of the same id does the work, this row keeps why and whom to tell. A row whose `settledAt` is null
 * still has to tell its origins how it ended; the sweep does that until they have all been told.
 */
@Entity('rollback')
@Index('rollback_newest', { synchronize: false })
@Index('rollback_of_release', { synchronize: false })
@Index('rollback_by_product', ['product', 'createdAt'])
@Index('rollback_unsettled', ['id'], { where: 'settled_at IS NULL' })
export class RollbackRow {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'text' })
  product!: string;

  /** The release that the cause is about; null when it is not known. */
  @Column({ name: 'release_id', type: 'uuid', nullable: true })
  releaseId!: string | null;

  @Column({ type: 'jsonb' })
  cause!: RollbackCause;

  /** Of the version that is taken back. */
  @Column({ type: 'text' })
  digest!: string;

  /** The environments that go back by themselves. */
  @Column({ type: 'text', array: true })
  included!: string[];

  /** The releases that it takes back, wholly or in part. */
  @Column({ type: 'uuid', array: true })
  origins!: string[];

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column({ name: 'settled_at', type: 'timestamptz', nullable: true })
  settledAt!: Date | null;
}

/** An environment that is looked at after its promotion for as long as a rollback policy wants it. */
@Entity('observation')
@Index('observation_due', ['nextAt'])
@Index('observation_place', ['product', 'environment'])
export class ObservationRow {
  @PrimaryColumn({ name: 'release_id', type: 'uuid' })
  releaseId!: string;

  /** The promotion's place in the plan. */
  @PrimaryColumn({ type: 'integer' })
  position!: number;

  @Column({ type: 'integer' })
  attempt!: number;

  @Column({ type: 'text' })
  product!: string;

  @Column({ type: 'text' })
  environment!: string;

  @Column({ type: 'timestamptz' })
  until!: Date;

  /** When it is looked at next; a worker that looks moves it on first. */
  @Column({ name: 'next_at', type: 'timestamptz' })
  nextAt!: Date;

  /** Application → how many looks in a row found it DEGRADED. */
  @Column({ name: 'bad_looks', type: 'jsonb', default: {} })
  badLooks!: Record<string, number>;
}
