import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { Kind } from '../core/definitions.ts';
import { stateOf } from '../core/git-source.ts';
import type { Drifted, KeptStanding, SourceError, SourceState } from '../core/git-source.ts';
import { DefinitionKindEnum } from './choices.ts';
import { GitSource } from './definition-types.ts';
import { enumOf } from './enums.ts';
import { UserError } from './user-errors.ts';

const SourceStateEnum = enumOf<SourceState>('GitSourceState', 'How far a git source is.', {
  SYNCED: 'What is defined here is as its branch says.',
  OUT_OF_SYNC: 'Its branch, or the source itself, has changed since the last sync: the next one is under way, or due.',
  FAILED: 'The newest commit cannot be applied; what was applied before stays as it is.',
});

const DriftEnum = enumOf<Drifted['how']>('GitSourceDriftKind', 'How a definition was not as its source has it.', {
  CHANGED: 'It had other fields.',
  DELETED: 'It was not there.',
});

@ObjectType({ description: 'What keeps a commit of a git source from being applied.' })
export class GitSourceError {
  @Field(() => String, { nullable: true, description: 'The file, from the root; null: it is about no file alone.' })
  file!: string | null;

  @Field(() => Int, { nullable: true, description: 'The line, from 1; null: it is about the whole file.' })
  line!: number | null;

  @Field(() => Int, { nullable: true, description: 'The column, from 1; null: it is about the whole file.' })
  column!: number | null;

  @Field(() => [String], { description: 'Where in the manifest, e.g. `["spec", "steps", "2"]`.' })
  manifestPath!: string[];

  @Field(() => String, { description: 'What is wrong, and what would be right.' })
  message!: string;
}

@ObjectType({ description: 'A definition that was not as its git source has it.' })
export class GitSourceDrift {
  @Field(() => DefinitionKindEnum, { description: 'Its kind.' })
  kind!: Kind;

  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => DriftEnum, { description: 'How it differed.' })
  how!: Drifted['how'];
}

@ObjectType({ description: 'How a git source stands.' })
export class GitSourceStatus {
  constructor(
    readonly kept: KeptStanding | null,
    readonly revision: number,
  ) {}

  @Field(() => SourceStateEnum, { description: 'How far it is.' })
  get state(): SourceState {
    return stateOf(this.kept, this.revision);
  }

  @Field(() => String, {
    nullable: true,
    description: 'The commit whose manifests are what is defined here; null: none was applied so far.',
  })
  get syncedCommit(): string | null {
    return this.kept?.syncedCommit ?? null;
  }

  @Field(() => Date, { nullable: true, description: 'When it was compared with what is defined here the last time.' })
  get syncedAt(): Date | null {
    return this.kept?.syncedAt ?? null;
  }

  @Field(() => String, { nullable: true, description: 'The head of its branch as it was seen last; null: not so far.' })
  get seenCommit(): string | null {
    return this.kept?.seenCommit ?? null;
  }

  @Field(() => Date, { nullable: true, description: 'When the branch was first seen there.' })
  get seenAt(): Date | null {
    return this.kept?.seenAt ?? null;
  }

  @Field(() => [GitSourceError], {
    description:
      'Why the newest commit is not applied, file by file; at most 100. Empty: it is, or it was not tried yet.',
  })
  get errors(): GitSourceError[] {
    return (this.kept?.errors ?? []).map(toError);
  }

  @Field(() => [GitSourceDrift], {
    description:
      'What was changed here by another way than the repository when that was found last. The sync that found it has set it back, unless there are errors.',
  })
  get drift(): GitSourceDrift[] {
    return this.kept?.drift ?? [];
  }

  @Field(() => Date, { nullable: true, description: 'When that was found; null: never.' })
  get driftAt(): Date | null {
    return this.kept?.driftAt ?? null;
  }
}

const toError = ({ path, ...same }: SourceError): GitSourceError => ({ ...same, manifestPath: path.map(String) });

@InputType({ description: 'Which git source to sync.' })
export class GitSourceSyncInput {
  @Field(() => String, { description: 'Its name.' })
  name!: string;
}

@ObjectType({ description: 'What became of a sync.' })
export class GitSourceSyncPayload {
  @Field(() => GitSource, { nullable: true, description: 'As it is now, also where it failed; null when refused.' })
  gitSource!: GitSource | null;

  @Field(() => Int, { description: 'How many definitions were created, changed or deleted.' })
  changed!: number;

  @Field(() => [UserError], {
    description: 'Why nothing was synced; what is wrong in the files is in `status.errors` of the source.',
  })
  userErrors!: UserError[];
}
