import type { MigrationInterface, QueryRunner } from 'typeorm';

export class WebhookDeliveries1764600000001 implements MigrationInterface {
  readonly name = 'WebhookDeliveries1764600000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "webhook_delivery" ("id" uuid NOT NULL, "source" text NOT NULL, "webhook_id" text NOT NULL, "headers" jsonb NOT NULL, "body" text NOT NULL, "received_at" TIMESTAMP WITH TIME ZONE NOT NULL, "verified_by" text NOT NULL, "status" text NOT NULL, "outcome" text, "attempts" integer NOT NULL DEFAULT '0', "replays" integer NOT NULL DEFAULT '0', "due_at" TIMESTAMP WITH TIME ZONE NOT NULL, "processed_at" TIMESTAMP WITH TIME ZONE, CONSTRAINT "PK_webhook_delivery" PRIMARY KEY ("id"))`,
    );
    await runner.query(`CREATE UNIQUE INDEX "webhook_delivery_once" ON "webhook_delivery" ("source", "webhook_id")`);
    await runner.query(`CREATE INDEX "webhook_delivery_newest" ON "webhook_delivery" ("received_at", "id")`);
    await runner.query(`CREATE INDEX "webhook_delivery_due" ON "webhook_delivery" ("due_at") WHERE status = 'PENDING'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "webhook_delivery"`);
  }
}
