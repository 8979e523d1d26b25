import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ReleaseWindows1764100000000 implements MigrationInterface {
  readonly name = 'ReleaseWindows1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "release_window" ("id" uuid NOT NULL, "name" text NOT NULL, "labels" jsonb NOT NULL, "annotations" jsonb NOT NULL, "spec" jsonb NOT NULL, "revision" integer NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "updated_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_88f945d32ad247dedd1ae0084a0" PRIMARY KEY ("id"))`,
    );
    await runner.query(`CREATE UNIQUE INDEX "IDX_55462daccb1414dd7911e77e28" ON "release_window" ("name")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "release_window"`);
  }
}
