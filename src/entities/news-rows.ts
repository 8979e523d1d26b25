import { Column, Entity, Index, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import type { LookFailure } from '../core/receiver/look.ts';
import type { HintKind } from '../core/receiver/news.ts';
import type { NewsKind } from '../core/trigger/change.ts';

/**
 * A repository that is looked at: those of git applications whose product is triggered by itself, and those with an open pull
 * request of Sluice. The row has when, so that many workers look no more often than one.
 */
@Entity('watched_repository')
@Index('watched_repository_due', ['nextLookAt'])
export class WatchedRepositoryRow {
  /** The address as definitions have it. */
  @PrimaryColumn({ type: 'text' })
  repository!: string;

  /** Looks at one host share its limit; empty for repositories on this machine. */
  @Column({ type: 'text' })
  host!: string;

  /** Those that matter, sorted. */
  @Column({ type: 'jsonb', default: [] })
  branches!: string[];

  @Column({ name: 'interval_ms', type: 'integer', default: 60_000 })
  intervalMs!: number;

  /** Infinity while a look is under way, and after an error that only a person can mend. */
  @Column({ name: 'next_look_at', type: 'timestamptz', default: () => 'now()' })
  nextLookAt!: Date;

  /** A look that has not come back by then is taken for dead. */
  @Column({ name: 'claimed_until', type: 'timestamptz', nullable: true })
  claimedUntil!: Date | null;

  /** The host asked for a pause; hints wait for its end, too. */
  @Column({ name: 'not_before', type: 'timestamptz', nullable: true })
  notBefore!: Date | null;

  /** When the last look began. */
  @Column({ name: 'looked_at', type: 'timestamptz', nullable: true })
  lookedAt!: Date | null;

  /** Branch → commit, as the last look saw them that got an answer. */
  @Column({ type: 'jsonb', default: {} })
  heads!: Record<string, string>;

  /** In a row. */
  @Column({ type: 'integer', default: 0 })
  failures!: number;

  @Column({ type: 'text', nullable: true })
  error!: string | null;

  @Column({ name: 'error_kind', type: 'text', nullable: true })
  errorKind!: LookFailure | null;

  /** When its pull requests are listed next; null: there is no open one of Sluice. */
  @Column({ name: 'pull_next_at', type: 'timestamptz', nullable: true })
  pullNextAt!: Date | null;

  @Column({ name: 'pull_claimed_until', type: 'timestamptz', nullable: true })
  pullClaimedUntil!: Date | null;

  @Column({ name: 'pull_etag', type: 'text', nullable: true })
  pullEtag!: string | null;

  /** Pull requests that changed before were told. */
  @Column({ name: 'pull_seen_at', type: 'timestamptz', nullable: true })
  pullSeenAt!: Date | null;

  @Column({ name: 'pull_failures', type: 'integer', default: 0 })
  pullFailures!: number;

  @Column({ name: 'pull_error', type: 'text', nullable: true })
  pullError!: string | null;

  /** When its host is asked next which deliveries did not arrive; null: it never was. */
  @Column({ name: 'missed_next_at', type: 'timestamptz', nullable: true })
  missedNextAt!: Date | null;

  /** All deliveries from before arrived, or are given up. */
  @Column({ name: 'missed_since', type: 'timestamptz', nullable: true })
  missedSince!: Date | null;

  @Column({ name: 'missed_error', type: 'text', nullable: true })
  missedError!: string | null;
}

/** News about a repository; deleted by the look that it caused. */
@Entity('hint')
@Index('hint_repository', ['repository', 'kind'])
@Index('hint_of_pull_request', ['id'], { where: "kind = 'PULL_REQUEST'" })
@Index('hint_delivery', ['deliveryId'])
export class HintRow {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  id!: string;

  @Column({ type: 'text' })
  repository!: string;

  @Column({ type: 'text' })
  kind!: HintKind;

  /** The branch that moved, or the head branch of the pull request; null: not known. */
  @Column({ type: 'text', nullable: true })
  ref!: string | null;

  /** Of the pull request. */
  @Column({ type: 'integer', nullable: true })
  number!: number | null;

  @Column({ type: 'text', nullable: true })
  source!: string | null;

  @Column({ name: 'delivery_id', type: 'uuid', nullable: true })
  deliveryId!: string | null;

  @Column({ type: 'text' })
  via!: NewsKind;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  at!: Date;
}
