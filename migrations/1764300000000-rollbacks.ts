import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Rollbacks1764300000000 implements MigrationInterface {
  readonly name = 'Rollbacks1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      `ALTER TABLE "release" ADD "kind" text NOT NULL DEFAULT 'FORWARD'`,
      `CREATE TABLE "rollback" ("id" uuid NOT NULL, "product" text NOT NULL, "release_id" uuid, "cause" jsonb NOT NULL, "digest" text NOT NULL, "included" text array NOT NULL, "origins" uuid array NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "settled_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "PK_rollback" PRIMARY KEY ("id"))`,
      `CREATE INDEX "rollback_by_product" ON "rollback" ("product", "created_at")`,
      `CREATE INDEX "rollback_unsettled" ON "rollback" ("id") WHERE settled_at IS NULL`,
      `CREATE TABLE "observation" ("release_id" uuid NOT NULL, "position" integer NOT NULL, "attempt" integer NOT NULL, "product" text NOT NULL, "environment" text NOT NULL, "until" TIMESTAMP WITH TIME ZONE NOT NULL, "next_at" TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT "PK_observation" PRIMARY KEY ("release_id", "position"))`,
      `CREATE INDEX "observation_due" ON "observation" ("next_at")`,
      `CREATE INDEX "observation_place" ON "observation" ("product", "environment")`,
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "observation"`);
    await runner.query(`DROP TABLE "rollback"`);
    await runner.query(`ALTER TABLE "release" DROP COLUMN "kind"`);
  }
}
