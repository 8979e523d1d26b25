import {
  getNamedType,
  getNullableType,
  type GraphQLArgument,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isListType,
  isObjectType,
  isRequiredArgument,
  type GraphQLNamedType,
} from 'graphql';

/** A field that leads from objects of one type to objects of another one. */
export interface Edge {
  from: string;
  field: string;
  to: string;
  isList: boolean;
  /** As written after the field's name. */
  args: string;
}

/** What arguments without a default are given, by name. */
export type Values = Readonly<Record<string, string>>;

/** Every way from an object to objects, those of abstract types to each type that they can be. */
export function edgesOf(schema: GraphQLSchema, values: Values): Edge[] {
  return Object.values(schema.getTypeMap()).flatMap((type) => {
    if (!isObjectType(type) || type.name.startsWith('__')) return [];
    return Object.values(type.getFields()).flatMap((field) => {
      const named = getNamedType(field.type);
      if (!isCompositeType(named)) return [];
      const isList = isListType(getNullableType(field.type));
      const args = written(field.args, values);
      return typesOf(schema, named).map((to) => ({ from: type.name, field: field.name, to, isList, args }));
    });
  });
}

function typesOf(schema: GraphQLSchema, named: GraphQLNamedType): string[] {
  return isAbstractType(named) ? schema.getPossibleTypes(named).map(({ name }) => name) : [named.name];
}

function written(args: readonly GraphQLArgument[], values: Values): string {
  const given = args.flatMap((arg) => {
    if (arg.name === 'first') return ['first: 100'];
    if (!isRequiredArgument(arg)) return [];
    // By name and type, where two arguments of one name are of two types.
    const value = values[`${arg.name}: ${getNamedType(arg.type).name}`] ?? values[arg.name];
    if (value === undefined) throw new Error(`give a value for the argument ${arg.name}`);
    return [`${arg.name}: ${value}`];
  });
  return given.length > 0 ? `(${given.join(', ')})` : '';
}

/** The shortest way from one type to another one, or none. */
export function path(edges: readonly Edge[], from: string, to: string): Edge[] | null {
  const came = new Map<string, Edge | null>([[from, null]]);
  const line = [from];
  for (const at of line) {
    if (at === to) break;
    for (const edge of edges) {
      if (edge.from !== at || came.has(edge.to)) continue;
      came.set(edge.to, edge);
      line.push(edge.to);
    }
  }
  if (!came.has(to)) return null;
  const way: Edge[] = [];
  for (let edge = came.get(to); edge; edge = came.get(edge.from)) way.unshift(edge);
  return way;
}

/**
 * For every field that holds a list and can be come back to, the shortest way round: field, then back to where it stands. A cycle
 * that multiplies passes through such a field.
 */
export function cyclesOf(edges: readonly Edge[]): Edge[][] {
  return edges.flatMap((edge) => {
    if (!edge.isList) return [];
    const back = path(edges, edge.to, edge.from);
    return back ? [[edge, ...back]] : [];
  });
}

/** The operation that goes this way: `{ a { ... on A { b { ... on B { __typename } } } } }`. */
export function operationOf(way: readonly Edge[]): string {
  const inner = way.reduceRight(
    (below, { from, field, args }) => `... on ${from} { ${field}${args} { ${below} } }`,
    '__typename',
  );
  return `{ ${inner} }`;
}
