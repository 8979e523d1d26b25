import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { DeliveryStatus, Purpose } from '../core/receiver/delivery.ts';

/** What outside systems sent and signed; stored before it is answered, processed afterwards, kept for 30 days. */
@Entity('webhook_delivery')
@Index('webhook_delivery_once', ['source', 'webhookId'], { unique: true })
@Index('webhook_delivery_newest', ['receivedAt', 'id'])
@Index('webhook_delivery_due', ['dueAt'], { where: `status = 'PENDING'` })
export class WebhookDeliveryRow {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ type: 'text' })
  source!: string;

  @Column({ name: 'webhook_id', type: 'text' })
  webhookId!: string;

  @Column({ type: 'jsonb' })
  headers!: Record<string, string>;

  @Column({ type: 'text' })
  body!: string;

  /** The receiver that it was sent to; null: it came before this was kept, and was for rollouts or approvals. */
  @Column({ type: 'text', nullable: true })
  purpose!: Purpose | null;

  /** From where it came; null: not known. */
  @Column({ type: 'text', nullable: true })
  address!: string | null;

  @Column({ name: 'received_at', type: 'timestamptz' })
  receivedAt!: Date;

  @Column({ name: 'verified_by', type: 'text' })
  verifiedBy!: string;

  @Column({ type: 'text' })
  status!: DeliveryStatus;

  @Column({ type: 'text', nullable: true })
  outcome!: string | null;

  @Column({ type: 'integer', default: 0 })
  attempts!: number;

  @Column({ type: 'integer', default: 0 })
  replays!: number;

  /** The process that takes it moves this ahead: when it has not come back by then, another process takes it. */
  @Column({ name: 'due_at', type: 'timestamptz' })
  dueAt!: Date;

  @Column({ name: 'processed_at', type: 'timestamptz', nullable: true })
  processedAt!: Date | null;
}
