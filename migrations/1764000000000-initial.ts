import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Initial1764000000000 implements MigrationInterface {
  readonly name = 'Initial1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      `CREATE TABLE "product" ("id" uuid NOT NULL, "name" text NOT NULL, "labels" jsonb NOT NULL, "annotations" jsonb NOT NULL, "spec" jsonb NOT NULL, "revision" integer NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_bebc9158e480b949565b4dc7a82" PRIMARY KEY ("id"))`,
      `CREATE UNIQUE INDEX "IDX_22cc43e9a74d7498546e9a63e7" ON "product" ("name")`,
      `CREATE TABLE "environment" ("id" uuid NOT NULL, "name" text NOT NULL, "labels" jsonb NOT NULL, "annotations" jsonb NOT NULL, "spec" jsonb NOT NULL, "revision" integer NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_f0ec97d0ac5e0e2f50f7475699f" PRIMARY KEY ("id"))`,
      `CREATE UNIQUE INDEX "IDX_3d5ffacb147fc8370a045cc24d" ON "environment" ("name")`,
      `CREATE TABLE "environment_group" ("id" uuid NOT NULL, "name" text NOT NULL, "labels" jsonb NOT NULL, "annotations" jsonb NOT NULL, "spec" jsonb NOT NULL, "revision" integer NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_cfba520fec59b7a84c8a86d276d" PRIMARY KEY ("id"))`,
      `CREATE UNIQUE INDEX "IDX_cb37574376be6d65ec1367f50f" ON "environment_group" ("name")`,
      `CREATE TABLE "promotion_flow" ("id" uuid NOT NULL, "name" text NOT NULL, "labels" jsonb NOT NULL, "annotations" jsonb NOT NULL, "spec" jsonb NOT NULL, "revision" integer NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_e6181108fef7dc825d655c0143a" PRIMARY KEY ("id"))`,
      `CREATE UNIQUE INDEX "IDX_be97c73f88e5fbdde0f3e837ac" ON "promotion_flow" ("name")`,
      `CREATE TABLE "promotion_workflow" ("id" uuid NOT NULL, "name" text NOT NULL, "labels" jsonb NOT NULL, "annotations" jsonb NOT NULL, "spec" jsonb NOT NULL, "revision" integer NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_d765edf9bebce9c5b5ae3168190" PRIMARY KEY ("id"))`,
      `CREATE UNIQUE INDEX "IDX_b02ef2da860eaee15f7b91bc45" ON "promotion_workflow" ("name")`,
      `CREATE TABLE "promotion_template" ("id" uuid NOT NULL, "name" text NOT NULL, "labels" jsonb NOT NULL, "annotations" jsonb NOT NULL, "spec" jsonb NOT NULL, "revision" integer NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_f05ab48eb15cfb2fc8d5a1e420d" PRIMARY KEY ("id"))`,
      `CREATE UNIQUE INDEX "IDX_c7e2c4f184114ee07a72a75b59" ON "promotion_template" ("name")`,
      `CREATE TABLE "application" ("id" uuid NOT NULL, "name" text NOT NULL, "labels" jsonb NOT NULL, "annotations" jsonb NOT NULL, "spec" jsonb NOT NULL, "revision" integer NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "product" text NOT NULL, "environment" text NOT NULL, CONSTRAINT "PK_569e0c3e863ebdf5f2408ee1670" PRIMARY KEY ("id"))`,
      `CREATE UNIQUE INDEX "IDX_608bb41e7e1ef5f6d7abb07e39" ON "application" ("name")`,
      `CREATE INDEX "IDX_72783be0d3c70dc678ce4f1a0e" ON "application" ("product", "environment")`,
      `CREATE TABLE "definition_clock" ("id" integer NOT NULL, "revision" bigint NOT NULL, CONSTRAINT "PK_f9ec5bfd3c9f0c2cd52f5b6f6f5" PRIMARY KEY ("id"))`,
      `INSERT INTO "definition_clock" VALUES (1, 0)`,
      `CREATE TABLE "definition_revision" ("kind" text NOT NULL, "name" text NOT NULL, "revision" integer NOT NULL, "labels" jsonb NOT NULL, "annotations" jsonb NOT NULL, "spec" jsonb, "at" TIMESTAMP WITH TIME ZONE NOT NULL, "actor" text, CONSTRAINT "PK_281fbce9187ac0a085fc319afdf" PRIMARY KEY ("kind", "name", "revision"))`,
      `CREATE TABLE "release_event" ("release_id" uuid NOT NULL, "sequence" integer NOT NULL, "position" bigint NOT NULL, "id" BIGSERIAL NOT NULL, "at" TIMESTAMP WITH TIME ZONE NOT NULL, "product" text NOT NULL, "release_status" text NOT NULL, "actor" text, "event" jsonb NOT NULL, CONSTRAINT "PK_1ae32dab4b050b2c6eeaebfa6e5" PRIMARY KEY ("release_id", "sequence"))`,
      `CREATE INDEX "release_event_log" ON "release_event" ("position", "id")`,
      `CREATE TABLE "outbox" ("key" text NOT NULL, "release_id" uuid NOT NULL, "work" jsonb NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_de8bb4d5d2ac1f48fa1a5f0adb0" PRIMARY KEY ("key"))`,
      `CREATE TABLE "deployment" ("id" BIGSERIAL NOT NULL, "release_id" uuid NOT NULL, "product" text NOT NULL, "environment" text NOT NULL, "application" text NOT NULL, "version" text NOT NULL, "digest" text NOT NULL, "commit_id" text, "at" TIMESTAMP WITH TIME ZONE NOT NULL, "verified_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "PK_ee1f952fc81f37c6fea69c2e248" PRIMARY KEY ("id"))`,
      `CREATE UNIQUE INDEX "deployment_once" ON "deployment" ("release_id", "application")`,
      `CREATE INDEX "deployment_history" ON "deployment" ("product", "environment", "at")`,
      `CREATE TABLE "health_report" ("application" text NOT NULL, "status" text NOT NULL, "message" text, "at" TIMESTAMP WITH TIME ZONE NOT NULL, "actor" text, CONSTRAINT "PK_d29679c39a8b4c0ae20c1a899a6" PRIMARY KEY ("application"))`,
      `CREATE TABLE "idempotency_key" ("operation" text NOT NULL, "key" text NOT NULL, "input" text NOT NULL, "result" text NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_ee4c51229acb155f777b21fbc26" PRIMARY KEY ("operation", "key"))`,
      `CREATE INDEX "IDX_72d9c713a563e6e92176fe0e44" ON "idempotency_key" ("created_at")`,
      `CREATE TABLE "release" ("id" uuid NOT NULL, "number" BIGSERIAL NOT NULL, "product" text NOT NULL, "flow" text NOT NULL, "flow_revision" integer NOT NULL, "version" text NOT NULL, "digest" text NOT NULL, "concurrency" text NOT NULL, "trigger" jsonb NOT NULL, "status" text NOT NULL, "revision" integer NOT NULL, "sequence" integer NOT NULL, "last_position" bigint NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "started_at" TIMESTAMP WITH TIME ZONE, "ended_at" TIMESTAMP WITH TIME ZONE, "deadline" TIMESTAMP WITH TIME ZONE, "wake_at" TIMESTAMP WITH TIME ZONE, "rest" jsonb NOT NULL, CONSTRAINT "PK_1a2253436964eea9c558f9464f4" PRIMARY KEY ("id"))`,
      `CREATE UNIQUE INDEX "IDX_f19642ecab2a425967958e4392" ON "release" ("number")`,
      `CREATE INDEX "release_by_product" ON "release" ("product", "number")`,
      `CREATE INDEX "release_wake" ON "release" ("wake_at") WHERE wake_at IS NOT NULL`,
      `CREATE INDEX "release_open" ON "release" ("product", "number") WHERE ended_at IS NULL`,
      `CREATE TABLE "release_plan" ("release_id" uuid NOT NULL, "plan" jsonb NOT NULL, "contents" jsonb NOT NULL, CONSTRAINT "PK_289f78adb6169132c46e0247d3a" PRIMARY KEY ("release_id"))`,
      `CREATE TABLE "promotion" ("release_id" uuid NOT NULL, "position" integer NOT NULL, "product" text NOT NULL, "environment" text, "status" text NOT NULL, "holds" boolean NOT NULL, "attempt" integer NOT NULL, "dispatch" integer NOT NULL, "started_at" TIMESTAMP WITH TIME ZONE, "ended_at" TIMESTAMP WITH TIME ZONE, "steps" jsonb NOT NULL, "problem" jsonb, "evidence" jsonb, CONSTRAINT "PK_2c2589bc39a5403f7908492fa60" PRIMARY KEY ("release_id", "position"))`,
      `CREATE UNIQUE INDEX "promotion_holds" ON "promotion" ("product", "environment") WHERE holds`,
      `CREATE INDEX "promotion_history" ON "promotion" ("product", "environment", "ended_at") WHERE status = 'SUCCEEDED'`,
      // The log is history: what is written there is never changed.
      `CREATE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the event log is append-only'; END $$`,
      `CREATE TRIGGER "release_event_append_only" BEFORE UPDATE ON "release_event" FOR EACH ROW EXECUTE FUNCTION "refuse_change"()`,
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of [
      `DROP TABLE "promotion"`,
      `DROP TABLE "release_plan"`,
      `DROP TABLE "release"`,
      `DROP TABLE "idempotency_key"`,
      `DROP TABLE "health_report"`,
      `DROP TABLE "deployment"`,
      `DROP TABLE "outbox"`,
      `DROP TABLE "release_event"`,
      `DROP TABLE "definition_revision"`,
      `DROP TABLE "definition_clock"`,
      `DROP TABLE "application"`,
      `DROP TABLE "promotion_template"`,
      `DROP TABLE "promotion_workflow"`,
      `DROP TABLE "promotion_flow"`,
      `DROP TABLE "environment_group"`,
      `DROP TABLE "environment"`,
      `DROP TABLE "product"`,
      `DROP FUNCTION "refuse_change"()`,
    ]) {
      await runner.query(statement);
    }
  }
}
