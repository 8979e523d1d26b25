import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Folders of repositories that say what is defined here, how far each is applied, and what came from which. */
export class GitSources1765470000000 implements MigrationInterface {
  readonly name = 'GitSources1765470000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "git_source" ("id" uuid NOT NULL, "name" text NOT NULL, "labels" jsonb NOT NULL, "annotations" jsonb NOT NULL, "spec" jsonb NOT NULL, "revision" integer NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "git_source_pkey" PRIMARY KEY ("id"))`,
    );
    await runner.query(`CREATE UNIQUE INDEX "IDX_e3af6180f648c812bebaf186ae" ON "git_source" ("name")`);
    await runner.query(
      `CREATE TABLE "git_source_status" ("source" text NOT NULL, "revision" integer NOT NULL DEFAULT 0, "seen_commit" text,
         "seen_at" TIMESTAMP WITH TIME ZONE, "synced_commit" text, "synced_at" TIMESTAMP WITH TIME ZONE, "synced_with" integer,
         "clock" bigint, "errors" jsonb NOT NULL DEFAULT '[]', "drift" jsonb NOT NULL DEFAULT '[]', "drift_at" TIMESTAMP WITH TIME ZONE,
         CONSTRAINT "git_source_status_pkey" PRIMARY KEY ("source"))`,
    );
    await runner.query(
      `CREATE TABLE "synced_definition" ("kind" text NOT NULL, "name" text NOT NULL, "source" text NOT NULL, "file" text NOT NULL,
         CONSTRAINT "synced_definition_pkey" PRIMARY KEY ("kind", "name"))`,
    );
    await runner.query(`CREATE INDEX "synced_definition_source" ON "synced_definition" ("source")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "synced_definition"`);
    await runner.query(`DROP TABLE "git_source_status"`);
    await runner.query(`DROP TABLE "git_source"`);
  }
}
