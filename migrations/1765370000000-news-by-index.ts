import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Candidates, pauses, pull requests and hints are found however many there were before. Pauses that have run out are never resumed:
 * those that hold are found by their end.
 */
export class NewsByIndex1765370000000 implements MigrationInterface {
  readonly name = 'NewsByIndex1765370000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      `CREATE INDEX "candidate_of_environment" ON "candidate" ("product", "environment", "created_at", "id")`,
      `DROP INDEX "trigger_pause_newest"`,
      `DROP INDEX "trigger_pause_active"`,
      `CREATE INDEX "trigger_pause_holds" ON "trigger_pause" (coalesce("until", 'infinity'::timestamptz)) WHERE resumed_at IS NULL`,
      `CREATE INDEX "pull_request_of_branch" ON "pull_request" ("repository", "base")`,
      `CREATE INDEX "hint_of_pull_request" ON "hint" ("id") WHERE kind = 'PULL_REQUEST'`,
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of [
      `DROP INDEX "hint_of_pull_request"`,
      `DROP INDEX "pull_request_of_branch"`,
      `DROP INDEX "trigger_pause_holds"`,
      `CREATE INDEX "trigger_pause_active" ON "trigger_pause" ("product") WHERE resumed_at IS NULL`,
      `CREATE INDEX "trigger_pause_newest" ON "trigger_pause" ("since", "id")`,
      `DROP INDEX "candidate_of_environment"`,
    ]) {
      await runner.query(statement);
    }
  }
}
