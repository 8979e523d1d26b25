import { Column, Entity, Generated, Index, PrimaryColumn } from 'typeorm';
import type { GateAnswer } from '../core/gates/answer.ts';
import type { MergeState } from '../core/gates/merge-state.ts';
import type { ApprovalState } from '../core/approvals/approval.ts';
import type { ConcurrencyPolicy } from '../core/definitions.ts';
import type { ReleasePlan } from '../core/plan.ts';
import type { Problem } from '../core/problems.ts';
import type {
  GroupState,
  PromotionStatus,
  ReleaseKind,
  ReleaseState,
  ReleaseStatus,
  StepState,
} from '../core/release.ts';
import type { Trigger } from '../core/trigger/change.ts';
import type { WindowOverride } from '../core/windows/override.ts';
import type { PinnedFile, PinnedFiles, PinnedVersion } from '../drivers/driver.ts';

/** What changes of a release with nearly every decision; kept narrow, the plan stands in a table of its own. */
@Entity('release')
@Index('release_open', ['product', 'number'], { where: 'ended_at IS NULL' })
@Index('release_wake', ['wakeAt'], { where: 'wake_at IS NOT NULL' })
// Those with `synchronize: false` are written in words that TypeORM does not have; the migrations make them.
@Index('release_of_product', { synchronize: false })
@Index('release_of_status', { synchronize: false })
@Index('release_of_product_status', { synchronize: false })
@Index('release_open_in_order', { synchronize: false })
@Index('release_of_version', { synchronize: false })
@Index('release_of_digest', { synchronize: false })
@Index('release_of_flow', { synchronize: false })
@Index('release_of_label', { synchronize: false })
@Index('release_of_actor', { synchronize: false })
@Index('release_of_kind', { synchronize: false })
@Index('release_created', ['createdAt', 'number'])
@Index('release_by_product', ['product', 'number'])
export class ReleaseRow {
  @PrimaryColumn({ type: 'uuid' })
  id!: string;

  /** The order of creation: queues and lists follow it. */
  @Index({ unique: true })
  @Generated('increment')
  @Column({ type: 'bigint' })
  number!: string;

  @Column({ type: 'text', default: 'FORWARD' })
  kind!: ReleaseKind;

  @Column({ type: 'text' })
  product!: string;

  @Column({ type: 'text' })
  flow!: string;

  @Column({ name: 'flow_revision', type: 'integer' })
  flowRevision!: number;

  @Column({ type: 'text' })
  version!: string;

  @Column({ type: 'text' })
  digest!: string;

  @Column({ type: 'text' })
  concurrency!: ConcurrencyPolicy;

  @Column({ type: 'jsonb' })
  trigger!: Trigger;

  @Column({ type: 'text' })
  status!: ReleaseStatus;

  /** Compare-and-set: a decision is saved only on the state that it was made from. */
  @Column({ type: 'integer' })
  revision!: number;

  /** The number of the newest event. */
  @Column({ type: 'integer' })
  sequence!: number;

  /** `position` of the newest event: see the event log. */
  @Column({ name: 'last_position', type: 'bigint' })
  lastPosition!: string;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column({ name: 'started_at', type: 'timestamptz', nullable: true })
  startedAt!: Date | null;

  @Column({ name: 'ended_at', type: 'timestamptz', nullable: true })
  endedAt!: Date | null;

  @Column({ type: 'timestamptz', nullable: true })
  deadline!: Date | null;

  @Column({ name: 'wake_at', type: 'timestamptz', nullable: true })
  wakeAt!: Date | null;

  /** The time of the newest event; null: a version that kept it in `rest` alone has saved it last. */
  @Column({ name: 'last_event_at', type: 'timestamptz', nullable: true })
  lastEventAt!: Date | null;

  /** What else the state machine keeps, small: groups, termination, problems. */
  @Column({ type: 'jsonb' })
  rest!: ReleaseRest;
}

export interface ReleaseRest {
  terminating: { reason: string; by: string | null } | null;
  halted: boolean;
  groups: GroupState[];
  /** Left out where nothing of the release is taken back. */
  rollbacks?: ReleaseState['rollbacks'];
  /** Left out where nobody skipped anything. */
  skips?: ReleaseState['skips'];
  forgiven?: ReleaseState['forgiven'];
  countsFrom?: number;
  moving?: ReleaseState['moving'];
  limited?: ReleaseState['limited'];
  /** Left out where nothing was. */
  heard?: ReleaseState['heard'];
  context?: ReleaseState['context'];
  firstProblem: Problem | null;
  lastProblem: Problem | null;
  /** When this was written: the column may be later. */
  lastEventAt: number;
}

/** What a release froze at its start; written once. */
@Entity('release_plan')
export class ReleasePlanRow {
  @PrimaryColumn({ name: 'release_id', type: 'uuid' })
  releaseId!: string;

  @Column({ type: 'jsonb' })
  plan!: ReleasePlan;

  /**
   * The pinned version of each trigger application, by its name. Its files stand in `content`, under its digest; a version without
   * files, and one of a release that was made before that table, has them here.
   */
  @Column({ type: 'jsonb' })
  contents!: Record<string, PinnedVersion & { files?: PinnedFiles }>;
}

/** A commit that a release pinned; written with the release, so that it is found by its commits. */
@Entity('release_commit')
export class ReleaseCommitRow {
  /** In small letters. */
  @PrimaryColumn({ type: 'text', collation: 'C', primaryKeyConstraintName: 'PK_release_commit' })
  commit!: string;

  /** That of the release. */
  @PrimaryColumn({ type: 'bigint', primaryKeyConstraintName: 'PK_release_commit' })
  number!: string;
}

/** Files that releases pinned, each once however many releases bring them; written once, whatever refers to them. */
@Entity('content')
export class ContentRow {
  /** sha-256 (hex) over a canonical form of `files`; `deployment.digest` and the versions in `release_plan.contents` name it. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'PK_content' })
  digest!: string;

  /** As text: nothing in the database looks into it. */
  @Column({ type: 'json' })
  files!: PinnedFiles;

  /** File → how it is promoted: all that is asked of most contents. */
  @Column({ type: 'jsonb' })
  listing!: Record<string, PinnedFile['kind']>;

  /** When a release was made that refers to it, the last time. */
  @Column({ name: 'referenced_at', type: 'timestamptz' })
  referencedAt!: Date;
}

/** `holds`: at work in its environment. The index makes a second release there impossible, whatever the code believes. */
@Entity('promotion')
@Index('promotion_history', ['product', 'environment', 'endedAt'], { where: `status = 'SUCCEEDED'` })
@Index('promotion_of_environment', { synchronize: false })
@Index('promotion_asked_in_order', { synchronize: false })
@Index('promotion_ahead', ['product', 'environment', 'number'], { where: 'ended_at IS NULL' })
@Index('promotion_asked', ['releaseId', 'position'], {
  where: 'approval IS NOT NULL AND started_at IS NULL AND ended_at IS NULL',
})
@Index('promotion_cut_off', ['product', 'environment', 'startedAt'], {
  where: `ended_at IS NOT NULL AND started_at IS NOT NULL AND status <> 'SUCCEEDED'`,
})
@Index('promotion_holds', ['product', 'environment'], { unique: true, where: 'holds' })
export class PromotionRow {
  @PrimaryColumn({ name: 'release_id', type: 'uuid' })
  releaseId!: string;

  /** Its place in the plan's promotions. */
  @PrimaryColumn({ type: 'integer' })
  position!: number;

  /** Its release's: who comes before whom in an environment. */
  @Column({ type: 'bigint' })
  number!: string;

  @Column({ type: 'text' })
  product!: string;

  /** Null for a workflow step, which has no environment. */
  @Column({ type: 'text', nullable: true })
  environment!: string | null;

  /** It is a hook, of the release or of one of its promotions: not one of those that are counted. */
  @Column({ type: 'boolean', default: false })
  own!: boolean;

  @Column({ type: 'text' })
  status!: PromotionStatus;

  @Column({ type: 'boolean' })
  holds!: boolean;

  @Column({ type: 'integer' })
  attempt!: number;

  @Column({ type: 'integer' })
  dispatch!: number;

  @Column({ name: 'started_at', type: 'timestamptz', nullable: true })
  startedAt!: Date | null;

  @Column({ name: 'ended_at', type: 'timestamptz', nullable: true })
  endedAt!: Date | null;

  @Column({ type: 'jsonb' })
  steps!: StepState[];

  @Column({ type: 'jsonb', nullable: true })
  problem!: Problem | null;

  @Column({ type: 'jsonb', nullable: true })
  evidence!: GateAnswer[] | null;

  /** Windows that do not count for it; null: none. */
  @Column({ type: 'jsonb', nullable: true })
  overrides!: WindowOverride[] | null;

  /** What was asked of people, and what they said. */
  @Column({ type: 'jsonb', nullable: true })
  approval!: ApprovalState | null;

  /** What stands between its pull requests and their merge; null: it has none. */
  @Column({ type: 'jsonb', nullable: true })
  merge!: MergeState | null;
}
