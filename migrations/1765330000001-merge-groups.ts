import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Commits that merge queues want to know of whether they may become the branch, and the pull requests of Sluice in them. */
export class MergeGroups1765330000001 implements MigrationInterface {
  readonly name = 'MergeGroups1765330000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "merge_group" ("repository" text NOT NULL, "commit_id" text NOT NULL, "base" text NOT NULL, "members" jsonb NOT NULL, "seen_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_merge_group" PRIMARY KEY ("repository", "commit_id"))`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "merge_group"`);
  }
}
