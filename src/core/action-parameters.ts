import parseLength from 'parse-duration';
import { whyNoCondition } from './analysis.ts';
import { wordsOf, type Infer, type ObjectShape, type Shape } from './kinds/shape.ts';

type Path = (string | number)[];

/** What is told of a parameter that cannot be used. A message does not repeat values that may be secret. */
export type RefuseParameter = (message: string, path: Path) => void;

/**
 * The parameters of an action as its type describes them: numbers and durations from texts, and what is left out as the description says.
 * The answer is only of use when nothing was refused. `saved`: a text with a `${NAME}` in it may stand for anything, and is passed over.
 */
export function readParameters<S extends ObjectShape>(
  shape: S,
  parameters: unknown,
  refuse: RefuseParameter,
  { saved = false } = {},
): Infer<S> {
  return new Reader(refuse, saved).read(shape, parameters, []) as Infer<S>;
}

class Reader {
  readonly #refuse: RefuseParameter;
  readonly #saved: boolean;

  constructor(refuse: RefuseParameter, saved: boolean) {
    this.#refuse = refuse;
    this.#saved = saved;
  }

  read(shape: Shape, value: unknown, path: Path): unknown {
    if (this.#saved && typeof value === 'string' && value.includes('${')) return value;
    switch (shape.is) {
      case 'text':
        return this.#text(shape, value, path);
      case 'integer': {
        const number = typeof value === 'string' && value.trim() === '' ? NaN : Number(value);
        if (!Number.isInteger(number)) return this.#refuse('must be a whole number', path);
        if (number < shape.least || number > shape.most)
          return this.#refuse(`is ${number}; it must be from ${shape.least} to ${shape.most}`, path);
        return number;
      }
      case 'boolean':
        if (value === true || value === 'true') return true;
        return value === false || value === 'false' ? false : this.#refuse('must be true or false', path);
      case 'duration': {
        const text = String(value);
        const length = /^\d+$/.test(text) ? Number(text) : parseLength(text);
        if (typeof length !== 'number' || length < Math.min(shape.least, 1))
          return this.#refuse(`"${text}" is not a duration such as 2s`, path);
        return length;
      }
      case 'words':
        if (wordsOf(shape).includes(value as string)) return value;
        return this.#refuse(`must be ${wordsOf(shape).join(' or ')}`, path);
      case 'list': {
        if (shape.single && !Array.isArray(value)) return [this.read(shape.of, value, path)];
        if (!Array.isArray(value)) return this.#refuse('must be a list', path);
        if (value.length > shape.most)
          return this.#refuse(`has ${value.length} ${shape.called}; at most ${shape.most} are possible`, path);
        if (value.length === 0 && shape.empty !== undefined) this.#refuse(shape.empty, path);
        return value.map((each, index) => this.read(shape.of, each, [...path, index]));
      }
      case 'map': {
        const entries = this.#entriesOf(value, path);
        return Object.fromEntries(entries.map(([key, each]) => [key, this.read(shape.of, each, [...path, key])]));
      }
      case 'object':
        return this.#object(shape, value, path);
      default:
        return value;
    }
  }

  #text({ rule, empty, most }: Extract<Shape, { is: 'text' }>, value: unknown, path: Path): unknown {
    if (!['string', 'number', 'boolean'].includes(typeof value)) return this.#refuse('must be a text', path);
    const text = String(value);
    if (rule === 'method' && !/^[A-Za-z]+$/.test(text)) this.#refuse('must be letters alone', path);
    const wrong = rule === 'condition' ? whyNoCondition(text) : null;
    if (wrong !== null) this.#refuse(`cannot be used: ${wrong}`, path);
    if (rule === 'httpUrl' && text === '') this.#refuse('is empty', path);
    if (text === '' && empty !== undefined) this.#refuse(empty, path);
    if (most !== undefined && text.length > most)
      this.#refuse(`has ${text.length} characters; at most ${most} fit`, path);
    return text;
  }

  #object({ fields }: ObjectShape, value: unknown, path: Path): Record<string, unknown> {
    const given = Object.fromEntries(this.#entriesOf(value, path));
    const known = Object.keys(fields);
    for (const key of Object.keys(given))
      if (!Object.hasOwn(fields, key)) this.#refuse(`is not known here; there are ${known.join(', ')}`, [...path, key]);
    const read = Object.entries(fields).flatMap(([key, { shape, presence, fallback }]): [string, unknown][] => {
      if (given[key] !== undefined && given[key] !== null) return [[key, this.read(shape, given[key], [...path, key])]];
      if (presence === 'required') this.#refuse('is missing', [...path, key]);
      return presence === 'defaulted' ? [[key, structuredClone(fallback)]] : [];
    });
    return Object.fromEntries(read);
  }

  #entriesOf(value: unknown, path: Path): [string, unknown][] {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
    this.#refuse('must be a map', path);
    return [];
  }
}
