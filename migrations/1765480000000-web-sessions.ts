import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sessions of the web app, by the hash of their cookies. */
export class WebSessions1765480000000 implements MigrationInterface {
  readonly name = 'WebSessions1765480000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "web_session" ("id" text NOT NULL, "hash" text NOT NULL, "origin" text NOT NULL, "subject_kind" text NOT NULL,
         "subject" text NOT NULL, "groups" jsonb NOT NULL, "issuer" text, "token_id" text, "token_hash" text,
         "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "last_used_at" TIMESTAMP WITH TIME ZONE NOT NULL,
         "expires_at" TIMESTAMP WITH TIME ZONE NOT NULL, "ended_at" TIMESTAMP WITH TIME ZONE, "ended_by" text, "end_reason" text,
         "address" text, "user_agent" text, "renew_at" TIMESTAMP WITH TIME ZONE, "key_id" text, "nonce" bytea, "sealed" bytea,
         CONSTRAINT "web_session_pkey" PRIMARY KEY ("id"))`,
    );
    await runner.query(`CREATE UNIQUE INDEX "web_session_hash" ON "web_session" ("hash")`);
    await runner.query(`CREATE INDEX "web_session_subject" ON "web_session" ("subject_kind", "subject", "id")`);
    // What the keeper of sessions looks through: sessions that have not ended.
    await runner.query(`CREATE INDEX "web_session_open" ON "web_session" ("last_used_at") WHERE "ended_at" IS NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "web_session"`);
  }
}
