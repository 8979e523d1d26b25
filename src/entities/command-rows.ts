import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A command of a workflow that must not run twice, from the moment before it began. Kept for good: a key is used once. */
@Entity('begun_command')
export class BegunCommandRow {
  /** Of its step; see jobs/step-key.ts. */
  @PrimaryColumn({ type: 'text' })
  key!: string;

  @Column({ name: 'begun_at', type: 'timestamptz' })
  begunAt!: Date;
}
