import { Arg, Args, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import { restoreDefinition } from '../commands/restore-definition.ts';
import { sees } from '../core/access/index.ts';
import type { Visibility } from '../core/access/index.ts';
import type { Kind, Specs } from '../core/definitions.ts';
import type { Definition as Defined } from '../core/definitions.ts';
import { diffManifests, diffWords, exportManifest, isKeptAsText } from '../manifests/index.ts';
import { DefinitionKindEnum } from '../schema/choices.ts';
import { askedOf, badInput, numberIn, PageArgs, readCursor, toConnection, writeCursor } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import { turnOf } from '../schema/context.ts';
import type { ApiContext } from '../schema/context.ts';
import { toNode } from '../schema/definition.ts';
import type { Definition, ReadDefinition } from '../schema/definition.ts';
import { DEFINITION_TYPES } from '../schema/definition-types.ts';
import type { DefinitionTypes } from '../schema/definition-types.ts';
import {
  DefinitionEvent,
  DefinitionRestoreInput,
  DefinitionRestorePayload,
  DefinitionRevision,
  DefinitionRevisionConnection,
} from '../schema/definition-history.ts';
import { lastSave, listSaves } from '../store/definition-log.ts';
import type { DefinitionSave, ToldSave } from '../store/definition-log.ts';
import { Guarded, may, SEES } from './access/rules.ts';
import { visibilityOf } from './access/visible.ts';
import { checkStorable, gone, ifStorable, refusedWithRevision } from './answers.ts';
import { definitionsOf, forget, revisionsOf, textsOf } from './batches.ts';
import { readNode } from './definitions.ts';
import { asked } from './events.ts';
import { readsOf } from './reads.ts';

/** The text of what is kept as text. */
export function textResolver({ kind, type }: DefinitionTypes): Function[] {
  if (!isKeptAsText(kind)) return [];
  @Resolver(() => type)
  class TextResolver {
    @FieldResolver(() => String, {
      nullable: true,
      description:
        'This revision as it was written in `manifestsApply`, with comments, order and blank lines; null: it was not saved as text, or a git source has it.',
    })
    async text(@Ctx() context: ApiContext, @Root() { name, revision }: Definition): Promise<string | null> {
      // A text from before the source took it is another one than that of the repository.
      const isSynced = (await context.app.definitions.current()).syncedFrom(kind, name) !== null;
      return isSynced ? null : textsOf(context).load({ kind, name, revision });
    }
  }
  return [TextResolver];
}

/** What a definition of one kind says of its past. */
export function historyResolver({ kind, type }: DefinitionTypes): Function {
  @Resolver(() => type)
  class HistoryResolver {
    @FieldResolver(() => DefinitionRevisionConnection, {
      description: 'Every revision that there ever was, the newest first, with its author and what it changed.',
    })
    revisions(
      @Ctx() context: ApiContext,
      @Root() { name }: Definition,
      @Args(() => PageArgs) page: PageArgs,
    ): Promise<Connection<DefinitionRevision>> {
      return revisionsIn(context, kind, name, page);
    }

    @FieldResolver(() => String, {
      nullable: true,
      description: 'A unified diff of two of its revisions; null: their manifests are the same.',
    })
    async diff(
      @Ctx() context: ApiContext,
      @Root() { name }: Definition,
      @Arg('from', () => Int, { description: 'The revision to begin with.' }) from: number,
      @Arg('to', () => Int, { description: 'The revision to compare with it.' }) to: number,
    ): Promise<string | null> {
      const [before, after] = await Promise.all([from, to].map((each) => revisionAt(context, kind, name, each)));
      return diffManifests(before, after) || null;
    }
  }
  return HistoryResolver;
}

/** What a revision says is made when it is asked for: texts and their differences can be long. */
interface SavedRevision extends DefinitionRevision {
  save: DefinitionSave;
  /** Null: it is the first one. */
  older: DefinitionSave | null;
}

@Resolver(() => DefinitionRevision)
export class DefinitionRevisionResolver {
  @FieldResolver(() => String, { nullable: true, description: 'The definition as YAML; null: it was deleted.' })
  manifest(@Root() { save }: SavedRevision): string | null {
    const now = definitionIn(save);
    return now ? exportManifest(now) : null;
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'A flow or workflow as it was written; null: it was not saved as text, or it is of another kind.',
  })
  text(@Ctx() context: ApiContext, @Root() { save }: SavedRevision): Promise<string | null> | null {
    return isKeptAsText(save.kind) ? textsOf(context).load(save) : null;
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'A unified diff from the revision before it, or of the texts where they alone differ; null: they are the same.',
  })
  async diff(@Ctx() context: ApiContext, @Root() { save, older }: SavedRevision): Promise<string | null> {
    const [then, now] = [older && definitionIn(older), definitionIn(save)];
    await turnOf(context);
    const diff = then || now ? diffManifests(then ?? undefined, now) : '';
    if (diff !== '' || !now || !older || !isKeptAsText(save.kind)) return diff || null;
    const [before, after] = await Promise.all([older, save].map((each) => textsOf(context).load(each)));
    await turnOf(context);
    return diffWords(now, before!, after!) || null;
  }
}

@Resolver()
export class DefinitionHistoryResolver {
  @Guarded(SEES)
  @Query(() => DefinitionRevisionConnection, {
    description:
      'The revisions of a definition, the newest first, also of one that was deleted; empty when the caller does not see it.',
  })
  async definitionRevisions(
    @Ctx() context: ApiContext,
    @Arg('kind', () => DefinitionKindEnum, { description: 'The kind of the definition.' }) kind: Kind,
    @Arg('name', () => String, { description: 'Its name.' }) name: string,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<Connection<DefinitionRevision>> {
    checkStorable({ name });
    return revisionsIn(context, kind, name, page);
  }

  @Guarded(
    may('EDIT_DEFINITIONS', async ({ input }: { input: DefinitionRestoreInput }, lookup) => {
      const { kind, name, revision } = input;
      const then = name.includes('\0') ? null : await revisionsOf(lookup.context).load({ kind, name, revision });
      // As a save of what it was: of an application that may be another place than where it is now.
      const given = then ? { ...then.spec, name, labels: then.metadata.labels } : { name };
      return lookup.definition(kind, given, then ? 'SAVE' : 'CHANGE');
    }),
  )
  @Mutation(() => DefinitionRestorePayload, {
    description:
      'Saves a definition again as it was at a revision: a new revision, checked like every save. Also one that was deleted.',
  })
  async definitionRestore(
    @Ctx() context: ApiContext,
    @Arg('input', () => DefinitionRestoreInput, { description: 'Which definition, and which revision of it.' })
    input: DefinitionRestoreInput,
  ): Promise<DefinitionRestorePayload> {
    const { kind, name } = input;
    const result = await ifStorable(input, () => restoreDefinition(context.app, input, context.actor));
    forget(context);
    if (!result.refusals) {
      const { type } = DEFINITION_TYPES[kind];
      return { definition: toNode(type, result.value as ReadDefinition), userErrors: [] };
    }
    const current = async (): Promise<number> => (await definitionsOf(context, kind).load(name))?.revision ?? 0;
    // What is wrong with it now has no place in the input but the revision that it is of.
    const place = (path: (string | number)[]): (string | number)[] =>
      path[0] === 'spec' || path[0] === 'metadata' ? ['revision'] : path;
    return { definition: null, userErrors: await refusedWithRevision(result.refusals, place, current) };
  }

  @Guarded(SEES)
  @Query(() => String, {
    description:
      'Where the saves of definitions end now. Ask for it, then read definitions, and subscribe to `definitionEvents` after it: nothing is missed.',
  })
  async definitionCursor(@Ctx() context: ApiContext): Promise<string> {
    return writeCursor(String(await lastSave(readsOf(context))));
  }

  @Guarded(SEES)
  @Subscription(() => DefinitionEvent, {
    description:
      'Every save and every deletion of definitions after `after`, then each one as it happens, in the order of their commits.',
    subscribe: ({ args, context }) => {
      const { after, kinds, names } = args as { after?: string | null; kinds?: Kind[] | null; names?: string[] | null };
      return follow(context as ApiContext, after, { kinds: kinds ?? undefined, names: names ?? undefined }) as never;
    },
  })
  async definitionEvents(
    @Ctx() context: ApiContext,
    @Root() save: ToldSave,
    @Arg('after', () => String, {
      nullable: true,
      description:
        'A cursor: everything after it. "": from the beginning. Without it: from now on. One beyond the last save is refused as CURSOR_EXPIRED.',
    })
    _after?: string | null,
    @Arg('kinds', () => [DefinitionKindEnum], { nullable: true, description: 'Of these kinds; of all when left out.' })
    _kinds?: Kind[] | null,
    @Arg('names', () => [String], { nullable: true, description: 'With these names; with any when left out.' })
    _names?: string[] | null,
  ): Promise<DefinitionEvent> {
    const { kind, name, revision, spec, at, actor, sequence } = save;
    const definition =
      spec === null ? null : await readNode(context, DEFINITION_TYPES[kind] as DefinitionTypes, name, revision);
    const type = spec === null ? 'DELETED' : 'SAVED';
    return { cursor: writeCursor(String(sequence)), type, kind, name, revision, at, by: actor, definition };
  }
}

async function revisionsIn(
  context: ApiContext,
  kind: Kind,
  name: string,
  page: PageArgs,
): Promise<Connection<DefinitionRevision>> {
  const asked = askedOf(page);
  const { limit, backwards } = asked;
  const key = numberIn(asked, 9);
  const rows = await listSaves(readsOf(context), { kind, name, key, backwards, limit });
  const visibility = await visibilityOf(context);
  const about = rows.flatMap(({ save, older }) => save.spec ?? older?.spec ?? [])[0] ?? null;
  const shown = seesSave(visibility, { kind, name, about }) ? rows : [];
  return toConnection(
    shown,
    page,
    ({ save }) => String(save.revision),
    ({ save, older }) => toRevision(save, older),
  );
}

const definitionIn = ({ kind, name, labels, annotations, spec }: DefinitionSave): Defined | undefined =>
  spec === null ? undefined : { kind, metadata: { name, labels, annotations }, spec };

const toRevision = (save: DefinitionSave, older: DefinitionSave | null): SavedRevision => {
  const { revision, at, actor: by, spec } = save;
  return { revision, at, by, isDeletion: spec === null, save, older };
};

async function revisionAt(context: ApiContext, kind: Kind, name: string, revision: number): Promise<Defined> {
  const found = await revisionsOf(context).load({ kind, name, revision });
  if (!found) throw gone(`${kind} "${name}" was not saved as revision ${revision}`);
  return found;
}

async function follow(
  context: ApiContext,
  after: string | null | undefined,
  filter: { kinds?: Kind[]; names?: string[] },
): Promise<AsyncIterableIterator<ToldSave>> {
  checkStorable({ names: filter.names });
  const { live } = context;
  const now = await visibilityOf(context);
  const from = after === null || after === undefined ? null : placeOf(after);
  const seen = (save: ToldSave): boolean => seesSave(live ? live.visibility : now, save);
  return asked(() => context.log.followDefinitions(from, filter, seen));
}

/** What is shared by all is seen by all; of a deleted one, where it was. */
function seesSave(
  visibility: Visibility | null,
  { kind, name, about }: Pick<ToldSave, 'kind' | 'name' | 'about'>,
): boolean {
  if (visibility === null) return true;
  if (kind === 'Product') return visibility.products.has(name);
  if (kind === 'Environment') return visibility.environments.has(name);
  if (kind !== 'Application') return true;
  if (about === null) return false;
  const { product, environment } = about as Specs['Application'];
  return sees(visibility, product, environment);
}

function placeOf(cursor: string): number {
  if (cursor === '') return 0;
  const key = readCursor(cursor) ?? '';
  if (/^\d{1,15}$/.test(key)) return Number(key);
  throw badInput('`after` is not a cursor of this list: take it from an event', 'after');
}
