import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What hosts are told of commits, and what the gates say of an open pull request. */
export class CommitStatuses1765330000000 implements MigrationInterface {
  readonly name = 'CommitStatuses1765330000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "promotion" ADD "merge" jsonb`);
    // People are also asked while a pull request is open.
    await runner.query(`DROP INDEX "promotion_asked_in_order"`);
    await runner.query(
      `CREATE INDEX "promotion_asked_in_order" ON "promotion" ("number", "position") WHERE approval IS NOT NULL AND (started_at IS NULL OR merge IS NOT NULL) AND ended_at IS NULL`,
    );
    await runner.query(
      `CREATE TABLE "commit_status" ("repository" text NOT NULL, "sha" text NOT NULL, "context" text NOT NULL, "about" text NOT NULL, "release_id" uuid NOT NULL, "position" integer, "state" text NOT NULL, "description" text NOT NULL, "url" text, "version" bigint NOT NULL DEFAULT '0', "generation" integer NOT NULL DEFAULT '1', "applied" integer NOT NULL DEFAULT '0', "applied_state" text, "applied_at" TIMESTAMP WITH TIME ZONE, "due_at" TIMESTAMP WITH TIME ZONE, "called_at" TIMESTAMP WITH TIME ZONE, "busy_until" TIMESTAMP WITH TIME ZONE, "attempts" integer NOT NULL DEFAULT '0', "last_error" text, "follows" boolean NOT NULL DEFAULT false, CONSTRAINT "PK_commit_status" PRIMARY KEY ("repository", "sha", "context"))`,
    );
    await runner.query(`CREATE INDEX "commit_status_of_release" ON "commit_status" ("release_id")`);
    await runner.query(`CREATE INDEX "commit_status_due" ON "commit_status" ("due_at") WHERE due_at IS NOT NULL`);
    await runner.query(`CREATE INDEX "commit_status_follows" ON "commit_status" ("release_id") WHERE follows`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "commit_status"`);
    await runner.query(`DROP INDEX "promotion_asked_in_order"`);
    await runner.query(
      `CREATE INDEX "promotion_asked_in_order" ON "promotion" ("number", "position") WHERE approval IS NOT NULL AND started_at IS NULL AND ended_at IS NULL`,
    );
    await runner.query(`ALTER TABLE "promotion" DROP COLUMN "merge"`);
  }
}
