import parseDuration from 'parse-duration';
import { ACTIONS } from '../../core/kinds/actions.ts';
import { wordsOf, type Infer, type ObjectShape, type Shape } from '../../core/kinds/shape.ts';
import { PermanentError } from '../driver.ts';

/** Of an action that takes its time and ends as it is told. */
export type SimulateParameters = Infer<typeof ACTIONS.simulate>;

/** Of an action that sends a request. */
export type HttpParameters = Infer<typeof ACTIONS.http>;

type Path = (string | number)[];

/**
 * Parameters as they are once every `${NAME}` in them is replaced, which makes texts of numbers: `failures: ${N}`.
 * @throws PermanentError naming the first parameter that cannot be used; values are not repeated, they may be secret.
 */
export function readParameters<S extends ObjectShape>(shape: S, parameters: unknown): Infer<S> {
  return read(shape, parameters, []) as Infer<S>;
}

function read(shape: Shape, value: unknown, path: Path): unknown {
  switch (shape.is) {
    case 'text':
      if (!['string', 'number', 'boolean'].includes(typeof value)) return refuse(path, 'must be a text');
      if (shape.rule === 'method' && !/^[A-Za-z]+$/.test(String(value))) return refuse(path, 'must be letters alone');
      if (shape.rule === 'httpUrl' && value === '') return refuse(path, 'is empty');
      return String(value);
    case 'integer': {
      const number = typeof value === 'string' && value.trim() === '' ? NaN : Number(value);
      return Number.isInteger(number) ? number : refuse(path, 'must be a whole number');
    }
    case 'duration': {
      const ms = /^\d+$/.test(String(value)) ? Number(value) : parseDuration(String(value));
      return typeof ms === 'number' && ms >= 0 ? ms : refuse(path, `"${String(value)}" is not a duration such as 2s`);
    }
    case 'words':
      return wordsOf(shape).includes(value as string) ? value : refuse(path, `must be ${wordsOf(shape).join(' or ')}`);
    case 'list': {
      const entries = shape.single && !Array.isArray(value) ? [value] : value;
      if (!Array.isArray(entries)) return refuse(path, 'must be a list');
      return entries.map((each, index) => read(shape.of, each, [...path, index]));
    }
    case 'map':
      return Object.fromEntries(
        entriesOf(value, path).map(([key, each]) => [key, read(shape.of, each, [...path, key])]),
      );
    case 'object': {
      const given = Object.fromEntries(entriesOf(value, path));
      for (const key of Object.keys(given))
        if (!Object.hasOwn(shape.fields, key)) refuse([...path, key], 'is not known');
      const fields = Object.entries(shape.fields).flatMap(([key, field]): [string, unknown][] => {
        if (given[key] !== undefined) return [[key, read(field.shape, given[key], [...path, key])]];
        return field.presence === 'required' ? refuse([...path, key], 'is missing') : [];
      });
      return Object.fromEntries(fields);
    }
    default:
      return value;
  }
}

function entriesOf(value: unknown, path: Path): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value)
    : refuse(path, 'must be a map');
}

function refuse(path: Path, message: string): never {
  throw new PermanentError(`parameter "${path.join('.') || 'parameters'}": ${message}`);
}
