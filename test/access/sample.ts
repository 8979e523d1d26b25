import {
  getNamedType,
  type GraphQLField,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';

/** An operation that asks for one field, with the least of arguments that the schema lets pass. */
export function sampleOperation(
  kind: 'query' | 'mutation' | 'subscription',
  field: Pick<GraphQLField<unknown, unknown>, 'name' | 'args' | 'type'>,
): { query: string; variables: Record<string, unknown> } {
  const required = field.args.filter(isRequiredArgument);
  const declared = required.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const given = required.map(({ name }) => `${name}: $${name}`).join(', ');
  const named = getNamedType(field.type);
  const head = `${kind} Sample${declared && `(${declared})`}`;
  const selection = isLeafType(named) ? '' : '{ __typename }';
  return {
    query: `${head} { ${field.name}${given && `(${given})`} ${selection} }`,
    variables: Object.fromEntries(required.map(({ name, type }) => [name, sampleOf(type)])),
  };
}

const SCALARS: Record<string, unknown> = {
  String: 'sample',
  ID: '00000000-0000-4000-8000-000000000000',
  Int: 1,
  Float: 1,
  Boolean: false,
  DateTime: '2030-01-01T00:00:00Z',
  Duration: '1m',
  JSONObject: {},
  JSON: {},
};

export function sampleOf(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return sampleOf(type.ofType);
  if (isListType(type)) return [sampleOf(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0]!.name;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields());
    const given = type.isOneOf ? fields.slice(0, 1) : fields.filter(isRequiredInputField);
    return Object.fromEntries(given.map(({ name, type: inner }) => [name, sampleOf(inner)]));
  }
  if (isObjectType(type) || !(type.name in SCALARS)) throw new Error(`no sample for ${String(type)}: add one`);
  return SCALARS[type.name];
}
