import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The time of a release's newest event moves with every save, and what stood beside it in `rest` seldom does. The next save of a release
 * fills the column; until then, `rest` says it.
 */
export class LastEventAt1765430000000 implements MigrationInterface {
  readonly name = 'LastEventAt1765430000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "release" ADD "last_event_at" TIMESTAMP WITH TIME ZONE`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `UPDATE "release" SET rest = jsonb_set(rest, '{lastEventAt}', to_jsonb(round(extract(epoch FROM "last_event_at") * 1000)::bigint))
       WHERE "last_event_at" IS NOT NULL`,
    );
    await runner.query(`ALTER TABLE "release" DROP COLUMN "last_event_at"`);
  }
}
