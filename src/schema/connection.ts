import { GraphQLError } from 'graphql';
import type { ClassType } from 'type-graphql';
import { ArgsType, Field, Int, ObjectType } from 'type-graphql';

export const MAX_FIRST = 100;

@ObjectType({ description: 'Where a page of a list stands.' })
export class PageInfo {
  @Field(() => Boolean, {
    description:
      'Whether there may be more after `endCursor`. A page looks at so many entries at most: where few of them fit the filter, it ends before it is full, and the next one goes on from there.',
  })
  hasNextPage!: boolean;

  @Field(() => Boolean, {
    description:
      'Whether the page began after a cursor; with `last`: whether there may be more before `startCursor`, as for `hasNextPage`.',
  })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description: 'Where the page begins: give it as `before` for the page before it.',
  })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Where the page ends: give it as `after` for the next page.',
  })
  endCursor!: string | null;
}

@ArgsType()
export class PageArgs {
  @Field(() => Int, { defaultValue: 20, description: 'How many entries, from 1 to 100.' })
  first!: number;

  @Field(() => String, { nullable: true, description: 'The cursor of the entry after which the page begins.' })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Instead of `first`: how many entries of the end of the list, or before `before`, from 1 to 100. They stand in the order of the list.',
  })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'The cursor of the entry before which the page ends.' })
  before?: string | null;
}

/** Which way a list is read from a key: forwards to what comes after it, or backwards to what comes before it. */
export interface Asked {
  /** Entries that the page shows. */
  size: number;
  /** Entries that are read for it: one more says whether there is more. */
  limit: number;
  /** Of the entry from which it goes on, which is not shown again; undefined: from the beginning, or from the end. */
  key: string | undefined;
  /** Towards the beginning. The rows of such a page are read, and handed to `toConnection`, in that order. */
  backwards: boolean;
}

/** @throws GraphQLError BAD_USER_INPUT */
export function askedOf({ first, after, last, before }: PageArgs): Asked {
  const backwards = typeof last === 'number';
  if (backwards && typeof after === 'string')
    throw badInput('`after` goes with `first`, as `before` does with `last`', 'after');
  if (!backwards && typeof before === 'string')
    throw badInput('`before` goes with `last`, as `after` does with `first`', 'before');
  const size = backwards ? checkFirst(last, MAX_FIRST, 'last') : checkFirst(first);
  const key = backwards ? readCursor(before, 'before') : readCursor(after);
  return { size, limit: size + 1, key, backwards };
}

export interface Edge<T> {
  cursor: string;
  node: T;
}

export interface Connection<T> {
  edges: Edge<T>[];
  nodes: T[];
  pageInfo: PageInfo;
}

/** The two types of a Relay connection of `name`; `nodes` beside `edges` for clients that need no cursors. */
export function connectionOf<T extends object>(name: string, node: ClassType<T>): ClassType<Connection<T>> {
  @ObjectType(`${name}Edge`, { description: `An entry of a list of type ${name}.` })
  class EdgeType implements Edge<T> {
    @Field(() => String, { description: 'The place of this entry in the list.' })
    cursor!: string;

    @Field(() => node, { description: 'The entry.' })
    node!: T;
  }

  @ObjectType(`${name}Connection`, { description: `A page of a list of type ${name}.` })
  class ConnectionType implements Connection<T> {
    @Field(() => [EdgeType], { description: 'The entries, each with its cursor.' })
    edges!: Edge<T>[];

    @Field(() => [node], { description: 'The entries alone.' })
    nodes!: T[];

    @Field(() => PageInfo, { description: 'Where this page stands in the list.' })
    pageInfo!: PageInfo;
  }
  return ConnectionType;
}

/** How many entries a list has, as far as they were counted. */
export interface ListCount {
  count: number;
  /** Counting stopped: there may be more. */
  isCapped: boolean;
}

/** A page of a list that can say how many entries the whole list has; they are counted when somebody asks. */
export interface CountedConnection<T> extends Connection<T> {
  counted: (this: void) => Promise<ListCount>;
}

/** Fault of the client: nothing was looked up. */
export function badInput(message: string, path: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', argument: path } });
}

export function checkFirst(first: number, most = MAX_FIRST, name = 'first'): number {
  if (first >= 1 && first <= most) return first;
  throw badInput(`\`${name}\` is ${first}; it must be from 1 to ${most}`, name);
}

/** Cursors are keys of the last entry (keyset paging): an entry that comes or goes elsewhere shifts nothing. */
export function writeCursor(key: string): string {
  return Buffer.from(`k:${key}`).toString('base64url');
}

export function readCursor(cursor: string | null | undefined, argument = 'after'): string | undefined {
  if (cursor === null || cursor === undefined) return undefined;
  const text = cursor.length > 1_000 ? '' : Buffer.from(cursor, 'base64url').toString();
  // PostgreSQL has no NUL: nothing is listed under such a key.
  if (text.startsWith('k:') && !text.includes('\0')) return text.slice(2);
  throw notOfThisList(argument);
}

/** A key that is none of the list's: its cursor is that of another list. */
export const foreignKey = ({ backwards }: Pick<Asked, 'backwards'>): GraphQLError =>
  notOfThisList(backwards ? 'before' : 'after');

function notOfThisList(argument: string): GraphQLError {
  const place = argument === 'after' ? 'endCursor' : 'startCursor';
  return badInput(`\`${argument}\` is not a cursor of this list: take it from \`pageInfo.${place}\``, argument);
}

/**
 * The key of a list in the order of a number.
 * @param digits as many as its column holds, whatever they are
 * @throws GraphQLError BAD_USER_INPUT
 */
export function numberIn(asked: Pick<Asked, 'key' | 'backwards'>, digits = 15): number | undefined {
  const { key } = asked;
  if (key === undefined) return undefined;
  if (/^\d+$/.test(key) && key.length <= digits) return Number(key);
  throw foreignKey(asked);
}

/**
 * `rows` holds one more than the page shows when there is more. `cut`: the key up to which the list was looked at, where it was not looked at
 * to its end; the next page goes on from there.
 */
export function toConnection<R, T>(
  rows: R[],
  page: PageArgs,
  keyOf: (row: R) => string,
  nodeOf: (row: R) => T,
  cut: string | null = null,
): Connection<T> {
  const { size, backwards } = askedOf(page);
  const shown = rows.slice(0, size).map((row) => ({ cursor: writeCursor(keyOf(row)), node: nodeOf(row) }));
  const more = rows.length > size || cut !== null;
  const goesOn = cut !== null && rows.length <= size ? writeCursor(cut) : (shown.at(-1)?.cursor ?? null);
  const begins = shown[0]?.cursor ?? null;
  const edges = backwards ? shown.reverse() : shown;
  const isNotFirst = typeof (backwards ? page.before : page.after) === 'string';
  return {
    edges,
    nodes: edges.map((each) => each.node),
    pageInfo: backwards
      ? { hasNextPage: isNotFirst, hasPreviousPage: more, startCursor: goesOn, endCursor: begins }
      : { hasNextPage: more, hasPreviousPage: isNotFirst, startCursor: begins, endCursor: goesOn },
  };
}
