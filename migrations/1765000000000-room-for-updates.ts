import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What moves with every decision has room beside it in its page: the new row then needs no new entry in any index. The outbox is
 * empty most of the time, and vacuumed for what goes through it, not for what stands in it.
 */
export class RoomForUpdates1765000000000 implements MigrationInterface {
  readonly name = 'RoomForUpdates1765000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "release" SET (fillfactor = 50)`);
    await runner.query(`ALTER TABLE "promotion" SET (fillfactor = 50)`);
    await runner.query(
      `ALTER TABLE "outbox" SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "outbox" RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)`);
    await runner.query(`ALTER TABLE "promotion" RESET (fillfactor)`);
    await runner.query(`ALTER TABLE "release" RESET (fillfactor)`);
  }
}
