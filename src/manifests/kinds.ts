import type { Kind, Specs } from '../core/definitions.ts';
import { SPECS as SHAPES } from '../core/kinds/index.ts';
import { wordsOf, type Field as Described, type ObjectShape, type Shape } from '../core/kinds/shape.ts';
import {
  boolean,
  byType,
  defaulted,
  duration,
  integer,
  json,
  list,
  map,
  object,
  oneOf,
  optional,
  required,
  text,
  type Codec,
  type Field,
  type Fields,
} from './codec.ts';

/** How the values of a shape are written in a manifest, as `core/kinds` describes them. */
function codecOf(shape: Shape): Codec<unknown> {
  switch (shape.is) {
    case 'text':
      return text;
    case 'integer':
      return integer;
    case 'boolean':
      return boolean;
    case 'duration':
      return duration;
    case 'words':
      return oneOf(...wordsOf(shape));
    case 'list':
      return list(codecOf(shape.of));
    case 'map':
      return map(codecOf(shape.of));
    case 'json':
      return map(json);
    case 'any':
      return json;
    case 'object':
      return object(fieldsOf(shape));
    case 'choice':
      return byType(
        Object.fromEntries(
          Object.entries(shape.choices).map(([type, each]) => [
            type,
            object({ type: required(oneOf(type)), ...fieldsOf(each.shape) }),
          ]),
        ),
      );
  }
}

/** The fields of an object, to be put into a form of another system. */
export function fieldsOf<T extends object>({ fields }: ObjectShape & { type?: T }): Fields<T> {
  return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, fieldOf(field)])) as Fields<T>;
}

function fieldOf({ presence, shape, fallback }: Described): Field<unknown> {
  const codec = codecOf(shape);
  return presence === 'required'
    ? required(codec)
    : presence === 'optional'
      ? optional(codec)
      : defaulted(codec, fallback);
}

/** What stands under `spec` in a manifest of `sluice.dev/v1`. */
export const SPECS = Object.fromEntries(
  Object.entries(SHAPES).map(([kind, shape]) => [kind, codecOf(shape)]),
) as unknown as { [K in Kind]: Codec<Specs[K]> };
