export interface Change {
  /** `spec.steps.0.environment`. */
  path: string;
  /** undefined: it was not there. */
  from: string | undefined;
  /** undefined: it is not there any more. */
  to: string | undefined;
}

/** The values in which two pieces of JSON differ, by their path. */
export function changesOf(before: unknown, after: unknown): Change[] {
  const [was, is] = [valuesOf(before), valuesOf(after)];
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((path) => was.get(path) !== is.get(path))
    .map((path) => ({ path, from: was.get(path), to: is.get(path) }));
}

function valuesOf(json: unknown, path = '', found = new Map<string, string>()): Map<string, string> {
  if (json === null || json === undefined) return found;
  if (typeof json !== 'object') return found.set(path, typeof json === 'string' ? json : JSON.stringify(json));
  for (const [key, value] of Object.entries(json)) valuesOf(value, path === '' ? key : `${path}.${key}`, found);
  return found;
}
