import {
  getNamedType,
  getNullableType,
  type GraphQLField,
  GraphQLError,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isCompositeType,
  isListType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';

export interface BudgetLimits {
  /** Most objects, and fields that are selected of them. */
  values: number;
  /** Largest answer, in bytes, as it is about to be written. */
  bytes: number;
  /** Milliseconds that an operation runs before others have their turn. */
  sliceMs: number;
}

/**
 * What one operation may still cost while it runs. The static price of an operation takes a list for ten; only the run knows
 * what it holds. An object and each field that is selected of it is paid for when the list that holds the object is known, before
 * any of its entries is looked at: what is over the limit is never begun, however the types of the schema go round in circles.
 */
export class Budget {
  readonly #limits: BudgetLimits;
  #values = 0;
  #bytes = 0;
  #error: GraphQLError | null = null;
  #turnEnds = 0;
  readonly #line: (() => void)[] = [];

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
  }

  /** Why the operation ended before it was done; null: it did not. */
  get error(): GraphQLError | null {
    return this.#error;
  }

  get spent(): { values: number; bytes: number } {
    return { values: this.#values, bytes: this.#bytes };
  }

  /** @throws GraphQLError TOO_EXPENSIVE */
  pay(values: number, info: GraphQLResolveInfo): void {
    this.#values += values;
    if (this.#error) throw this.#error;
    const most = this.#limits.values;
    if (this.#values > most)
      this.#end('values', most, `would have more than ${most} values, lists counted by what they hold`, info);
  }

  /** @throws GraphQLError TOO_EXPENSIVE */
  write(bytes: number, info: GraphQLResolveInfo): void {
    this.#bytes += bytes;
    if (this.#error) throw this.#error;
    const most = this.#limits.bytes;
    if (this.#bytes > most) this.#end('bytes', most, `would be larger than ${most} bytes`, info);
  }

  /** Undefined: go on. A promise: other operations are served first; fields that wait go on in the order in which they came. */
  turn(): Promise<void> | undefined {
    const now = performance.now();
    if (this.#turnEnds === 0) {
      this.#turnEnds = now + this.#limits.sliceMs;
      // Time that the operation waited for the database is not its own: the next turn of the event loop begins a new slice.
      setImmediate(this.#next);
    }
    if (this.#line.length === 0 && now < this.#turnEnds) return undefined;
    return new Promise((resolve) => this.#line.push(resolve));
  }

  readonly #next = (): void => {
    this.#turnEnds = 0;
    if (this.#line.length === 0) return;
    this.#turnEnds = performance.now() + this.#limits.sliceMs;
    for (const resume of this.#line.splice(0, AT_ONCE)) resume();
    setImmediate(this.#next);
  };

  #end(limit: 'values' | 'bytes', most: number, what: string, { path, operation }: GraphQLResolveInfo): never {
    const keys: (string | number)[] = [];
    for (let at: GraphQLResolveInfo['path'] | undefined = path; at; at = at.prev) keys.unshift(at.key);
    const done =
      operation.operation === 'mutation'
        ? ` What stands up to and including \`${keys[0]}\` has been done and stays done; nothing after it was begun.`
        : '';
    const field = keys.filter((key) => typeof key === 'string').join('.');
    // With its path it is taken as it is, however many fields meet it.
    this.#error = new GraphQLError(
      `the answer ${what} (at \`${field}\`): ask for fewer fields below lists, for smaller pages, or in several operations.${done}`,
      { path: keys, extensions: { code: 'TOO_EXPENSIVE', limit, most } },
    );
    throw this.#error;
  }
}

/** How many of the fields that wait go on in one turn of the event loop. */
const AT_ONCE = 256;

interface Budgeted {
  budget: Budget;
}

type Field = GraphQLField<unknown, Budgeted>;
type Resolve = NonNullable<Field['resolve']>;

/** Puts the budget of the context around every field of every object. */
export function budgetSchema(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields()) as Field[]) {
      const resolve = field.resolve ?? ((source) => (source as Record<string, unknown>)[field.name]);
      field.resolve = isCompositeType(getNamedType(field.type)) ? objects(field, resolve) : plain(resolve);
    }
  }
  return schema;
}

function objects({ type }: Field, resolve: Resolve): Resolve {
  const isList = isListType(getNullableType(type));
  return (source, args, context, info) => {
    const { budget } = context;
    const settled = (value: unknown): unknown => {
      if (value === null || value === undefined) return value;
      const count = isList ? lengthOf(value) : 1;
      budget.pay(count * (1 + fieldsBelow(info)), info);
      return value;
    };
    const run = (): unknown => {
      if (budget.error) throw budget.error;
      const value: unknown = resolve(source, args, context, info);
      return isPromise(value) ? value.then(settled) : settled(value);
    };
    if (budget.error) throw budget.error;
    const turn = budget.turn();
    return turn ? turn.then(run) : run();
  };
}

function plain(resolve: Resolve): Resolve {
  return (source, args, context, info) => {
    const { budget } = context;
    const settled = (value: unknown): unknown => {
      budget.write(info.path.key.toString().length + PUNCTUATION + sizeOf(value), info);
      return value;
    };
    const value: unknown = resolve(source, args, context, info);
    return isPromise(value) ? value.then(settled) : settled(value);
  };
}

const lengthOf = (list: unknown): number => (Array.isArray(list) ? list.length : 1);

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as Promise<unknown>).then === 'function';

/** `"":,` */
const PUNCTUATION = 4;

/** About how many bytes a plain value is in the answer. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value) + 2;
  if (typeof value !== 'object' || value === null) return 8;
  if (value instanceof Date) return 26;
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + sizeOf(each) + 1, 2);
  return Buffer.byteLength(JSON.stringify(value));
}

/** graphql-js hands the same nodes to every object of a list. */
const counted = new WeakMap<object, number>();

/** How many fields are selected of each object of this field; those of all possible types, and each where it is written. */
function fieldsBelow({ fieldNodes, fragments }: GraphQLResolveInfo): number {
  let count = counted.get(fieldNodes);
  if (count === undefined) {
    const names = new Set<string>();
    const spread = new Set<string>();
    const collect = (set: SelectionSetNode | undefined): void => {
      for (const node of set?.selections ?? []) {
        if (node.kind === Kind.FIELD) names.add((node.alias ?? node.name).value);
        else if (node.kind === Kind.INLINE_FRAGMENT) collect(node.selectionSet);
        else if (!spread.has(node.name.value)) {
          spread.add(node.name.value);
          collect(fragments[node.name.value]?.selectionSet);
        }
      }
    };
    for (const node of fieldNodes) collect(node.selectionSet);
    count = names.size;
    counted.set(fieldNodes, count);
  }
  return count;
}
