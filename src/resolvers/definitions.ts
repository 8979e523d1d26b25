import { Arg, Args, Ctx, Int, Mutation, Query, Resolver } from 'type-graphql';
import { changeDefinition } from '../commands/change-definition.ts';
import { deleteDefinition } from '../commands/delete-definition.ts';
import type { Result } from '../commands/result.ts';
import { saveDefinition } from '../commands/save-definition.ts';
import type { Definition as Defined, EnvironmentSelector, Kind, StoredDefinition } from '../core/definitions.ts';
import { environmentSelector } from '../core/kinds/common.ts';
import { manyOf } from '../core/kinds/index.ts';
import type { Refusal } from '../core/problems.ts';
import { askedOf, PageArgs, toConnection } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { DefinitionDeleteInput, GitSourceDeleteInput, toNode } from '../schema/definition.ts';
import type { Definition, DefinitionInput, ReadDefinition } from '../schema/definition.ts';
import { withArticle } from '../schema/definition-types.ts';
import type { DefinitionTypes } from '../schema/definition-types.ts';
import { EnvironmentSelectorInput, SelectorInput } from '../schema/selector.ts';
import { toSpec } from '../schema/spec-input.ts';
import { listDefinitions } from '../store/definitions.ts';
import type { DefinitionList } from '../store/definitions.ts';
import { deletes, saves } from './access/definition-rules.ts';
import { Guarded, SEES } from './access/rules.ts';
import { seesDefinition, visibilityOf } from './access/visible.ts';
import { checkStorable, ifStorable, refusedWithRevision } from './answers.ts';
import { definitionsOf, forget, revisionsOf } from './batches.ts';
import { placeIn, toDefinition } from './definition-input.ts';

export const SEARCH =
  'Those with this text in their name, their description, or a key or value of their labels, whatever the case.';

/** The queries and mutations that every kind of definition has; what only one kind has stands in that kind's file. */
export function definitionResolver<K extends Kind>(api: DefinitionTypes<K>): Function {
  const { kind, field, noun } = api;
  const one = withArticle(noun);
  const DeleteInput = kind === 'GitSource' ? GitSourceDeleteInput : DefinitionDeleteInput;
  const Selector = kind === 'Environment' ? EnvironmentSelectorInput : SelectorInput;

  @Resolver()
  class DefinitionResolver {
    @Guarded(SEES)
    @Query(() => api.type, {
      name: field,
      nullable: true,
      description: `The ${noun} of that name; null when there is none.`,
    })
    async get(
      @Ctx() context: ApiContext,
      @Arg('name', () => String, { description: 'Its name.' }) name: string,
      @Arg('revision', () => Int, {
        nullable: true,
        description: 'As it was saved as this revision; now when left out.',
      })
      revision?: number,
    ): Promise<Definition | null> {
      checkStorable({ name });
      return readNode(context, api, name, revision ?? undefined);
    }

    @Guarded(saves(kind, 'CREATE'))
    @Mutation(() => api.payload, { name: `${field}Create`, description: `Creates ${one}.` })
    async create(
      @Ctx() context: ApiContext,
      @Arg('input', () => api.createInput, { description: 'The new one.' }) input: DefinitionInput & {
        idempotencyKey?: string;
      },
    ): Promise<object> {
      const created = toDefinition(kind, input);
      const { app, actor } = context;
      const idempotencyKey = input.idempotencyKey ?? undefined;
      const result = created.refusals
        ? created
        : await saveDefinition(app, created.value, { mode: 'CREATE', idempotencyKey, actor });
      return definitionPayload(context, api, input, result);
    }

    @Guarded(saves(kind, 'CHANGE'))
    @Mutation(() => api.payload, {
      name: `${field}Update`,
      description: `Changes ${one}: a new revision of it. What the input leaves out stays as it is.`,
    })
    async update(
      @Ctx() context: ApiContext,
      @Arg('input', () => api.updateInput, { description: 'The changes.' })
      input: DefinitionInput & { expectedRevision?: number },
    ): Promise<object> {
      return change(context, api, input, (before) => toDefinition(kind, input, before));
    }

    @Guarded(deletes(kind))
    @Mutation(() => api.payload, {
      name: `${field}Delete`,
      description: `Deletes ${one} that nothing else names. Its revisions stay, and releases keep what they froze.`,
    })
    async delete(
      @Ctx() context: ApiContext,
      @Arg('input', () => DeleteInput, { description: 'Which one.' })
      input: DefinitionDeleteInput & Partial<GitSourceDeleteInput>,
    ): Promise<object> {
      const { expectedRevision, prune } = input;
      const options = { expectedRevision: expectedRevision ?? undefined, actor: context.actor, prune };
      const result = await ifStorable(input, () => deleteDefinition(context.app, kind, input.name, options));
      return definitionPayload(context, api, input, result);
    }
  }
  // Applications have a list of their own, with more arguments.
  if (kind === 'Application') return DefinitionResolver;

  @Resolver()
  class ListedDefinitionResolver extends DefinitionResolver {
    @Guarded(SEES)
    @Query(() => api.connection, { name: manyOf(field), description: `All of kind ${kind}, by name.` })
    async list(
      @Ctx() context: ApiContext,
      @Args(() => PageArgs) page: PageArgs,
      @Arg('selector', () => Selector, { nullable: true, description: 'Which ones; all when left out.' })
      selector?: object,
      @Arg('search', () => String, { nullable: true, description: SEARCH }) search?: string,
    ): Promise<Connection<Definition>> {
      return listNodes(context, api, page, selector, { search: search ?? undefined });
    }
  }
  return ListedDefinitionResolver;
}

type Read<K extends Kind> = Pick<DefinitionTypes<K>, 'kind' | 'type'>;
type Answer<K extends Kind> = Pick<DefinitionTypes<K>, 'kind' | 'type' | 'field'>;

export async function readNode<K extends Kind>(
  context: ApiContext,
  { kind, type }: Read<K>,
  name: string,
  revision?: number,
): Promise<Definition | null> {
  if (revision === undefined) {
    const now = await definitionsOf(context, kind).load(name);
    return now && (await seesDefinition(context, now)) ? toNode(type, now) : null;
  }
  const then = await revisionsOf(context).load({ kind, name, revision });
  return then && (await seesDefinition(context, then)) ? toNode(type, { ...then, createdAt: null }) : null;
}

export async function listNodes<K extends Kind>(
  context: ApiContext,
  { kind, type }: Read<K>,
  page: PageArgs,
  selectorInput?: object | null,
  where: Pick<DefinitionList, 'product' | 'environment' | 'search'> = {},
): Promise<Connection<Definition>> {
  const { limit, key, backwards } = askedOf(page);
  checkStorable({ selector: selectorInput, ...where });
  const refusals: Refusal[] = [];
  const selector = selectorInput
    ? (toSpec(environmentSelector, selectorInput, ['selector'], refusals) as EnvironmentSelector)
    : undefined;
  const visible = await visibilityOf(context);
  const list = { limit, key, backwards, selector, visible, ...where };
  const rows = await listDefinitions(context.app.dataSource, kind, list);
  return toConnection(
    rows,
    page,
    (row) => row.metadata.name,
    (row) => toNode(type, row as ReadDefinition),
  );
}

/** The change is made on the newest revision, and again when another change was faster, unless a revision is expected. */
async function change<K extends Kind>(
  context: ApiContext,
  api: Answer<K>,
  input: { name: string; expectedRevision?: number },
  how: (before: StoredDefinition<K>) => Promise<Result<Defined<K>>> | Result<Defined<K>>,
): Promise<object> {
  const options = { expectedRevision: input.expectedRevision ?? undefined, actor: context.actor };
  const result = await ifStorable(input, () => changeDefinition(context.app, api.kind, input.name, how, options));
  return definitionPayload(context, api, input, result);
}

export async function definitionPayload<K extends Kind>(
  context: ApiContext,
  { kind, type, field }: Answer<K>,
  input: { name: string },
  result: Result<StoredDefinition<K>>,
): Promise<object> {
  forget(context);
  if (!result.refusals) return { [field]: toNode(type, result.value as ReadDefinition), userErrors: [] };
  const current = async (): Promise<number> => (await definitionsOf(context, kind).load(input.name))?.revision ?? 0;
  return { [field]: null, userErrors: await refusedWithRevision(result.refusals, placeIn(kind, input), current) };
}
