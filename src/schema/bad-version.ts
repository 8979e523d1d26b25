import { Field, InputType, ObjectType } from 'type-graphql';
import type { BadVersionScope } from '../core/definitions.ts';
import type { BadVersion as Mark } from '../core/holds.ts';
import { BadVersionScopeEnum } from './choices.ts';
import { Barrier } from './barrier.ts';
import { connectionOf } from './connection.ts';
import { IDEMPOTENCY_KEY } from './definition.ts';
import { toNodeId } from './node-id.ts';
import { Node } from './node.ts';
import { UserError } from './user-errors.ts';
import { dateOf } from './values.ts';

/** The fields that need more than its own row are in `src/resolvers/bad-version.ts`. */
@ObjectType({
  implements: Node,
  description: 'A version that was found bad: no promotion of it starts in the scope. Taken back, it stays as history.',
})
export class BadVersion extends Barrier {
  constructor(
    readonly fields: Mark & { unmarkedAt: number | null; unmarkedBy: string | null; unmarkReason: string | null },
    readonly now: number,
  ) {
    super();
    this.id = toNodeId('BadVersion', fields.id);
  }

  @Field(() => String, { description: 'The name of the product.' })
  get productName(): string {
    return this.fields.product;
  }

  @Field(() => String, { description: 'What people call the version.' })
  get label(): string {
    return this.fields.label;
  }

  @Field(() => String, { description: 'sha-256 of its pinned content, hex: this is what counts.' })
  get digest(): string {
    return this.fields.digest;
  }

  @Field(() => BadVersionScopeEnum, { description: 'Where promotions of it do not start.' })
  get scope(): BadVersionScope {
    return this.fields.scope;
  }

  @Field(() => String, { nullable: true, description: 'The name of the group, for the scope GROUP.' })
  get groupName(): string | null {
    return this.fields.group;
  }

  @Field(() => [String], {
    description:
      "The environment's name, or those of the group's members when it was marked; none for the scope PRODUCT.",
  })
  get environmentNames(): string[] {
    return this.fields.environments;
  }

  @Field(() => Date, { nullable: true, description: 'When it ends by itself; null: when it is taken back.' })
  get expiresAt(): Date | null {
    return dateOf(this.fields.expiresAt);
  }

  @Field(() => Boolean, { description: 'Whether it counts now.' })
  get active(): boolean {
    const { unmarkedAt, expiresAt } = this.fields;
    return unmarkedAt === null && (expiresAt === null || expiresAt > this.now);
  }

  @Field(() => Date, { nullable: true, description: 'When it was taken back; null: it was not.' })
  get unmarkedAt(): Date | null {
    return dateOf(this.fields.unmarkedAt);
  }

  @Field(() => String, {
    nullable: true,
    description: 'Who took it back; null: a caller without a name, or it counts still.',
  })
  get unmarkedBy(): string | null {
    return this.fields.unmarkedBy;
  }

  @Field(() => String, { nullable: true, description: 'Why it was taken back.' })
  get unmarkReason(): string | null {
    return this.fields.unmarkReason;
  }
}

@InputType({ description: 'Which marks; everything in it must agree.' })
export class BadVersionFilterInput {
  @Field(() => String, { nullable: true, description: 'Of this product.' })
  product?: string;

  @Field(() => String, { nullable: true, description: 'Of the version with this digest.' })
  digest?: string;

  @Field(() => Boolean, { nullable: true, description: 'True: only those that count now. All when left out.' })
  active?: boolean;
}

@InputType({ description: 'Which version is bad, and where. At most one of `environment` and `group`.' })
export class VersionMarkBadInput {
  @Field(() => String, { description: 'The name of the product.' })
  product!: string;

  @Field(() => String, { description: 'The label or the digest of a version that was released.' })
  version!: string;

  @Field(() => String, { nullable: true, description: 'The name of the only environment that it is bad for.' })
  environment?: string;

  @Field(() => String, { nullable: true, description: 'The name of the only environment group that it is bad for.' })
  group?: string;

  @Field(() => String, { description: 'Why; shown to people who want to release it.' })
  reason!: string;

  @Field(() => Date, {
    nullable: true,
    description: 'When it ends by itself; when it is taken back, if left out.',
  })
  expiresAt?: Date;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string;
}

@InputType({ description: 'Which marks to take back.' })
export class VersionUnmarkBadInput {
  @Field(() => String, { description: 'The name of the product.' })
  product!: string;

  @Field(() => String, { description: 'The label or the digest of the version.' })
  version!: string;

  @Field(() => String, { nullable: true, description: 'Only marks for this environment.' })
  environment?: string;

  @Field(() => String, { nullable: true, description: 'Only marks for this environment group.' })
  group?: string;

  @Field(() => String, { description: 'Why; kept with them.' })
  reason!: string;
}

@ObjectType({ description: 'What became of the marks on a version.' })
export class BadVersionPayload {
  @Field(() => [BadVersion], { description: 'Those that were made or taken back; none when refused.' })
  badVersions!: BadVersion[];

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const BadVersionConnection = connectionOf('BadVersion', BadVersion as never);
