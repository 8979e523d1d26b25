import type { Kind } from './names.ts';
import type { Field, ObjectShape, Shape } from './shape.ts';

export type Path = (string | number)[];
type Plain = Record<string, unknown>;

/** A place of a value, with the shape that describes it. */
export interface Place {
  shape: Shape;
  value: unknown;
  path: Path;
  /** Undefined for entries of lists and maps. */
  field?: Field;
  /** The object whose field it is. */
  inside?: Plain;
}

/** Everything that is there, from the outside in, in the order of the description. Values of another shape are passed over. */
export function* placesOf(shape: Shape, value: unknown, path: Path = []): Generator<Place> {
  yield { shape, value, path };
  yield* below(shape, value, path);
}

function* below(shape: Shape, value: unknown, path: Path): Generator<Place> {
  if (typeof value !== 'object' || value === null) return;
  if (shape.is === 'list' && Array.isArray(value)) {
    for (const [index, each] of value.entries()) yield* placesOf(shape.of, each, [...path, index]);
  } else if (shape.is === 'map') {
    for (const [key, each] of Object.entries(value)) yield* placesOf(shape.of, each, [...path, key]);
  } else {
    const object = objectIn(shape, value as Plain);
    for (const [key, field] of Object.entries(object?.fields ?? {})) {
      const each = (value as Plain)[key];
      if (each === undefined || each === null) continue;
      const at = [...path, key];
      yield { shape: field.shape, value: each, path: at, field, inside: value as Plain };
      yield* below(field.shape, each, at);
    }
  }
}

/** The object that a value is, also as one of several. */
export function objectIn(shape: Shape, value: Plain): ObjectShape | undefined {
  if (shape.is === 'object') return shape;
  if (shape.is !== 'choice') return undefined;
  const { type } = value;
  return typeof type === 'string' && Object.hasOwn(shape.choices, type) ? shape.choices[type]!.shape : undefined;
}

export interface Reference {
  kind: Kind;
  name: string;
  path: Path;
}

/** The names of other definitions in a spec. */
export function referencesIn(shape: Shape, spec: unknown, path: Path = ['spec']): Reference[] {
  return [...placesOf(shape, spec, path)].flatMap(({ shape: { is, ...each }, value, path: at }) =>
    is === 'text' && 'refers' in each && each.refers !== undefined && typeof value === 'string'
      ? [{ kind: each.refers, name: value, path: at }]
      : [],
  );
}

/** The kinds that a spec of this shape can name. */
export function refersTo(shape: Shape): Set<Kind> {
  switch (shape.is) {
    case 'text':
      return new Set(shape.refers === undefined ? [] : [shape.refers]);
    case 'list':
    case 'map':
      return refersTo(shape.of);
    case 'object':
      return new Set(Object.values(shape.fields).flatMap((field) => [...refersTo(field.shape)]));
    case 'choice':
      return new Set(Object.values(shape.choices).flatMap((each) => [...refersTo(each.shape)]));
    default:
      return new Set();
  }
}
