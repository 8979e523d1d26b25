import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A deployment becomes current, and a moment later healthy: the second row of it has room beside the first, and needs no index entry. */
export class RoomInDeployments1765360000000 implements MigrationInterface {
  readonly name = 'RoomInDeployments1765360000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "deployment" SET (fillfactor = 50)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "deployment" RESET (fillfactor)`);
  }
}
