import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { Delivery, DeliveryStatus } from '../core/receiver/delivery.ts';
import { connectionOf } from './connection.ts';
import { enumOf } from './enums.ts';
import { toNodeId } from './node-id.ts';
import { UserError } from './user-errors.ts';
import { Label, labelsOf } from './values.ts';

export const WebhookDeliveryStatusEnum = enumOf<DeliveryStatus>(
  'WebhookDeliveryStatus',
  'Where a delivery is in its life.',
  {
    PENDING: 'Stored, and not processed yet.',
    DONE: 'Processed: its outcome says what came of it.',
    REFUSED: 'It says nothing that could be done: its outcome says why.',
    FAILED: 'It could not be processed, however often it was tried; it may be replayed.',
  },
);

@ObjectType({ description: 'What an outside system sent and signed. Kept for 30 days.' })
export class WebhookDelivery {
  constructor(readonly fields: Delivery) {}

  @Field(() => ID, { description: 'Its id here.' })
  get id(): string {
    return toNodeId('WebhookDelivery', this.fields.id);
  }

  @Field(() => String, { description: 'The bare id, as the command line shows the beginning of it.' })
  get uuid(): string {
    return this.fields.id;
  }

  @Field(() => String, { description: 'Who sent it: the name at the end of the address.' })
  get source(): string {
    return this.fields.source;
  }

  @Field(() => String, { description: "The sender's own id; the same one again is the same message." })
  get webhookId(): string {
    return this.fields.webhookId;
  }

  @Field(() => [Label], { description: 'Headers that help to understand it, without signatures.' })
  get headers(): Label[] {
    return labelsOf(this.fields.headers);
  }

  @Field(() => String, { description: 'The body as it came; of news what was read of it, as JSON.' })
  get body(): string {
    return this.fields.body;
  }

  @Field(() => Date, { description: 'When it came.' })
  get receivedAt(): Date {
    return this.fields.receivedAt;
  }

  @Field(() => String, { description: 'The name of the secret that verified it.' })
  get verifiedBy(): string {
    return this.fields.verifiedBy;
  }

  @Field(() => WebhookDeliveryStatusEnum, { description: 'Where it is in its life.' })
  get status(): DeliveryStatus {
    return this.fields.status;
  }

  @Field(() => String, { nullable: true, description: 'What came of it, in words; null: nothing so far.' })
  get outcome(): string | null {
    return this.fields.outcome;
  }

  @Field(() => Int, { description: 'How often it was tried to process it, since it came or was replayed.' })
  get attempts(): number {
    return this.fields.attempts;
  }

  @Field(() => Int, { description: 'How often it was replayed.' })
  get replays(): number {
    return this.fields.replays;
  }

  @Field(() => Date, { nullable: true, description: 'When it was processed; null: not so far.' })
  get processedAt(): Date | null {
    return this.fields.processedAt;
  }
}

@InputType({ description: 'Which deliveries; everything in it must agree.' })
export class WebhookDeliveryFilterInput {
  @Field(() => String, { nullable: true, description: 'Of this source.' })
  source?: string;

  @Field(() => WebhookDeliveryStatusEnum, { nullable: true, description: 'In this status.' })
  status?: DeliveryStatus;
}

@InputType({ description: 'Which delivery to process once more.' })
export class WebhookDeliveryReplayInput {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;
}

@ObjectType({ description: 'What became of the delivery.' })
export class WebhookDeliveryReplayPayload {
  @Field(() => WebhookDelivery, { nullable: true, description: 'As it is now; null when refused.' })
  delivery!: WebhookDelivery | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

@InputType({ description: 'A push that did not happen, as a source would tell of it.' })
export class WebhookTestInput {
  @Field(() => String, { description: 'The source, as its address at the receiver has it.' })
  source!: string;

  @Field(() => String, { description: 'The address of the repository.' })
  repository!: string;

  @Field(() => String, { nullable: true, description: 'The branch; every one that matters when left out.' })
  branch?: string;

  @Field(() => String, { nullable: true, description: "The commit; the branch's newest when left out." })
  commit?: string;
}

@ObjectType({ description: 'What would come of a push for one application.' })
export class WebhookTestedApplication {
  @Field(() => String, { description: 'The name of the application.' })
  application!: string;

  @Field(() => String, { description: 'In words.' })
  outcome!: string;
}

@ObjectType({ description: 'What would come of the push. Nothing did.' })
export class WebhookTestPayload {
  @Field(() => String, { nullable: true, description: 'The secret that verified it; null when refused.' })
  verifiedBy!: string | null;

  @Field(() => Boolean, { description: 'Whether a look at the repository would be due.' })
  matches!: boolean;

  @Field(() => String, { nullable: true, description: 'In words, as the list of deliveries would have it.' })
  outcome!: string | null;

  @Field(() => [WebhookTestedApplication], { description: 'Application by application.' })
  applications!: WebhookTestedApplication[];

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const WebhookDeliveryConnection = connectionOf('WebhookDelivery', WebhookDelivery as never);
