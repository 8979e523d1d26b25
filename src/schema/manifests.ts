import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { Kind } from '../core/definitions.ts';
import { DefinitionKindEnum } from './choices.ts';
import { UserError } from './user-errors.ts';
import { LabelInput } from './values.ts';
import { enumOf } from './enums.ts';

export const ManifestChangeKindEnum = enumOf<'CREATED' | 'UPDATED' | 'UNCHANGED' | 'DELETED'>(
  'ManifestChangeKind',
  'What applying does to a definition.',
  {
    CREATED: 'There was none of that name.',
    UPDATED: 'It gets a new revision.',
    UNCHANGED: 'It is like this already.',
    DELETED: 'It carries the labels of `prune` and is not in the manifests.',
  },
);

@InputType({ description: 'Manifests to apply, all of them or none.' })
export class ManifestsApplyInput {
  @Field(() => String, { description: 'YAML; one definition per document, in any order.' })
  text!: string;

  @Field(() => String, { nullable: true, description: 'The name of the file that it is from, for errors.' })
  fileName?: string;

  @Field(() => Boolean, { defaultValue: false, description: 'Says what would change, and changes nothing.' })
  dryRun!: boolean;

  @Field(() => [LabelInput], {
    nullable: true,
    description:
      'Deletes what carries all of these labels and is not in the manifests; takes the permission to edit everything.',
  })
  prune?: LabelInput[] | null;
}

@ObjectType({ description: 'What applying did to a definition, or would do in a dry run.' })
export class ManifestChange {
  @Field(() => DefinitionKindEnum, { description: 'The kind of the definition.' })
  kind!: Kind;

  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => ManifestChangeKindEnum, { description: 'What happened to it.' })
  change!: 'CREATED' | 'UPDATED' | 'UNCHANGED' | 'DELETED';

  @Field(() => String, { nullable: true, description: 'A unified diff of its manifest; null when nothing changed.' })
  diff!: string | null;

  @Field(() => [String], {
    description: 'What is accepted and will not do what its writer expects, as things are now.',
  })
  warnings!: string[];

  @Field(() => Int, { nullable: true, description: 'Its revision after the change.' })
  revision!: number | null;
}

@ObjectType({ description: 'What became of manifests.' })
export class ManifestsApplyPayload {
  @Field(() => [ManifestChange], { description: 'What happened to each definition; empty when refused.' })
  changes!: ManifestChange[];

  @Field(() => [UserError], { description: 'Why they were refused, with line and column; empty when it was done.' })
  userErrors!: UserError[];
}
