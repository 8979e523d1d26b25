import type { ClassType } from 'type-graphql';
import { Arg, Args, Ctx, Int, Mutation, Query, Resolver } from 'type-graphql';
import { changeDefinition } from '../commands/change-definition.ts';
import { deleteDefinition } from '../commands/delete-definition.ts';
import type { Result } from '../commands/result.ts';
import { saveDefinition } from '../commands/save-definition.ts';
import type { Definition as Defined, EnvironmentSelector, Kind, StoredDefinition } from '../core/definitions.ts';
import type { Refusal } from '../core/problems.ts';
import { checkFirst, PageArgs, readCursor, toConnection } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { DefinitionDeleteInput, toNode } from '../schema/definition.ts';
import type { Definition, DefinitionInput, ReadDefinition } from '../schema/definition.ts';
import { EnvironmentSelectorInput, SelectorInput } from '../schema/selector.ts';
import { toSpec } from '../schema/spec-input.ts';
import { listDefinitions } from '../store/definitions.ts';
import type { DefinitionList } from '../store/definitions.ts';
import { deletes, saves } from './access/definition-rules.ts';
import { Guarded, SEES } from './access/rules.ts';
import { seesDefinition, visibilityOf } from './access/visible.ts';
import { checkStorable, refusedWithRevision, unstorable } from './answers.ts';
import { definitionsOf, forget, revisionsOf } from './batches.ts';
import { placeIn, toDefinition } from './definition-input.ts';

/** A kind of definition in the API: its types, and what its fields are called. */
export interface DefinitionApi<K extends Kind, T extends Definition> {
  kind: K;
  /** `product`: the query, the beginning of the mutations' names, and the payload's field. */
  field: string;
  /** `products`; left out where the list has more arguments than every kind's. */
  list?: string;
  /** In sentences. */
  noun: string;
  type: new () => T;
  connection: ClassType<Connection<T>>;
  createInput: ClassType<DefinitionInput>;
  updateInput: ClassType<DefinitionInput & { expectedRevision?: number }>;
  payload: ClassType<object>;
}

/** The queries and mutations that every kind of definition has; what only one kind has stands in that kind's file. */
export function definitionResolver<K extends Kind, T extends Definition>(api: DefinitionApi<K, T>): Function {
  const { kind, field, list, noun } = api;
  const one = `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
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
    ): Promise<T | null> {
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
      @Arg('input', () => DefinitionDeleteInput, { description: 'Which one.' }) input: DefinitionDeleteInput,
    ): Promise<object> {
      const wrong = unstorable(input);
      const { app, actor } = context;
      const options = { expectedRevision: input.expectedRevision ?? undefined, actor };
      const result = wrong.length > 0 ? { refusals: wrong } : await deleteDefinition(app, kind, input.name, options);
      return definitionPayload(context, api, input, result);
    }
  }
  if (list === undefined) return DefinitionResolver;

  @Resolver()
  class ListedDefinitionResolver extends DefinitionResolver {
    @Guarded(SEES)
    @Query(() => api.connection, { name: list, description: `All of kind ${kind}, by name.` })
    async list(
      @Ctx() context: ApiContext,
      @Args(() => PageArgs) page: PageArgs,
      @Arg('selector', () => Selector, { nullable: true, description: 'Which ones; all when left out.' })
      selector?: SelectorInput,
    ): Promise<Connection<T>> {
      return listNodes(context, api, page, selector);
    }
  }
  return ListedDefinitionResolver;
}

type Read<K extends Kind, T extends Definition> = Pick<DefinitionApi<K, T>, 'kind' | 'type'>;
type Answer<K extends Kind, T extends Definition> = Pick<DefinitionApi<K, T>, 'kind' | 'type' | 'field'>;

export async function readNode<K extends Kind, T extends Definition>(
  context: ApiContext,
  { kind, type }: Read<K, T>,
  name: string,
  revision?: number,
): Promise<T | null> {
  if (revision === undefined) {
    const now = await definitionsOf(context, kind).load(name);
    return now && (await seesDefinition(context, now)) ? toNode(type, now) : null;
  }
  const then = await revisionsOf(context).load({ kind, name, revision });
  return then && (await seesDefinition(context, then)) ? toNode(type, { ...then, createdAt: null }) : null;
}

export async function listNodes<K extends Kind, T extends Definition>(
  context: ApiContext,
  { kind, type }: Read<K, T>,
  page: PageArgs,
  selectorInput?: SelectorInput | null,
  where: Pick<DefinitionList, 'product' | 'environment'> = {},
): Promise<Connection<T>> {
  const first = checkFirst(page.first);
  checkStorable({ selector: selectorInput, ...where });
  const refusals: Refusal[] = [];
  const selector = toSpec(selectorInput ?? undefined, ['selector'], refusals) as EnvironmentSelector | undefined;
  const after = readCursor(page.after);
  const visible = await visibilityOf(context);
  const list = { first: first + 1, after, selector, visible, ...where };
  const rows = await listDefinitions(context.app.dataSource, kind, list);
  return toConnection(
    rows,
    page,
    (row) => row.metadata.name,
    (row) => toNode(type, row as ReadDefinition),
  );
}

/** The change is made on the newest revision, again if somebody else was faster, unless a revision is expected. */
export async function change<K extends Kind, T extends Definition>(
  context: ApiContext,
  api: Answer<K, T>,
  input: { name: string; expectedRevision?: number },
  how: (before: StoredDefinition<K>) => Promise<Result<Defined<K>>> | Result<Defined<K>>,
): Promise<object> {
  const wrong = unstorable(input);
  const { app, actor } = context;
  const options = { expectedRevision: input.expectedRevision ?? undefined, actor };
  const result =
    wrong.length > 0 ? { refusals: wrong } : await changeDefinition(app, api.kind, input.name, how, options);
  return definitionPayload(context, api, input, result);
}

export async function definitionPayload<K extends Kind, T extends Definition>(
  context: ApiContext,
  { kind, type, field }: Answer<K, T>,
  input: { name: string },
  result: Result<StoredDefinition<K>>,
): Promise<object> {
  forget(context);
  if (!result.refusals) return { [field]: toNode(type, result.value as ReadDefinition), userErrors: [] };
  const current = async (): Promise<number> => (await definitionsOf(context, kind).load(input.name))?.revision ?? 0;
  return { [field]: null, userErrors: await refusedWithRevision(result.refusals, placeIn(input), current) };
}
