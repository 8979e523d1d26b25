import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The pull requests that promotions opened: for those who watch them, and for readers. */
export class PullRequests1765320000000 implements MigrationInterface {
  readonly name = 'PullRequests1765320000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "pull_request" ("key" text NOT NULL, "release_id" uuid NOT NULL, "position" integer NOT NULL, "step" integer NOT NULL, "attempt" integer NOT NULL, "product" text NOT NULL, "environment" text NOT NULL, "repository" text NOT NULL, "forge" text NOT NULL, "number" integer, "branch" text NOT NULL, "base" text NOT NULL, "head_sha" text, "proposed_sha" text, "url" text, "state" text NOT NULL, "opened_at" TIMESTAMP WITH TIME ZONE, "merged_at" TIMESTAMP WITH TIME ZONE, "merged_by" text, "merge_commit" text, "judge_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "PK_pull_request" PRIMARY KEY ("key"))`,
    );
    await runner.query(`CREATE INDEX "pull_request_of_promotion" ON "pull_request" ("release_id", "position") `);
    await runner.query(
      `CREATE INDEX "pull_request_open" ON "pull_request" ("repository", "base") WHERE state IN ('OPENING', 'OPEN')`,
    );
    await runner.query(`CREATE INDEX "pull_request_due" ON "pull_request" ("judge_at") WHERE state = 'OPEN'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "pull_request"`);
  }
}
