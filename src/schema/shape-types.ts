import { registerEnumType, Extensions, Field, InputType, Int, ObjectType } from 'type-graphql';
import type { ClassType } from 'type-graphql';
import {
  aboutWriting,
  boolean,
  inCapitals,
  typedIn,
  wordsOf,
  type ChoiceShape,
  type JsonShape,
  type Field as Described,
  type MapShape,
  type ObjectShape,
  type Shape,
  type WordsShape,
} from '../core/kinds/shape.ts';
import { Duration, JSONObject, JSONValue, Label, LabelInput } from './values.ts';

/** The classes of the API, made from what `core/kinds` describes. A shape has one of each, however often it is used. */

type Side = 'type' | 'input';
type Class = ClassType<object>;

const enums = new Map<WordsShape, object>();
const classes = { type: new Map<Shape, Class>(), input: new Map<Shape, Class>() };

export function enumFor<W extends string>(shape: WordsShape<W>): Record<string, W> {
  const known = enums.get(shape);
  if (known) return known as Record<string, W>;
  const values = Object.fromEntries(wordsOf(shape).map((word) => [inCapitals(word), word]));
  const valuesConfig = Object.fromEntries(
    Object.entries<string>(shape.words).map(([word, description]) => [inCapitals(word), { description }]),
  );
  registerEnumType(values, { name: shape.name, description: shape.about, valuesConfig });
  enums.set(shape, values);
  return values;
}

/** What the API answers with. */
export const typeFor = (shape: ObjectShape | ChoiceShape): Class => classFor('type', shape);
/** What it takes. */
export const inputFor = (shape: ObjectShape | ChoiceShape): Class => classFor('input', shape);

function classFor(side: Side, shape: ObjectShape | ChoiceShape): Class {
  const known = classes[side].get(shape);
  if (known) return known;
  const made = class {};
  classes[side].set(shape, made);
  const { name, about } = shape;
  if (side === 'type') ObjectType(name, { description: about })(made);
  else InputType(`${name}Input`, { description: shape.aboutInput ?? about })(made);
  if (shape.is === 'object') addFields(side, made, shape, shape.changes);
  else addChoices(side, made, shape);
  return made;
}

/** The fields of a shape on a class; `changes`: each may be left out, because what is there stays. */
export function addFields(side: Side, made: Class, shape: ObjectShape, changes = false): void {
  for (const [key, field] of Object.entries(shape.fields)) {
    if (field.api === 'NONE' || (field.api === 'INPUT' && side === 'type')) continue;
    if (side === 'type') {
      const nullable = field.presence === 'optional';
      Field(graphqlType(side, field.shape), { nullable, description: field.about })(made.prototype, key);
    } else {
      const given = inputOptions(field, changes);
      const isTold = typedIn(shape).some(({ by }) => by.field === key);
      Field(graphqlType(side, field.shape), isTold ? { ...given, nullable: true } : given)(made.prototype, key);
    }
  }
  if (side === 'input') for (const each of typedIn(shape)) addTyped(made, each.by);
  if (!shape.together) return;
  const { field, about, choice } = shape.together;
  Field(graphqlType(side, choice), { nullable: changes, description: about })(made.prototype, field);
}

/** What stands in JSON by the value of another field has an input of its own for each of those values, under its name. */
function addTyped(made: Class, { field, shapes }: NonNullable<JsonShape['by']>): void {
  for (const [value, shape] of Object.entries(shapes)) {
    const description = `${shape.about} Gives \`${field}\` as well.`;
    Field(graphqlType('input', shape), { nullable: true, description })(made.prototype, value);
  }
}

function inputOptions(field: Described, changes: boolean): object {
  const { presence, fallback, graphqlDefault, apiFallback } = field;
  const description = changes ? (field.aboutInput ?? field.about) : aboutWriting(field);
  if (graphqlDefault && !changes) return { description, defaultValue: fallback };
  return { description, nullable: changes || presence !== 'required' || apiFallback !== undefined };
}

function addChoices(side: Side, made: Class, { aboutType, choices, ...shape }: ChoiceShape): void {
  const kinds = Object.entries(choices);
  if (side === 'type') {
    const word = (type: string) => choices[type]!.word ?? choices[type]!.about;
    const types = Object.fromEntries(kinds.map(([type]) => [type, word(type)]));
    const type = enumFor({ is: 'words', ...shape.enum, words: types });
    Field(() => type, { description: aboutType })(made.prototype, 'type');
  } else Extensions({ oneOf: true })(made);
  for (const [type, { about, shape: each }] of kinds) {
    const bare = Object.keys(each.fields).length === 0;
    if (bare && side === 'type') continue;
    const value = graphqlType(side, bare ? boolean : each);
    Field(value, { nullable: true, description: about })(made.prototype, type);
  }
}

/** A thunk as `Field` takes it. The class is made now: while the schema is built, it is too late for a new one. */
function graphqlType(side: Side, shape: Shape): () => StringConstructor {
  const type = valueType(side, shape);
  return (() => type) as () => StringConstructor;
}

function valueType(side: Side, shape: Shape): unknown {
  switch (shape.is) {
    case 'text':
      return String;
    case 'integer':
      return Int;
    case 'boolean':
      return Boolean;
    case 'duration':
      return Duration;
    case 'words':
      return enumFor(shape);
    case 'list':
      return [valueType(side, shape.of)];
    case 'map':
      return [entryType(side, shape)];
    case 'json':
      return JSONObject;
    case 'any':
      return JSONValue;
    case 'object':
    case 'choice':
      return classFor(side, shape);
  }
}

/** An entry of a map is a label, or an object with one field more. */
function entryType(side: Side, { keys, of }: MapShape): Class {
  if (of.is !== 'object') return side === 'type' ? Label : LabelInput;
  const known = classes[side].has(of);
  const made = classFor(side, of);
  if (known) return made;
  Field(() => String, { description: KEY_OF_ENTRY[keys] })(made.prototype, keyOfEntry(keys));
  return made;
}

const KEY_OF_ENTRY: Record<string, string> = { file: "The file, in the application's folder." };

export const keyOfEntry = (keys: MapShape['keys']): 'file' | 'key' => (keys === 'file' ? 'file' : 'key');
