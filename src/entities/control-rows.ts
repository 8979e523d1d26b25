import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { BadVersionScope } from '../core/definitions.ts';

/** What stands in the way of promotions: who put it there, and why. */
abstract class BarrierRow {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'text' })
  reason!: string;

  @Column({ type: 'text', nullable: true })
  actor!: string | null;

  @Column({ type: 'timestamptz' })
  since!: Date;

  /** The release of the rollback that made it; null: a person did. */
  @Column({ name: 'rollback_id', type: 'uuid', nullable: true })
  rollbackId!: string | null;
}

/** Nothing is promoted into the environment while it lasts. A row stays for good: lifted, it is history. */
@Entity('environment_hold')
@Index('environment_hold_current', { synchronize: false })
@Index('environment_hold_newest', { synchronize: false })
@Index('environment_hold_active', ['environment'], { where: 'lifted_at IS NULL' })
@Index('environment_hold_once', ['rollbackId', 'environment'], { unique: true, where: 'rollback_id IS NOT NULL' })
export class EnvironmentHoldRow extends BarrierRow {
  /** Null: of all products. */
  @Column({ type: 'text', nullable: true })
  product!: string | null;

  @Column({ type: 'text' })
  environment!: string;

  /** When it ends by itself; null: when it is lifted. */
  @Column({ type: 'timestamptz', nullable: true })
  until!: Date | null;

  @Column({ name: 'lifted_at', type: 'timestamptz', nullable: true })
  liftedAt!: Date | null;

  @Column({ name: 'lifted_by', type: 'text', nullable: true })
  liftedBy!: string | null;

  @Column({ name: 'lift_reason', type: 'text', nullable: true })
  liftReason!: string | null;
}

/** The ledger of versions that were found bad. A row stays for good: taken back, it is history. */
@Entity('bad_version')
@Index('bad_version_current', { synchronize: false })
@Index('bad_version_newest', { synchronize: false })
@Index('bad_version_active', ['product', 'digest'], { where: 'unmarked_at IS NULL' })
@Index('bad_version_once', ['rollbackId'], { unique: true, where: 'rollback_id IS NOT NULL' })
export class BadVersionRow extends BarrierRow {
  @Column({ type: 'text' })
  product!: string;

  @Column({ type: 'text' })
  digest!: string;

  @Column({ type: 'text' })
  label!: string;

  @Column({ type: 'text' })
  scope!: BadVersionScope;

  @Column({ name: 'group_name', type: 'text', nullable: true })
  group!: string | null;

  /** The environment, or the group's members when it was marked; empty for the scope PRODUCT. */
  @Column({ type: 'jsonb' })
  environments!: string[];

  /** When it ends by itself; null: when it is taken back. */
  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt!: Date | null;

  @Column({ name: 'unmarked_at', type: 'timestamptz', nullable: true })
  unmarkedAt!: Date | null;

  @Column({ name: 'unmarked_by', type: 'text', nullable: true })
  unmarkedBy!: string | null;

  @Column({ name: 'unmark_reason', type: 'text', nullable: true })
  unmarkReason!: string | null;
}
