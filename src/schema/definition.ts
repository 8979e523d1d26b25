import { Ctx, Field, InputType, Int, InterfaceType } from 'type-graphql';
import type { Kind, StoredDefinition } from '../core/definitions.ts';
import { SPECS } from '../core/kinds/index.ts';
import { exportManifest } from '../manifests/index.ts';
import type { ApiContext } from './context.ts';
import { toNodeId } from './node-id.ts';
import { Node } from './node.ts';
import { toShape } from './spec-shape.ts';
import { SyncedFrom } from './synced-from.ts';
import { Label, LabelInput, labelsOf } from './values.ts';

@InterfaceType({
  implements: Node,
  description: 'What people define, and what manifests hold: its name is its identity.',
})
export abstract class Definition extends Node {
  @Field(() => String, { description: 'The name: an RFC 1123 label, unique among its kind.' })
  name!: string;

  @Field(() => [Label], { description: 'The labels, by key; selectors look at them.' })
  labels!: Label[];

  @Field(() => [Label], { description: 'Notes of people and tools, by key; nothing here looks at them.' })
  annotations!: Label[];

  @Field(() => Int, {
    description: 'Counts the saves from 1; give it as `expectedRevision` when changing what you have seen.',
  })
  revision!: number;

  @Field(() => Date, { nullable: true, description: 'When it was created; null for an older revision.' })
  createdAt!: Date | null;

  @Field(() => Date, { description: 'When this revision was saved.' })
  updatedAt!: Date;

  @Field(() => SyncedFrom, {
    nullable: true,
    description: 'The git source that it comes from, where it is changed; null: it can be changed here.',
  })
  async syncedFrom(@Ctx() { app }: ApiContext): Promise<SyncedFrom | null> {
    const { kind, metadata } = this.stored;
    return (await app.definitions.current()).syncedFrom(kind, metadata.name);
  }

  @Field(() => String, { description: 'The definition as YAML that `manifestsApply` takes.' })
  manifest(): string {
    return exportManifest(this.stored);
  }

  stored!: ReadDefinition;
}

/** A definition as it is now, or as it was at a revision (then without id and time of creation). */
export type ReadDefinition<K extends Kind = Kind> = Omit<StoredDefinition<K>, 'id' | 'createdAt'> & {
  createdAt: Date | null;
};

export function toNode<T extends Definition>(type: new () => T, stored: ReadDefinition): T {
  const { kind, metadata, spec, revision, createdAt, updatedAt } = stored;
  const key = createdAt === null ? `${metadata.name}@${revision}` : metadata.name;
  return Object.assign(new type(), toShape(SPECS[kind], spec) as Partial<T>, {
    id: toNodeId(kind, key),
    name: metadata.name,
    labels: labelsOf(metadata.labels),
    annotations: labelsOf(metadata.annotations),
    revision,
    createdAt,
    updatedAt,
    stored,
  });
}

/** What the inputs for every kind have; a name of its own for each, so that a kind may get more. */
@InputType()
export abstract class DefinitionInput {
  @Field(() => String, { description: 'The name: an RFC 1123 label, unique among its kind.' })
  name!: string;

  @Field(() => [LabelInput], { nullable: true, description: 'The labels; selectors look at them.' })
  labels?: LabelInput[];

  @Field(() => [LabelInput], { nullable: true, description: 'Notes of people and tools; nothing here looks at them.' })
  annotations?: LabelInput[];
}

export const IDEMPOTENCY_KEY =
  'Any text of your choice: the same key with the same input returns the first result again, with another input it is refused. Kept at least 24 h.';
export const EXPECTED_REVISION =
  'The revision that you have seen; another one is a ConflictError. Without it the newest is changed.';

@InputType({ description: 'Which definition to delete.' })
export class DefinitionDeleteInput {
  @Field(() => String, { description: 'Its name.' })
  name!: string;

  @Field(() => Int, { nullable: true, description: EXPECTED_REVISION })
  expectedRevision?: number;
}

@InputType({ description: 'Which git source to delete.' })
export class GitSourceDeleteInput extends DefinitionDeleteInput {
  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Deletes all that it brought as well; otherwise that stays, and can be edited.',
  })
  prune!: boolean;
}
