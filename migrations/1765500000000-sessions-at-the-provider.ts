import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sessions of the web app know what the identity provider calls their person and their session there. */
export class SessionsAtTheProvider1765500000000 implements MigrationInterface {
  readonly name = 'SessionsAtTheProvider1765500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "web_session" ADD "provider_subject" text, ADD "provider_session" text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "web_session" DROP "provider_subject", DROP "provider_session"`);
  }
}
