import { Field, Int, ObjectType } from 'type-graphql';
import { CommitNoteType } from './candidate.ts';
import { VersionNameType } from './rollback-plan.ts';
import { UserError } from './user-errors.ts';

@ObjectType({ description: 'An issue that a commit names.' })
export class IssueReference {
  @Field(() => String, { description: 'As people write it, such as `#12`, `acme/shop#12` or `SHOP-12`.' })
  key!: string;

  @Field(() => String, { nullable: true, description: 'Where it can be read; null: not known.' })
  url!: string | null;
}

@ObjectType({ description: 'A commit that a version brings.' })
export class NotedCommit extends CommitNoteType {
  @Field(() => [IssueReference], { description: 'The issues that its message names; at most 20.' })
  issues!: IssueReference[];
}

@ObjectType({ description: 'What a version brings to an environment, beside what was there before.' })
export class EnvironmentNotes {
  @Field(() => String, { description: 'The name of the environment.' })
  environmentName!: string;

  @Field(() => VersionNameType, {
    nullable: true,
    description: 'The version that was there before, or is there as yet; null: none, or several.',
  })
  from!: VersionNameType | null;

  @Field(() => VersionNameType, {
    nullable: true,
    description: 'The version that comes; null: of a release that is not triggered yet it is not known.',
  })
  to!: VersionNameType | null;

  @Field(() => [NotedCommit], {
    description:
      'The commits that it brings, of those that touched the folders of its sources, newest first; at most 100.',
  })
  commits!: NotedCommit[];

  @Field(() => [String], { description: 'Who made them, by name, each once.' })
  authors!: string[];

  @Field(() => [IssueReference], { description: 'The issues that they name, each once.' })
  issues!: IssueReference[];

  @Field(() => Int, { nullable: true, description: 'How many commits it brings; null: not known.' })
  added!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many commits of the version before it has not: it goes back; null: not known.',
  })
  gone!: number | null;

  @Field(() => String, { nullable: true, description: 'What is not known, and why; null: all is.' })
  reason!: string | null;
}

@ObjectType({ description: 'What a release would bring, or why it would be refused.' })
export class ReleaseNotesPayload {
  @Field(() => [EnvironmentNotes], { description: 'By environment, in the order of the flow.' })
  notes!: EnvironmentNotes[];

  @Field(() => [UserError], { description: 'Why it would be refused.' })
  userErrors!: UserError[];
}
