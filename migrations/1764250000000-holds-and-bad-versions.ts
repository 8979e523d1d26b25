import type { MigrationInterface, QueryRunner } from 'typeorm';

export class HoldsAndBadVersions1764250000000 implements MigrationInterface {
  readonly name = 'HoldsAndBadVersions1764250000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      `CREATE TABLE "environment_hold" ("id" uuid NOT NULL, "product" text, "environment" text NOT NULL, "reason" text NOT NULL, "actor" text, "since" TIMESTAMP WITH TIME ZONE NOT NULL, "until" TIMESTAMP WITH TIME ZONE, "rollback_id" uuid, "lifted_at" TIMESTAMP WITH TIME ZONE, "lifted_by" text, "lift_reason" text, CONSTRAINT "PK_environment_hold" PRIMARY KEY ("id"))`,
      `CREATE UNIQUE INDEX "environment_hold_once" ON "environment_hold" ("rollback_id", "environment") WHERE rollback_id IS NOT NULL`,
      `CREATE INDEX "environment_hold_active" ON "environment_hold" ("environment") WHERE lifted_at IS NULL`,
      `CREATE TABLE "bad_version" ("id" uuid NOT NULL, "product" text NOT NULL, "digest" text NOT NULL, "label" text NOT NULL, "scope" text NOT NULL, "group_name" text, "environments" jsonb NOT NULL, "reason" text NOT NULL, "actor" text, "since" TIMESTAMP WITH TIME ZONE NOT NULL, "expires_at" TIMESTAMP WITH TIME ZONE, "rollback_id" uuid, "unmarked_at" TIMESTAMP WITH TIME ZONE, "unmarked_by" text, "unmark_reason" text, CONSTRAINT "PK_bad_version" PRIMARY KEY ("id"))`,
      `CREATE UNIQUE INDEX "bad_version_once" ON "bad_version" ("rollback_id") WHERE rollback_id IS NOT NULL`,
      `CREATE INDEX "bad_version_active" ON "bad_version" ("product", "digest") WHERE unmarked_at IS NULL`,
      // Who is before whom in an environment, without a look at every open release of the product.
      `ALTER TABLE "promotion" ADD "number" bigint`,
      `UPDATE "promotion" p SET "number" = r."number" FROM "release" r WHERE r."id" = p."release_id"`,
      `ALTER TABLE "promotion" ALTER COLUMN "number" SET NOT NULL`,
      `CREATE INDEX "promotion_ahead" ON "promotion" ("product", "environment", "number") WHERE ended_at IS NULL`,
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of [
      `DROP INDEX "promotion_ahead"`,
      `ALTER TABLE "promotion" DROP COLUMN "number"`,
      `DROP TABLE "bad_version"`,
      `DROP TABLE "environment_hold"`,
    ]) {
      await runner.query(statement);
    }
  }
}
