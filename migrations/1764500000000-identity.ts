import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Identity1764500000000 implements MigrationInterface {
  readonly name = 'Identity1764500000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      `CREATE TABLE "api_token" ("id" text NOT NULL, "hash" text NOT NULL, "name" text NOT NULL, "subject_kind" text NOT NULL, "subject" text NOT NULL, "scope" jsonb, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "created_by" text, "expires_at" TIMESTAMP WITH TIME ZONE, "revoked_at" TIMESTAMP WITH TIME ZONE, "revoked_by" text, "last_used_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "PK_d862311c568d175c26f41bc6f98" PRIMARY KEY ("id"))`,
      `CREATE TABLE "role_grant" ("id" uuid NOT NULL, "subject_kind" text NOT NULL, "subject" text NOT NULL, "role" text NOT NULL, "products" jsonb NOT NULL, "environments" jsonb NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "created_by" text, CONSTRAINT "PK_b9e50aafa723c536731c38529fb" PRIMARY KEY ("id"))`,
      `CREATE INDEX "role_grant_subject" ON "role_grant" ("subject_kind", "subject")`,
      `CREATE TABLE "access_clock" ("id" integer NOT NULL, "revision" bigint NOT NULL, CONSTRAINT "PK_624c20852a8afdcecb9cdfaa8d5" PRIMARY KEY ("id"))`,
      `INSERT INTO "access_clock" VALUES (1, 0)`,
      `CREATE TABLE "audit_log" ("id" BIGSERIAL NOT NULL, "at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(), "actor" text, "actor_kind" text, "credential" text, "action" text NOT NULL, "transport" text NOT NULL, "address" text, "user_agent" text, "input" jsonb NOT NULL, "outcome" text NOT NULL, "reasons" jsonb, "before" jsonb, "after" jsonb, "objects" jsonb NOT NULL, CONSTRAINT "PK_07fefa57f7f5ab8fc3f52b3ed0b" PRIMARY KEY ("id"))`,
      `CREATE INDEX "audit_log_actor" ON "audit_log" ("actor", "id")`,
      `CREATE FUNCTION "refuse_audit_change"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$`,
      `CREATE TRIGGER "audit_log_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_log" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"()`,
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of [
      `DROP TABLE "audit_log"`,
      `DROP FUNCTION "refuse_audit_change"()`,
      `DROP TABLE "access_clock"`,
      `DROP TABLE "role_grant"`,
      `DROP TABLE "api_token"`,
    ]) {
      await runner.query(statement);
    }
  }
}
