import { wordsOf, type Field, type Shape, type TextShape } from '../kinds/shape.ts';
import { objectIn } from '../kinds/walk.ts';
import { BETWEEN } from './between.ts';
import type { Checks, Path } from './rules.ts';
import { KEYS, TEXTS } from './texts.ts';

type Plain = Record<string, unknown>;

/** Each value by itself, as its shape describes it, and the rules between the fields of an object. What is absent is right here. */
export function checkShape(checks: Checks, shape: Shape, value: unknown, path: Path, field?: Field): void {
  if (value === undefined || value === null) return;
  const called = String(path.at(-1));
  switch (shape.is) {
    case 'text':
      return checkText(checks, shape, value as string, path);
    case 'integer':
      return checks.integer(value as number, called, shape.least, shape.most, path);
    case 'duration':
      return checks.duration(value as number, called, path, shape);
    case 'words':
      return checks.oneOf(value as string, wordsOf(shape), field && called, path);
    case 'list': {
      const entries = value as unknown[];
      if (entries.length === 0 && shape.empty !== undefined) checks.invalid(shape.empty, path);
      if (!checks.count(entries, shape.called, path, shape.most)) return;
      return entries.forEach((each, index) => checkShape(checks, shape.of, each, [...path, index]));
    }
    case 'map': {
      const entries = Object.entries(value as Plain);
      if (!checks.count(entries, shape.called, path, shape.most)) return;
      for (const [key, each] of entries) {
        const at = [...path, key];
        if (KEYS[shape.keys](checks, key, at)) checkShape(checks, shape.of, each, at);
      }
      return;
    }
    case 'object':
    case 'choice': {
      const object = objectIn(shape, value as Plain);
      if (!object) return checkType(checks, shape, value as Plain, path);
      for (const [key, each] of Object.entries(object.fields)) {
        if (!each.checkedByRule) checkShape(checks, each.shape, (value as Plain)[key], [...path, key], each);
      }
      return BETWEEN[object.name]?.(checks, value as never, path);
    }
    default:
      return;
  }
}

function checkText(checks: Checks, { rule, most, empty, called }: TextShape, value: string, path: Path): void {
  if (value === '' && empty !== undefined) checks.invalid(empty, path);
  const what = called ?? String(path.at(-1));
  if (rule) TEXTS[rule](checks, value, path, called);
  if (most !== undefined) checks.text(value, what, path, most);
}

function checkType(checks: Checks, shape: Shape, { type }: Plain, path: Path): void {
  if (shape.is === 'choice') checks.oneOf(String(type), Object.keys(shape.choices), 'the type', [...path, 'type']);
}
