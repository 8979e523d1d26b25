import { REFERENCE } from '../../core/secrets.ts';
import { PermanentError } from '../driver.ts';

/**
 * Puts the parameters into every text of `value`, however deep, keys included. What is put in is not looked at again.
 * @throws PermanentError naming a parameter that was not handed in.
 */
export function interpolate<T>(value: T, parameters: Record<string, string>): T {
  return replaceIn(value, parameters) as T;
}

function replaceIn(value: unknown, parameters: Record<string, string>): unknown {
  if (typeof value === 'string')
    return value.replace(REFERENCE, (all, escaped: string, name: string) => {
      if (escaped) return all.slice(1);
      if (Object.hasOwn(parameters, name)) return parameters[name]!;
      throw new PermanentError(`parameter "${name}" is not known here; known are ${known(parameters)}`);
    });
  if (Array.isArray(value)) return value.map((each) => replaceIn(each, parameters));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([key, each]) => [replaceIn(key, parameters), replaceIn(each, parameters)]));
}

const known = (parameters: Record<string, string>): string => Object.keys(parameters).sort().join(', ') || 'none';
