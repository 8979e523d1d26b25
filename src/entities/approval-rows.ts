import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Caller } from '../core/caller.ts';

/** A signed link with which one person decides on one attempt of one promotion, once. What it says is in its signature, too. */
@Entity('approval_link')
export class ApprovalLinkRow {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  @Column({ name: 'release_id', type: 'uuid' })
  releaseId!: string;

  /** The environment's name, or the workflow step's. */
  @Column({ type: 'text' })
  environment!: string;

  @Column({ type: 'integer' })
  attempt!: number;

  /** The id of the step that asks; null: the start of the promotion is decided on. */
  @Column({ type: 'text', nullable: true })
  step!: string | null;

  @Column({ type: 'text' })
  decision!: 'approve' | 'reject';

  /** Whose decision it is, with the groups and roles that were known when the link was made. */
  @Column({ type: 'jsonb' })
  approver!: Caller;

  @Column({ name: 'created_by', type: 'text', nullable: true })
  createdBy!: string | null;

  /** What showed who made it, e.g. `token ID`: a link ends with the token that it was made with. */
  @Column({ type: 'text', nullable: true })
  credential!: string | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt!: Date;

  @Column({ name: 'used_at', type: 'timestamptz', nullable: true })
  usedAt!: Date | null;
}

/** The key that signs links where no setting names one; one row. */
@Entity('signing_key')
export class SigningKeyRow {
  @PrimaryColumn({ type: 'integer' })
  id!: number;

  /** 32 random bytes, base64. */
  @Column({ type: 'text' })
  key!: string;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
