import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Repositories that are looked at, the hints that make a look due, and what a stored delivery was sent to. */
export class News1765300000000 implements MigrationInterface {
  readonly name = 'News1765300000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      `CREATE TABLE "watched_repository" ("repository" text NOT NULL, "host" text NOT NULL, "branches" jsonb NOT NULL DEFAULT '[]', "interval_ms" integer NOT NULL DEFAULT '60000', "next_look_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "claimed_until" TIMESTAMP WITH TIME ZONE, "not_before" TIMESTAMP WITH TIME ZONE, "looked_at" TIMESTAMP WITH TIME ZONE, "heads" jsonb NOT NULL DEFAULT '{}', "failures" integer NOT NULL DEFAULT '0', "error" text, "error_kind" text, "pull_next_at" TIMESTAMP WITH TIME ZONE, "pull_claimed_until" TIMESTAMP WITH TIME ZONE, "pull_etag" text, "pull_seen_at" TIMESTAMP WITH TIME ZONE, "pull_failures" integer NOT NULL DEFAULT '0', "pull_error" text, CONSTRAINT "PK_watched_repository" PRIMARY KEY ("repository"))`,
      `CREATE INDEX "watched_repository_due" ON "watched_repository" ("next_look_at")`,
      `CREATE TABLE "hint" ("id" BIGSERIAL NOT NULL, "repository" text NOT NULL, "kind" text NOT NULL, "ref" text, "number" integer, "source" text, "delivery_id" uuid, "via" text NOT NULL, "at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_hint" PRIMARY KEY ("id"))`,
      `CREATE INDEX "hint_repository" ON "hint" ("repository", "kind")`,
      `CREATE INDEX "hint_delivery" ON "hint" ("delivery_id")`,
      `ALTER TABLE "webhook_delivery" ADD "purpose" text`,
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "webhook_delivery" DROP COLUMN "purpose"`);
    await runner.query(`DROP TABLE "hint"`);
    await runner.query(`DROP TABLE "watched_repository"`);
  }
}
