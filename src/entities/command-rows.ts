import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A command of a workflow that must not run twice, from the moment before it began. Kept for good: a key is used once. */
@Entity('begun_command')
export class BegunCommandRow {
  /** Of its step; see jobs/step-key.ts. */
  @PrimaryColumn({ type: 'text' })
  key!: string;

  @Column({ name: 'begun_at', type: 'timestamptz' })
  begunAt!: Date;
}

/**
 * A part of the log of an action. A try has one writer, and counts its chunks from 1. `sequence` counts those of the release, without gaps:
 * a writer takes the number after the last one that it sees, and a second writer of the same number waits for the first and then counts
 * anew. So whoever sees a number sees all before it, and a reader that remembers the last one misses nothing.
 */
@Entity('action_log')
@Index('action_log_order', ['releaseId', 'sequence'], { unique: true })
export class ActionLogRow {
  @PrimaryColumn({ name: 'release_id', type: 'uuid', primaryKeyConstraintName: 'action_log_pkey' })
  releaseId!: string;

  /** Of the promotion in the plan of its release. */
  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'action_log_pkey' })
  position!: number;

  /** The id of the step in the plan. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'action_log_pkey' })
  step!: string;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'action_log_pkey' })
  attempt!: number;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'action_log_pkey' })
  try!: number;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'action_log_pkey' })
  chunk!: number;

  @Column({ type: 'integer' })
  sequence!: number;

  /** Bytes of all logs of the release, up to the end of this one. */
  @Column({ type: 'bigint' })
  total!: string;

  @Column({ type: 'timestamptz' })
  at!: Date;

  @Column({ type: 'text' })
  text!: string;
}
