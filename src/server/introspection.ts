import {
  type DocumentNode,
  execute,
  type FieldNode,
  getArgumentValues,
  getIntrospectionQuery,
  getNamedType,
  getNullableType,
  getOperationAST,
  GraphQLError,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isCompositeType,
  isListType,
  Kind,
  parse,
  print,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Operation } from './cost.ts';

/**
 * What the schema says of itself. It never changes while the process lives, so the answer to a question that tools ask is made once
 * and kept as text; another question costs exactly the objects that it would answer with, and may stand once in an operation.
 */
export class Introspection {
  readonly #schema: GraphQLSchema;
  readonly #most: number;
  /** The answers, by question. Those of the standard question stay; others make room for each other. */
  readonly #standard = new Map<string, string | null>();
  readonly #others = new LRUCache<string, string>({
    max: 100,
    maxSize: 16 * 1024 * 1024,
    sizeCalculation: (text, question) => text.length + question.length,
  });
  readonly #keys = new WeakMap<DocumentNode, Map<string, string | null>>();
  /** How often an answer was made rather than found. */
  made = 0;

  /** @param most objects that a question may be answered with, unless it is a standard one */
  constructor(schema: GraphQLSchema, most: number) {
    this.#schema = schema;
    this.#most = most;
    for (const question of standardQuestions()) this.#standard.set(print(parse(question)), null);
  }

  /**
   * The text of `data`, when the operation asks for nothing but the schema; undefined: it is to be executed.
   * @throws GraphQLError TOO_EXPENSIVE
   */
  answer(operation: Operation): string | undefined {
    const question = this.#question(operation);
    if (question === null) return undefined;
    const known = this.#standard.get(question) ?? this.#others.get(question);
    if (known !== undefined && known !== null) return known;
    if (!this.#standard.has(question)) this.check(operation);
    const { data, errors } = execute({
      schema: this.#schema,
      document: operation.document,
      operationName: operation.operationName,
    }) as { data?: unknown; errors?: unknown[] };
    if (errors) return undefined;
    this.made += 1;
    const text = JSON.stringify(data);
    if (this.#standard.has(question)) this.#standard.set(question, text);
    else this.#others.set(question, text);
    return text;
  }

  /** Whether it asks for the schema at all. */
  isAsked(operation: Operation): boolean {
    return this.#asked(operation).length > 0;
  }

  /** Whether it is answered from a text that is there, or will stay once it is. */
  isFree(operation: Operation): boolean {
    const question = this.#question(operation);
    return question !== null && (this.#standard.has(question) || this.#others.has(question));
  }

  /** @throws GraphQLError TOO_EXPENSIVE for what asks for the schema more than once, or for more of it than it may. */
  check(operation: Operation): void {
    const asked = this.#asked(operation);
    if (asked.length > 1)
      throw tooExpensive(
        `\`__schema\` and \`__type\` may stand once in an operation, and here they stand ${asked.length} times: ask for one, or in several operations`,
      );
    if (asked.length === 0 || this.isFree(operation)) return;
    const cost = this.costOf(operation);
    if (cost > this.#most)
      throw tooExpensive(
        `the operation asks for more than ${this.#most} objects of the schema: ask for fewer lists below lists, or send the standard introspection query`,
      );
  }

  /** How many objects of the schema the operation is answered with; counting ends beyond the most that is allowed. */
  costOf(operation: Operation): number {
    const fragments = fragmentsOf(operation.document);
    const count = new Count(this.#schema, fragments, operation.variables ?? {}, this.#most);
    return this.#asked(operation).reduce((sum, field) => sum + count.ofRoot(field), 0);
  }

  #asked(operation: Operation): FieldNode[] {
    const root = getOperationAST(operation.document, operation.operationName);
    if (!root || root.operation !== 'query') return [];
    return fieldsIn(root.selectionSet, fragmentsOf(operation.document)).filter(({ name }) => isMeta(name.value));
  }

  /** What identifies the question, when it is about the schema alone and has no variables; null otherwise. */
  #question({ document, operationName }: Operation): string | null {
    let keys = this.#keys.get(document);
    if (!keys) this.#keys.set(document, (keys = new Map()));
    const name = operationName ?? '';
    let key = keys.get(name);
    if (key === undefined) keys.set(name, (key = questionOf(document, operationName)));
    return key;
  }
}

function questionOf(document: DocumentNode, operationName: string | null | undefined): string | null {
  const root = getOperationAST(document, operationName);
  if (!root || root.operation !== 'query' || (root.variableDefinitions ?? []).length > 0) return null;
  // Another operation beside it would only make the same question a new one.
  if (document.definitions.some((each) => each.kind === Kind.OPERATION_DEFINITION && each !== root)) return null;
  const fields = fieldsIn(root.selectionSet, fragmentsOf(document));
  return fields.length > 0 && fields.every(({ name }) => isMeta(name.value)) ? print(document) : null;
}

const isMeta = (name: string): boolean => name === SchemaMetaFieldDef.name || name === TypeMetaFieldDef.name;

type Fragments = ReadonlyMap<string, SelectionSetNode>;

function fragmentsOf({ definitions }: DocumentNode): Fragments {
  return new Map(
    definitions.flatMap((each) =>
      each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each.selectionSet] as const] : [],
    ),
  );
}

/** The fields of a selection, fragments opened, each fragment once. */
function fieldsIn(set: SelectionSetNode, fragments: Fragments, spread = new Set<string>()): FieldNode[] {
  return set.selections.flatMap((node) => {
    if (node.kind === Kind.FIELD) return [node];
    if (node.kind === Kind.INLINE_FRAGMENT) return fieldsIn(node.selectionSet, fragments, spread);
    const fragment = fragments.get(node.name.value);
    if (!fragment || spread.has(node.name.value)) return [];
    spread.add(node.name.value);
    return fieldsIn(fragment, fragments, spread);
  });
}

/** Asks the schema's own resolvers, each part of it once per selection. */
class Count {
  readonly #known = new Map<SelectionSetNode, Map<unknown, number>>();
  readonly #fields = new Map<SelectionSetNode, FieldNode[]>();
  #steps = 0;

  constructor(
    readonly schema: GraphQLSchema,
    readonly fragments: Fragments,
    readonly variables: Record<string, unknown>,
    readonly most: number,
  ) {}

  ofRoot(node: FieldNode): number {
    const field = node.name.value === SchemaMetaFieldDef.name ? SchemaMetaFieldDef : TypeMetaFieldDef;
    return this.#ofField(field, node, undefined);
  }

  #ofField(field: GraphQLField<unknown, unknown>, node: FieldNode, source: unknown): number {
    if (!node.selectionSet || !isCompositeType(getNamedType(field.type))) return 0;
    const value = field.resolve?.(source, this.#arguments(field, node), undefined, { schema: this.schema } as never);
    if (value === null || value === undefined) return 0;
    const list = isListType(getNullableType(field.type)) ? [...(value as unknown[])] : [value];
    const type = getNamedType(field.type) as GraphQLObjectType;
    let sum = 0;
    for (const each of list) {
      sum += this.#ofObject(type, node.selectionSet, each);
      if (sum > this.most) break;
    }
    return sum;
  }

  #ofObject(type: GraphQLObjectType, set: SelectionSetNode, source: unknown): number {
    let bySource = this.#known.get(set);
    if (!bySource) this.#known.set(set, (bySource = new Map()));
    const known = bySource.get(source);
    if (known !== undefined) return known;
    this.#steps += 1;
    let sum = 1;
    for (const node of this.#fieldsOf(set)) {
      const field = type.getFields()[node.name.value];
      if (field) sum += this.#ofField(field as GraphQLField<unknown, unknown>, node, source);
      if (sum > this.most || this.#steps > this.most) return this.most + 1;
    }
    bySource.set(source, sum);
    return sum;
  }

  #fieldsOf(set: SelectionSetNode): FieldNode[] {
    let fields = this.#fields.get(set);
    if (!fields) this.#fields.set(set, (fields = fieldsIn(set, this.fragments)));
    return fields;
  }

  #arguments(field: GraphQLField<unknown, unknown>, node: FieldNode): Record<string, unknown> {
    try {
      return getArgumentValues(field, node, this.variables);
    } catch (error) {
      // What is wrong with an argument is for the execution to say: it answers null there.
      if (error instanceof GraphQLError) return {};
      throw error;
    }
  }
}

/** What IDEs and code generators send: graphql-js makes it, with or without each of these. */
function* standardQuestions(): Generator<string> {
  const options = [
    'descriptions',
    'specifiedByUrl',
    'directiveIsRepeatable',
    'schemaDescription',
    'inputValueDeprecation',
    'oneOf',
  ];
  for (let bits = 0; bits < 2 ** options.length; bits += 1) {
    yield getIntrospectionQuery(Object.fromEntries(options.map((name, bit) => [name, (bits & (2 ** bit)) !== 0])));
  }
}

const tooExpensive = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'TOO_EXPENSIVE' } });
