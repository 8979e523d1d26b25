import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Secrets1764600000000 implements MigrationInterface {
  readonly name = 'Secrets1764600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "secret" ("name" text NOT NULL, "description" text, "use" jsonb NOT NULL, "key_id" text NOT NULL, "nonce" bytea NOT NULL, "sealed" bytea NOT NULL, "revision" integer NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL, "updated_by" text, CONSTRAINT "PK_secret" PRIMARY KEY ("name"))`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "secret"`);
  }
}
