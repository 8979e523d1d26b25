import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { OnMissing, WhenAbsent } from '../core/definitions.ts';
import { OnMissingEnum, WhenAbsentEnum } from './choices.ts';
import { connectionOf } from './connection.ts';
import { Definition, DefinitionInput, EXPECTED_REVISION, IDEMPOTENCY_KEY } from './definition.ts';
import { Node } from './node.ts';
import { SelectorInput, SelectorType } from './selector.ts';
import { FileEntryInput } from './spec-input.ts';
import { UserError } from './user-errors.ts';

const ON_MISSING =
  'What becomes of an entry that `[*]` or `..` selected and that stands in the source alone. REFUSE when left out.';
const WHEN_ABSENT =
  'What becomes of a JSON path that selects nothing in the source while others of its file do. WARN when left out.';
const FILE = "The file, in the application's folder.";

@ObjectType({ description: "Where a version's label is read." })
export class VersionSource {
  @Field(() => String, { description: FILE })
  file!: string;

  @Field(() => String, { description: 'The JSON path of the value, e.g. `$.appVersion`.' })
  jsonPath!: string;
}

@InputType({ description: "Where a version's label is read." })
export class VersionSourceInput {
  @Field(() => String, { description: FILE })
  file!: string;

  @Field(() => String, { description: 'The JSON path of the value, e.g. `$.appVersion`.' })
  jsonPath!: string;
}

@ObjectType({ description: 'A file that is promoted, and which values of it.' })
export class PromotedFile {
  @Field(() => String, { description: FILE })
  file!: string;

  @Field(() => [String], { description: 'The JSON paths of the values that are promoted.' })
  jsonPaths!: string[];
}

@InputType({ description: 'A file that is promoted, and which values of it.' })
export class PromotedFileInput extends FileEntryInput {
  @Field(() => String, { description: FILE })
  override file!: string;

  @Field(() => [String], { description: 'The JSON paths of the values that are promoted.' })
  jsonPaths!: string[];
}

@ObjectType({ description: 'A promotion template that stands in a product.' })
export class PromotionTemplateContent {
  @Field(() => VersionSource, {
    nullable: true,
    description: "Where the version's label is read; else the short commit is.",
  })
  versionSource!: VersionSource | null;

  @Field(() => [PromotedFile], { nullable: true, description: 'What is promoted; without it the whole folder is.' })
  promotion!: PromotedFile[] | null;

  @Field(() => OnMissingEnum, { nullable: true, description: ON_MISSING })
  onMissing!: OnMissing | null;

  @Field(() => WhenAbsentEnum, { nullable: true, description: WHEN_ABSENT })
  whenAbsent!: WhenAbsent | null;
}

@InputType({ description: 'A promotion template that stands in a product.' })
export class PromotionTemplateContentInput {
  @Field(() => VersionSourceInput, {
    nullable: true,
    description: "Where the version's label is read; else the short commit is.",
  })
  versionSource?: VersionSourceInput;

  @Field(() => [PromotedFileInput], {
    nullable: true,
    description: 'What is promoted; without it the whole folder is.',
  })
  promotion?: PromotedFileInput[];

  @Field(() => OnMissingEnum, { nullable: true, description: ON_MISSING })
  onMissing?: OnMissing;

  @Field(() => WhenAbsentEnum, { nullable: true, description: WHEN_ABSENT })
  whenAbsent?: WhenAbsent;
}

@ObjectType({
  implements: [Definition, Node],
  description: 'Which files and JSON paths of an application are promoted, and where its version is read.',
})
export class PromotionTemplate extends Definition {
  @Field(() => SelectorType, { nullable: true, description: 'The applications that it is for.' })
  applicationSourceSelector!: SelectorType | null;

  @Field(() => Int, { nullable: true, description: 'Of several that match, the smallest number wins.' })
  priority!: number | null;

  @Field(() => VersionSource, {
    nullable: true,
    description: "Where the version's label is read; else the short commit is.",
  })
  versionSource!: VersionSource | null;

  @Field(() => [PromotedFile], { nullable: true, description: 'What is promoted; without it the whole folder is.' })
  promotion!: PromotedFile[] | null;

  @Field(() => OnMissingEnum, { nullable: true, description: ON_MISSING })
  onMissing!: OnMissing | null;

  @Field(() => WhenAbsentEnum, { nullable: true, description: WHEN_ABSENT })
  whenAbsent!: WhenAbsent | null;
}

@InputType()
export abstract class PromotionTemplateInput extends DefinitionInput {
  @Field(() => SelectorInput, { nullable: true, description: 'The applications that it is for.' })
  applicationSourceSelector?: SelectorInput;

  @Field(() => Int, { nullable: true, description: 'Of several that match, the smallest number wins.' })
  priority?: number;

  @Field(() => VersionSourceInput, {
    nullable: true,
    description: "Where the version's label is read; else the short commit is.",
  })
  versionSource?: VersionSourceInput;

  @Field(() => [PromotedFileInput], {
    nullable: true,
    description: 'What is promoted; without it the whole folder is.',
  })
  promotion?: PromotedFileInput[];

  @Field(() => OnMissingEnum, { nullable: true, description: ON_MISSING })
  onMissing?: OnMissing;

  @Field(() => WhenAbsentEnum, { nullable: true, description: WHEN_ABSENT })
  whenAbsent?: WhenAbsent;
}

@InputType({ description: 'A new promotion template.' })
export class PromotionTemplateCreateInput extends PromotionTemplateInput {
  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string;
}

@InputType({ description: 'Changes to a promotion template: what is given replaces what is there, null removes it.' })
export class PromotionTemplateUpdateInput extends PromotionTemplateInput {
  @Field(() => Int, { nullable: true, description: EXPECTED_REVISION })
  expectedRevision?: number;
}

@ObjectType({ description: 'What became of a promotion template.' })
export class PromotionTemplatePayload {
  @Field(() => PromotionTemplate, {
    nullable: true,
    description: 'As it is now, or as it was before it was deleted; null when refused.',
  })
  promotionTemplate!: PromotionTemplate | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const PromotionTemplateConnection = connectionOf('PromotionTemplate', PromotionTemplate);
