import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What makes releases by themselves. An installation that promotes already was set up when pushes did nothing: its triggers are paused
 * until somebody resumes them.
 */
export class Triggers1765310000000 implements MigrationInterface {
  readonly name = 'Triggers1765310000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      `CREATE TABLE "trigger_cursor" ("application" text NOT NULL, "revision" integer NOT NULL, "place" text NOT NULL, "head" text, "commit_id" text, "version" text, "digest" text, "epoch" integer NOT NULL DEFAULT 0, "outcome" text NOT NULL, "moved_at" TIMESTAMP WITH TIME ZONE NOT NULL, "looked_at" TIMESTAMP WITH TIME ZONE NOT NULL, "error" text, CONSTRAINT "PK_trigger_cursor" PRIMARY KEY ("application"))`,
      `CREATE TABLE "candidate" ("id" uuid NOT NULL, "key" text NOT NULL, "revision" integer NOT NULL DEFAULT 1, "product" text NOT NULL, "flow" text NOT NULL, "environment" text NOT NULL, "state" jsonb NOT NULL, "kind" text NOT NULL, "status" text NOT NULL, "reason" text NOT NULL, "facts" jsonb NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "due_at" TIMESTAMP WITH TIME ZONE, "coalesced_at" TIMESTAMP WITH TIME ZONE NOT NULL, "expires_at" TIMESTAMP WITH TIME ZONE NOT NULL, "ended_at" TIMESTAMP WITH TIME ZONE, "attempts" integer NOT NULL DEFAULT 0, "release_id" uuid, "superseded_by" uuid, "actor" text, CONSTRAINT "PK_candidate" PRIMARY KEY ("id"))`,
      `CREATE UNIQUE INDEX "candidate_once" ON "candidate" ("key")`,
      `CREATE INDEX "candidate_newest" ON "candidate" ("created_at", "id")`,
      `CREATE INDEX "candidate_of_product" ON "candidate" ("product", "created_at", "id")`,
      `CREATE INDEX "candidate_due" ON "candidate" ("due_at") WHERE due_at IS NOT NULL`,
      `CREATE INDEX "candidate_open" ON "candidate" ("product", "environment") WHERE ended_at IS NULL`,
      `CREATE INDEX "candidate_of_release" ON "candidate" ("release_id") WHERE release_id IS NOT NULL`,
      `CREATE TABLE "trigger_pause" ("id" uuid NOT NULL, "product" text, "reason" text NOT NULL, "actor" text, "since" TIMESTAMP WITH TIME ZONE NOT NULL, "until" TIMESTAMP WITH TIME ZONE, "resumed_at" TIMESTAMP WITH TIME ZONE, "resumed_by" text, CONSTRAINT "PK_trigger_pause" PRIMARY KEY ("id"))`,
      `CREATE INDEX "trigger_pause_active" ON "trigger_pause" ("product") WHERE resumed_at IS NULL`,
      `CREATE INDEX "trigger_pause_newest" ON "trigger_pause" ("since", "id")`,
      `CREATE TABLE "git_identity" ("email" text NOT NULL, "user_name" text NOT NULL, "actor" text, "at" TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT "PK_git_identity" PRIMARY KEY ("email"))`,
      `INSERT INTO "trigger_pause" (id, reason, since)
       SELECT gen_random_uuid(), 'this installation is older than automatic triggers: see "sluice get triggers", then "sluice trigger resume"', now()
       WHERE EXISTS (SELECT FROM "release")`,
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['git_identity', 'trigger_pause', 'candidate', 'trigger_cursor'])
      await runner.query(`DROP TABLE "${table}"`);
  }
}
