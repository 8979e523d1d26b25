import { spell } from '../duration.ts';
import type { Kind } from './names.ts';

/**
 * What definitions are described in. A shape is plain data: the TypeScript type of a value is inferred from it, and the manifest
 * codec, the classes of the API, the checks of single values, JSON Schema, CRDs and the tables of the docs are made from it. Rules
 * that need two fields are code, in `core/validate` and `core/flow`.
 */
export type Shape =
  | TextShape
  | IntegerShape
  | BooleanShape
  | DurationShape
  | WordsShape
  | ListShape
  | MapShape
  | JsonShape
  | AnyShape
  | ObjectShape
  | ChoiceShape;

/** `type` is there for the compiler alone; no shape has it. */
interface Describes<T> {
  readonly type?: T;
}

// oxlint-disable-next-line typescript/no-explicit-any -- values of any shape, where `unknown` would fit in one direction only
type Whatever = any;

/** The type of the values that a shape describes. */
export type Infer<S> = S extends Describes<infer T> ? T : never;

/** Where texts have to be of a form; each has its check in `core/validate/texts.ts`. */
export type TextRule =
  | 'name'
  | 'pattern'
  | 'labelKey'
  | 'labelValue'
  | 'httpUrl'
  | 'repoURL'
  | 'branch'
  | 'folder'
  | 'file'
  | 'filePattern'
  | 'jsonPath'
  | 'promotedPath'
  | 'header'
  | 'method'
  | 'condition'
  | 'timeZone'
  | 'person'
  | 'email'
  | 'commitMessage';

export interface TextShape extends Describes<string> {
  is: 'text';
  rule?: TextRule;
  /** Characters; any number when absent. */
  most?: number;
  /** It is the name of a definition of this kind, which must exist, and which cannot be deleted meanwhile. */
  refers?: Kind;
  /**
   * It names a part of the flow in which it stands: what `dependsOn` may name, an environment that the flow promotes, or one of
   * its groups. When that part is renamed or removed, the name follows (`core/flow/names.ts`).
   */
  inFlow?: 'STEP' | 'ENVIRONMENT' | 'GROUP';
  /** How refusals call it; by the field's name when absent. */
  called?: string;
  /** Why it may not be empty, and what to do. */
  empty?: string;
}

export interface IntegerShape extends Describes<number> {
  is: 'integer';
  least: number;
  most: number;
}

export interface BooleanShape extends Describes<boolean> {
  is: 'boolean';
}

/** Whole milliseconds inside, `1h30m` in manifests and in the API; at most 366 days. */
export interface DurationShape extends Describes<number> {
  is: 'duration';
  /** 0, 1 (more than none), or what is at least needed. */
  least: number;
  /** Why `least` is needed, where that is more than 1. */
  why?: string;
  /** Less than a second is nothing unusual: a bare number of an old definition is not doubted. */
  short?: boolean;
}

export interface WordsShape<W extends string = string> extends Describes<W> {
  is: 'words';
  /** Of the API's enum. */
  name: string;
  about: string;
  /** Each word with its meaning, in the order in which refusals name them. */
  words: Record<W, string>;
}

export interface ListShape<T = Whatever> extends Describes<T[]> {
  is: 'list';
  of: Shape;
  most: number;
  /** How refusals call the entries. */
  called: string;
  /** Why it may not be empty, and what to do; it may when absent. */
  empty?: string;
  /** One entry may stand by itself. */
  single?: boolean;
}

/** Keys of the writer's own. The API has a list of entries instead. */
export interface MapShape<T = Whatever> extends Describes<Record<string, T>> {
  is: 'map';
  /** The rule for keys; `file` is also what the API calls a key, which is `key` elsewhere. */
  keys: 'labelKey' | 'header' | 'file' | 'free';
  of: Shape;
  most: number;
  called: string;
}

/** Any JSON object, as far as reading goes. */
export interface JsonShape extends Describes<Record<string, unknown>> {
  is: 'json';
  /** What it should hold, by the value of the field of this name beside it; any text may be a `${NAME}` instead. */
  by?: { field: string; shapes: Record<string, ObjectShape> };
}

/** Any JSON. */
export interface AnyShape extends Describes<unknown> {
  is: 'any';
}

/** Fields by name; what is not among them is refused. */
export interface ObjectShape<F extends Fields = Fields> extends Describes<ObjectOf<F>> {
  is: 'object';
  /** Of the API's type; its input is called `…Input`. */
  name: string;
  about: string;
  /** Of the input, where that reads otherwise. */
  aboutInput?: string;
  fields: F;
  /** Fields that the API has together, as one of several. */
  together?: Together;
  /** What is given replaces what is there, null removes it, and what is left out stays as it is. */
  changes?: true;
}

/** The fields of a choice stand in the object itself: `keys` says by which names, for each of the choices, the telling one first. */
export interface Together {
  field: string;
  about: string;
  choice: ChoiceShape;
  keys: Record<string, Record<string, string>>;
}

/** One of several, told apart by the field `type`. In the API, the field of that name is set. */
export interface ChoiceShape<C extends Choices = Choices> extends Describes<OneOf<C>> {
  is: 'choice';
  name: string;
  about: string;
  aboutInput: string;
  /** What the API says of the field `type`, and the name of its enum. */
  aboutType: string;
  enum: { name: string; about: string };
  choices: C;
}

/** One of the choices: what it is for, and its own fields. */
export interface Choice<F extends Fields = Fields> {
  about: string;
  /** As a word of the enum, where that reads otherwise. */
  word?: string;
  shape: ObjectShape<F>;
}

export type Choices = Record<string, Choice<Whatever>>;
export type Fields = Record<string, Field<Whatever, Whatever>>;
type Presence = 'required' | 'optional' | 'defaulted';

/** A field of an object: its shape, whether it may be left out, and one sentence about it. */
export interface Field<S extends Shape = Shape, P extends Presence = Presence> extends Options<S> {
  presence: P;
  shape: S;
  about: string;
  /** What it means when it is absent; left out when a manifest is written. */
  fallback?: Infer<S>;
}

interface Options<S> {
  /** Of the input, where that reads otherwise. */
  aboutInput?: string;
  /** What the core takes an absent value for: decided anew each time, and not written into the definition. */
  meant?: Infer<S>;
  /** What an input means by leaving it out, in words; made of the fallback when absent, not said when empty. */
  leftOut?: string;
  /** INPUT: the API shows it in another way. NONE: manifests alone have it. Shown and taken when absent. */
  api?: 'INPUT' | 'NONE';
  /** The API has it as a default value of GraphQL instead of a nullable field. */
  graphqlDefault?: true;
  /** What inputs of the API may leave out although manifests may not. */
  apiFallback?: Infer<S>;
  /** Where it belongs is asked first: the rules of its kind check the value, too. */
  checkedByRule?: true;
  /** Values of `${secrets.NAME}` may stand in it, and are sent to the address in the field of this name. */
  secretsFor?: string;
}

type ObjectOf<F> = Flat<
  { [K in keyof F as F[K] extends Field<Whatever, 'optional'> ? never : K]: ValueOf<F[K]> } & {
    [K in keyof F as F[K] extends Field<Whatever, 'optional'> ? K : never]?: ValueOf<F[K]>;
  }
>;
type ValueOf<F> = F extends { shape: infer S } ? Infer<S> : never;
type OneOf<C> = { [K in keyof C]: C[K] extends { shape: infer S } ? Flat<{ type: K } & Infer<S>> : never }[keyof C];
/** The shape of changes to an object. */
export type ChangesShape<F extends Fields> = Omit<ObjectShape<F>, 'type'> & Describes<ChangesOf<F>>;
type ChangesOf<F> = Flat<{ [K in keyof F]?: ValueOf<F[K]> | null }>;
type Flat<T> = { [K in keyof T]: T[K] } & {};

/** Roomy for people, far below what would hurt a database row, a job or a browser. */
export const LIST_ENTRIES = 1000;
/** The longest duration, in milliseconds. */
export const LONGEST = 366 * 24 * 60 * 60 * 1000;

/** A field that every definition has. A new one breaks manifests that are there. */
export const required = <S extends Shape>(shape: S, about: string, more?: Options<S>): Field<S, 'required'> => ({
  presence: 'required',
  shape,
  about,
  ...more,
});
/** A field that may be left out, and is absent then. */
export const optional = <S extends Shape>(shape: S, about: string, more?: Options<S>): Field<S, 'optional'> => ({
  presence: 'optional',
  shape,
  about,
  ...more,
});
/** A field that may be left out, and has the value of `fallback` then. */
export const defaulted = <S extends Shape>(
  shape: S,
  fallback: NoInfer<Infer<S>>,
  about: string,
  more?: Options<S>,
): Field<S, 'defaulted'> => ({ presence: 'defaulted', shape, fallback, about, ...more });

/** A text; without a rule any text. */
export const text = (more: Omit<TextShape, 'is' | 'type'> = {}): TextShape => ({ is: 'text', ...more });
/** An RFC 1123 label, as Kubernetes names things. */
export const name = (called: string): TextShape => text({ rule: 'name', called });
/** The name of a definition; `called` where a text that no definition can be called is refused as such. */
export const ref = (refers: Kind, called?: string): TextShape =>
  text(called === undefined ? { refers } : { rule: 'name', refers, called });
/** A whole number; both ends are allowed. */
export const integer = (least: number, most: number): IntegerShape => ({ is: 'integer', least, most });
export const boolean: BooleanShape = { is: 'boolean' };
/** `1h30m` to people, milliseconds inside; `least` in milliseconds. */
export const duration = (least: number, more: { why?: string; short?: boolean } = {}): DurationShape => ({
  is: 'duration',
  least,
  ...more,
});
/** One of some words. `each`: the word as manifests have it, and what it means. */
export const words = <const W extends string>(name: string, about: string, each: Record<W, string>): WordsShape<W> => ({
  is: 'words',
  name,
  about,
  words: each,
});
/** Entries of one shape; `called` as refusals call them. */
export const list = <S extends Shape>(
  of: S,
  called: string,
  { most = LIST_ENTRIES, ...more }: Partial<Pick<ListShape, 'most' | 'empty' | 'single'>> = {},
): ListShape<Infer<S>> => ({ is: 'list', of, called, most, ...more });
/** Entries of one shape under keys of the writer's own; see `MapShape`. */
export const map = <S extends Shape>(
  keys: MapShape['keys'],
  of: S,
  called: string,
  most = LIST_ENTRIES,
): MapShape<Infer<S>> => ({ is: 'map', keys, of, called, most });
export const json = (by?: JsonShape['by']): JsonShape => ({ is: 'json', ...(by && { by }) });
/** The fields of an object whose JSON is described by the value of another one. */
export const typedIn = ({ fields }: ObjectShape): { key: string; by: NonNullable<JsonShape['by']> }[] =>
  Object.entries(fields).flatMap(([key, { shape }]) =>
    shape.is === 'json' && shape.by ? [{ key, by: shape.by }] : [],
  );
export const any: AnyShape = { is: 'any' };
/** `name` is that of its type in the API; `about` says what it is, of its input where that reads otherwise. */
export const object = <F extends Fields>(
  name: string,
  about: string | { type: string; input: string },
  fields: F,
  together?: Together,
): ObjectShape<F> => ({
  is: 'object',
  name,
  ...(typeof about === 'string' ? { about } : { about: about.type, aboutInput: about.input }),
  fields,
  ...(together && { together }),
});
/** Changes to an object that has these fields: what is given replaces what is there, null removes it, what is left out stays. */
export const changes = <F extends Fields>(name: string, about: string, fields: F): ChangesShape<F> => ({
  is: 'object',
  name,
  about,
  fields,
  changes: true,
});
/** One of several shapes, told apart by the field `type`. */
export const choice = <C extends Choices>(more: Omit<ChoiceShape<C>, 'is' | 'type'>): ChoiceShape<C> => ({
  is: 'choice',
  ...more,
});
/** A choice that needs nothing more; the API takes `true` for it. */
export const nothing: ObjectShape<{}> = { is: 'object', name: '', about: '', fields: {} };

/** What an object means that says nothing. */
export function fallbacksOf<F extends Fields>({ fields }: ObjectShape<F>): Fallbacks<F> {
  const given = Object.entries(fields).filter(([, { presence }]) => presence === 'defaulted');
  return structuredClone(Object.fromEntries(given.map(([key, { fallback }]) => [key, fallback]))) as Fallbacks<F>;
}
type Fallbacks<F> = Flat<{ [K in keyof F as F[K] extends Field<Whatever, 'defaulted'> ? K : never]: ValueOf<F[K]> }>;

/** Its words, in the order in which refusals name them. */
export const wordsOf = <W extends string>(shape: WordsShape<W>): W[] => Object.keys(shape.words) as W[];

/** GraphQL writes words in capitals: `NotIn` is NOT_IN there. */
export const inCapitals = (word: string): string => word.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();

/** What the author of a definition is told about a field. */
export function aboutWriting({ presence, shape, about, fallback, graphqlDefault, ...field }: Field): string {
  const text = field.aboutInput ?? about;
  if (presence !== 'defaulted' || graphqlDefault) return text;
  const leftOut = field.leftOut ?? inWords(shape, fallback);
  return leftOut === '' ? text : `${text} ${leftOut} when left out.`;
}

function inWords(shape: Shape, fallback: unknown): string {
  if (shape.is === 'boolean') return fallback ? 'True' : 'False';
  if (shape.is === 'duration') return spell(fallback as number);
  if (shape.is === 'list') return (fallback as unknown[]).map((each) => inWords(shape.of, each)).join(', ') || 'None';
  return shape.is === 'words' ? inCapitals(String(fallback)) : String(fallback);
}
