import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { Kind } from '../core/definitions.ts';
import type { PullRequestState } from '../core/pull-request.ts';
import { DefinitionKindEnum, PullRequestStateEnum } from './choices.ts';
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

@InputType({ description: 'The revision at which the caller has seen a definition.' })
export class ExpectedRevisionInput {
  @Field(() => DefinitionKindEnum, { description: 'The kind of the definition.' })
  kind!: Kind;

  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => Int, { description: 'The revision; 0: there was no such definition.' })
  revision!: number;
}

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

  @Field(() => [ExpectedRevisionInput], {
    nullable: true,
    description:
      'The revisions that you have seen of definitions of the text, and of those that `prune` deletes; a definition that is at another one is refused with the code CONFLICT.',
  })
  expectedRevisions?: ExpectedRevisionInput[] | null;
}

@ObjectType({ description: 'What applying did to a definition, or would do in a dry run.' })
export class ManifestChange {
  @Field(() => DefinitionKindEnum, { description: 'The kind of the definition.' })
  kind!: Kind;

  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => ManifestChangeKindEnum, { description: 'What happened to it.' })
  change!: 'CREATED' | 'UPDATED' | 'UNCHANGED' | 'DELETED';

  @Field(() => String, {
    nullable: true,
    description:
      'A unified diff of its manifest, or of its text where that alone is another; null when nothing changed.',
  })
  diff!: string | null;

  @Field(() => [String], {
    description: 'What is accepted and will not do what its writer expects, as things are now.',
  })
  warnings!: string[];

  @Field(() => Int, { nullable: true, description: 'Its revision after the change.' })
  revision!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Which document of the input holds it, counted from 1; null: it is deleted because none does.',
  })
  document!: number | null;
}

@ObjectType({ description: 'What became of manifests.' })
export class ManifestsApplyPayload {
  @Field(() => [ManifestChange], { description: 'What happened to each definition; empty when refused.' })
  changes!: ManifestChange[];

  @Field(() => [UserError], { description: 'Why they were refused, with line and column; empty when it was done.' })
  userErrors!: UserError[];
}

@InputType({ description: 'Manifests to check.' })
export class ManifestsCheckInput {
  @Field(() => String, { description: 'YAML; one definition per document, in any order.' })
  text!: string;

  @Field(() => String, { nullable: true, description: 'The name of the file that it is from, for errors.' })
  fileName?: string;

  @Field(() => [LabelInput], {
    nullable: true,
    description: 'As in `manifestsApply`: what would be deleted; takes the permission to edit everything.',
  })
  prune?: LabelInput[] | null;

  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'True: hosts of repositories are asked, as a dry run does, what they will have against commits of Sluice; that takes up to ten seconds.',
  })
  askHosts!: boolean;
}

@ObjectType({ description: 'What is accepted and may not do what its writer expects, with its place.' })
export class ManifestWarning {
  @Field(() => String, { description: 'For people; it names the definition.' })
  message!: string;

  @Field(() => String, { nullable: true, description: 'The file, as the input named it.' })
  file!: string | null;

  @Field(() => Int, { description: 'Which document of the input, counted from 1.' })
  document!: number;

  @Field(() => Int, { description: 'The line in the input, counted from 1.' })
  line!: number;

  @Field(() => Int, { description: 'The column in that line, counted from 1.' })
  column!: number;

  @Field(() => [String], { description: 'Where in the manifest; empty: it is about all of it.' })
  manifestPath!: string[];
}

@ObjectType({ description: 'What applying manifests would do. Nothing was saved.' })
export class ManifestsChecked {
  @Field(() => [ManifestChange], { description: 'What would happen to each definition; empty when refused.' })
  changes!: ManifestChange[];

  @Field(() => [ManifestWarning], { description: 'The warnings of all changes, in the order of the input.' })
  warnings!: ManifestWarning[];

  @Field(() => [UserError], { description: 'What is wrong, with file, line and column.' })
  userErrors!: UserError[];
}

@InputType({ description: 'A definition by its kind and name.' })
export class DefinitionNameInput {
  @Field(() => DefinitionKindEnum, { description: 'Its kind.' })
  kind!: Kind;

  @Field(() => String, { description: 'Its name.' })
  name!: string;
}

@InputType({ description: 'Changes of synced definitions, proposed to the repository of their git source.' })
export class ManifestsProposeInput {
  @Field(() => String, {
    defaultValue: '',
    description: 'YAML; one definition per document, in any order: as each of them is to be.',
  })
  text!: string;

  @Field(() => String, { nullable: true, description: 'The name of the file that the text is from, for errors.' })
  fileName?: string | null;

  @Field(() => [DefinitionNameInput], {
    nullable: true,
    description: 'What leaves the repository; takes the permission to edit everything.',
  })
  removals?: DefinitionNameInput[] | null;

  @Field(() => String, { nullable: true, description: 'The git source, where all of it is new there.' })
  source?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The file in which new definitions are written, from the root; one for each in the folder of the source when left out.',
  })
  file?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The title of the pull request, and the message of its commit: one line.',
  })
  title?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Any text of your choice: the same key with the same change answers the same pull request, with another change it is refused. Without it the same change of the same commit is one pull request.',
  })
  idempotencyKey?: string | null;
}

@ObjectType({ description: 'A pull request that changes definitions in the repository of a git source.' })
export class ManifestsProposal {
  @Field(() => String, { description: 'The name of the git source.' })
  source!: string;

  @Field(() => Int, { description: 'Its number at the host of the repository.' })
  number!: number;

  @Field(() => String, { description: 'Where people find it.' })
  url!: string;

  @Field(() => PullRequestStateEnum, {
    description: 'As its host has it now: one that was proposed before may be over.',
  })
  state!: PullRequestState;

  @Field(() => String, { description: 'Its branch.' })
  branch!: string;

  @Field(() => String, { description: 'Its commit.' })
  commit!: string;

  @Field(() => String, { description: 'A unified diff of the files of the repository.' })
  diff!: string;
}

@ObjectType({ description: 'What became of a proposal.' })
export class ManifestsProposePayload {
  @Field(() => ManifestsProposal, { nullable: true, description: 'The pull request; null when refused.' })
  proposal!: ManifestsProposal | null;

  @Field(() => [UserError], { description: 'Why it was refused, with line and column where manifests are wrong.' })
  userErrors!: UserError[];
}
