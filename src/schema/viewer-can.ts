import { Field, ObjectType } from 'type-graphql';

@ObjectType({
  description:
    'Whether the caller could do something now. It is found out by the rules that answer the mutation itself, which may still refuse what its input says.',
})
export class Ability {
  static of(reason: string | null): Ability {
    return { allowed: reason === null, reason };
  }

  @Field(() => Boolean, {
    description: 'True: neither what the caller may do nor the state of the thing stands against it.',
  })
  allowed!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Why not, as the mutation would say it; null when it is allowed.',
  })
  reason!: string | null;
}

// The fields of all these are in `src/resolvers/viewer-can.ts`: what is not asked for is not found out.

@ObjectType({ description: 'What the caller could do with a release.' })
export class ReleaseAbilities {
  constructor(readonly release: { id: string; product: string; digest: string }) {}
}

@ObjectType({ description: 'What the caller could do with one promotion of a release.' })
export class PromotionAbilities {
  constructor(readonly at: { releaseId: string; position: number; name: string }) {}
}

@ObjectType({ description: 'What the caller could do with an environment.' })
export class EnvironmentAbilities {
  constructor(readonly of: { environment: string; product: string | null }) {}
}

@ObjectType({ description: 'What the caller could do with a product.' })
export class ProductAbilities {
  constructor(readonly product: string) {}
}

@ObjectType({ description: 'What the caller could do with a promotion flow.' })
export class PromotionFlowAbilities {
  constructor(readonly flow: string) {}
}
