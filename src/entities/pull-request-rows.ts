import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { PullRequestState } from '../core/pull-request.ts';

/**
 * A pull request that a promotion asked for. What is true stands at its host, and what a release does about it in the release's state:
 * this row is for those who watch it, and for readers.
 */
@Entity('pull_request')
@Index('pull_request_of_promotion', ['releaseId', 'position'])
@Index('pull_request_of_branch', ['repository', 'base'])
@Index('pull_request_open', ['repository', 'base'], { where: "state IN ('OPENING', 'OPEN')" })
@Index('pull_request_due', ['judgeAt'], { where: "state = 'OPEN'" })
export class PullRequestRow {
  /** That of the step which opens it; its branch follows from this. */
  @PrimaryColumn({ type: 'text' })
  key!: string;

  @Column({ name: 'release_id', type: 'uuid' })
  releaseId!: string;

  /** Of the promotion in its release's plan. */
  @Column({ type: 'integer' })
  position!: number;

  /** Of the step that opens it, in its promotion. */
  @Column({ type: 'integer' })
  step!: number;

  @Column({ type: 'integer' })
  attempt!: number;

  @Column({ type: 'text' })
  product!: string;

  @Column({ type: 'text' })
  environment!: string;

  /** As definitions have it. */
  @Column({ type: 'text' })
  repository!: string;

  @Column({ type: 'text' })
  forge!: string;

  /** Null: not opened yet, or never. */
  @Column({ type: 'integer', nullable: true })
  number!: number | null;

  @Column({ type: 'text' })
  branch!: string;

  /** The branch that it is for. */
  @Column({ type: 'text' })
  base!: string;

  /** Where its branch was seen. */
  @Column({ name: 'head_sha', type: 'text', nullable: true })
  headSha!: string | null;

  /** The commit that Sluice made: any other head was pushed by somebody else. */
  @Column({ name: 'proposed_sha', type: 'text', nullable: true })
  proposedSha!: string | null;

  @Column({ type: 'text', nullable: true })
  url!: string | null;

  @Column({ type: 'text' })
  state!: PullRequestState;

  @Column({ name: 'opened_at', type: 'timestamptz', nullable: true })
  openedAt!: Date | null;

  /** As the host says. */
  @Column({ name: 'merged_at', type: 'timestamptz', nullable: true })
  mergedAt!: Date | null;

  @Column({ name: 'merged_by', type: 'text', nullable: true })
  mergedBy!: string | null;

  @Column({ name: 'merge_commit', type: 'text', nullable: true })
  mergeCommit!: string | null;

  /** When its gates are asked again for its status; null: they are not asked. */
  @Column({ name: 'judge_at', type: 'timestamptz', nullable: true })
  judgeAt!: Date | null;
}
