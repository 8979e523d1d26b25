import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Every list and every filter of the log reads along an index. Where the table has an index of its whole order already, the ones by a
 * key count backwards (`-number`): no other index gives their order, so the planner cannot take the way through everything.
 */
export class ListsByIndex1765140000001 implements MigrationInterface {
  readonly name = 'ListsByIndex1765140000001';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of CREATED) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of CREATED) {
      await runner.query(`DROP INDEX ${/INDEX ("\w+")/.exec(statement)?.[1]}`);
    }
  }
}

/** Types of which every release has many are found on the way; these are not. */
const RARE_TYPES = [
  'ReleaseTerminating',
  'ReleaseRetried',
  'ReleaseTerminated',
  'ReleaseFailed',
  'WindowOverridden',
  'HoldLifted',
  'PromotionResumed',
  'PromotionTerminated',
  'PromotionFailed',
  'PromotionSkipped',
  'ApprovalRequested',
  'ApprovalGiven',
  'ApprovalGranted',
  'ApprovalRejected',
  'ApprovalExpired',
  'StepRetrying',
  'StepFailed',
  'StepTerminated',
  'DriftOverwritten',
  'RolloutReported',
  'ReleaseTakenBack',
  'PromotionRollingBack',
  'PromotionRolledBack',
  'PromotionRollbackFailed',
  'RollbackStarted',
  'RollbackJoined',
  'RollbackTargetProposed',
  'RollbackTargetImpossible',
  'RollbackTargetStarted',
  'RollbackTargetSucceeded',
  'RollbackTargetFailed',
  'RollbackTargetLeftAlone',
  'GroupGateFailed',
];

const CREATED = [
  `CREATE INDEX "release_event_of_product" ON "release_event" ("product", (-"position"), (-"id"))`,
  `CREATE INDEX "release_event_of_environment" ON "release_event" (("event"->>'environment'), (-"position"), (-"id")) WHERE "event"->>'environment' IS NOT NULL`,
  `CREATE INDEX "release_event_of_type" ON "release_event" (("event"->>'type'), (-"position"), (-"id")) WHERE "event"->>'type' IN (${RARE_TYPES.map((each) => `'${each}'`).join(', ')})`,
  `CREATE INDEX "release_of_product" ON "release" ("product", (-"number"))`,
  `CREATE INDEX "release_of_status" ON "release" ("status", (-"number"))`,
  `CREATE INDEX "release_of_product_status" ON "release" ("product", "status", (-"number"))`,
  `CREATE INDEX "release_open_in_order" ON "release" ("number") WHERE ended_at IS NULL`,
  `CREATE INDEX "release_of_version" ON "release" ("product", "version", "digest", "number")`,
  `CREATE INDEX "release_of_digest" ON "release" ("product", "digest", "number")`,
  `CREATE INDEX "promotion_of_environment" ON "promotion" ("environment", (-"number"))`,
  `CREATE INDEX "promotion_asked_in_order" ON "promotion" ("number", "position") WHERE approval IS NOT NULL AND started_at IS NULL AND ended_at IS NULL`,
  `CREATE INDEX "deployment_live" ON "deployment" ("product" COLLATE "C", "environment" COLLATE "C", "application" COLLATE "C", "at" DESC, "id" DESC)`,
  `CREATE INDEX "audit_log_of_actor" ON "audit_log" ("actor", (-"id"))`,
  `CREATE INDEX "rollback_newest" ON "rollback" ("created_at", "id")`,
  `CREATE INDEX "rollback_of_release" ON "rollback" USING gin ("origins")`,
  `CREATE INDEX "bad_version_newest" ON "bad_version" ("since", "id")`,
  `CREATE INDEX "bad_version_current" ON "bad_version" ("since", "id") WHERE unmarked_at IS NULL`,
  `CREATE INDEX "environment_hold_current" ON "environment_hold" ("since", "id") WHERE lifted_at IS NULL`,
  `CREATE INDEX "environment_hold_newest" ON "environment_hold" ("since", "id")`,
];
