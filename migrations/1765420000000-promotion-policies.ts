import type { MigrationInterface, QueryRunner } from 'typeorm';

export class PromotionPolicies1765420000000 implements MigrationInterface {
  readonly name = 'PromotionPolicies1765420000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "promotion_policy" ("id" uuid NOT NULL, "name" text NOT NULL, "labels" jsonb NOT NULL, "annotations" jsonb NOT NULL, "spec" jsonb NOT NULL, "revision" integer NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_62ce711c74a9687baec3c7f8fdf" PRIMARY KEY ("id"))`,
    );
    await runner.query(`CREATE UNIQUE INDEX "IDX_aa7d9070f9403e1a9a9cbdf572" ON "promotion_policy" ("name")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "promotion_policy"`);
  }
}
