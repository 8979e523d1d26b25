import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Kind } from '../core/definitions.ts';
import type { Drifted, SourceError } from '../core/git-source.ts';

/** How a git source stands. A sync moves it by compare-and-set, in the transaction that applies the manifests. */
@Entity('git_source_status')
export class GitSourceStatusRow {
  /** The name of the source. */
  @PrimaryColumn({ type: 'text' })
  source!: string;

  /** Counts the changes of this row: a sync that began before another one ended changes nothing. */
  @Column({ type: 'integer', default: 0 })
  revision!: number;

  /** The head of the branch, as it was seen last. */
  @Column({ name: 'seen_commit', type: 'text', nullable: true })
  seenCommit!: string | null;

  @Column({ name: 'seen_at', type: 'timestamptz', nullable: true })
  seenAt!: Date | null;

  /** The commit whose manifests are what is defined here. */
  @Column({ name: 'synced_commit', type: 'text', nullable: true })
  syncedCommit!: string | null;

  @Column({ name: 'synced_at', type: 'timestamptz', nullable: true })
  syncedAt!: Date | null;

  /** The revision of the source's own definition with which that was done. */
  @Column({ name: 'synced_with', type: 'integer', nullable: true })
  syncedWith!: number | null;

  /** The count of all changes of definitions at which they were found to be as the synced commit says. */
  @Column({ type: 'bigint', nullable: true })
  clock!: string | null;

  /** Why the commit that was seen last is not applied; none: it is, or it was not tried yet. */
  @Column({ type: 'jsonb', default: [] })
  errors!: SourceError[];

  /** What was changed here by another way than the repository, when that was found last; a sync mended it. */
  @Column({ type: 'jsonb', default: [] })
  drift!: Drifted[];

  @Column({ name: 'drift_at', type: 'timestamptz', nullable: true })
  driftAt!: Date | null;
}

/** A definition that a git source brought, and where it stands there. */
@Entity('synced_definition')
@Index('synced_definition_source', ['source'])
export class SyncedDefinitionRow {
  @PrimaryColumn({ type: 'text' })
  kind!: Kind;

  @PrimaryColumn({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  source!: string;

  /** From the root of the repository. */
  @Column({ type: 'text' })
  file!: string;
}
