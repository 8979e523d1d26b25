import { CST, parse, Parser } from 'yaml';
import { applyValues, selectValues } from '../drivers/edit/index.ts';
import { PermanentError } from '../drivers/driver.ts';
import { parseManifests, sameDefinition } from '../manifests/index.ts';

/** What becomes of one definition of a file. Manifests are as they are exported. */
export interface ManifestEdit {
  kind: string;
  name: string;
  /** As the file has it; null: the file does not have it. */
  before: string | null;
  /** Null: it is removed. */
  after: string | null;
}

/**
 * The text of a file with edits of its definitions. What an edit does not change stays as it is written: comments, the order of fields, and
 * what is written out although it is the default.
 * @returns null: nothing is left in the file
 * @throws PermanentError where an edit cannot be written, such as behind an alias
 */
export function editManifests(file: string, text: string, edits: readonly ManifestEdit[]): string | null {
  let edited = text;
  for (const edit of edits) {
    if (edit.after === null) edited = without(file, edited, edit);
    else if (edit.before === null) edited = added(edited, edit.after);
    else edited = changed(file, edited, edit, edit.before, edit.after);
  }
  return edits.some(({ after }) => after === null) && parseManifests(edited).definitions.length === 0 ? null : edited;
}

function added(text: string, manifest: string): string {
  if (text.trim() === '') return manifest;
  return `${text}${text.endsWith('\n') ? '' : '\n'}---\n${manifest}`;
}

function changed(file: string, text: string, edit: ManifestEdit, before: string, after: string): string {
  const path = `${edit.kind}/${edit.name} $`;
  const [found] = selectValues(file, text, [path]).values[0]!.locations;
  if (!found) throw new PermanentError(`file "${file}" has no ${edit.kind} "${edit.name}" at that commit`);
  const wire = parse(after) as unknown;
  const wanted = only(after);
  // What cannot be told field by field (another form of the manifest) is written as a whole.
  for (const value of [merged(found.value, parse(before), wire), wire]) {
    const values = [{ path, locations: [{ location: [], value, chosen: [] }] }];
    const { text: edited } = applyValues(file, text, values, { onMissing: 'ADD' });
    const now = definitionIn(edited, edit);
    if (now && sameDefinition(now, wanted)) return edited;
  }
  throw new PermanentError(`file "${file}": ${edit.kind} "${edit.name}" cannot be edited there by itself`);
}

function without(file: string, text: string, edit: ManifestEdit): string {
  const at = parseManifests(text).definitions.find((each) => isOf(edit, each.definition))?.document;
  const tokens = [...new Parser().parse(text)];
  let document = 0;
  const kept = tokens.filter((token) => token.type !== 'document' || ++document !== at);
  const left = kept
    .map((token) => CST.stringify(token))
    .join('')
    .replace(/^---\r?\n/, '');
  const others = (of: string) => parseManifests(of).definitions.filter((each) => !isOf(edit, each.definition));
  const isRight =
    parseManifests(left).errors.length === 0 &&
    !definitionIn(left, edit) &&
    others(left).length === others(text).length;
  if (at === undefined || !isRight)
    throw new PermanentError(`file "${file}": ${edit.kind} "${edit.name}" cannot be removed from it by itself`);
  return left;
}

const isOf = ({ kind, name }: ManifestEdit, definition: { kind: string; metadata: { name: string } }): boolean =>
  definition.kind === kind && definition.metadata.name === name;
const definitionIn = (text: string, edit: ManifestEdit) =>
  parseManifests(text).definitions.find(({ definition }) => isOf(edit, definition))?.definition;
const only = (manifest: string) => parseManifests(manifest).definitions[0]!.definition;

type Wire = unknown;
const isMap = (value: Wire): value is Record<string, Wire> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const same = (a: Wire, b: Wire): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What `before` and `after` differ in, done to what the file says. */
function merged(file: Wire, before: Wire, after: Wire): Wire {
  if (same(before, after)) return file;
  if (isMap(file) && isMap(before) && isMap(after)) {
    const result = new Map(Object.entries(file));
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (!Object.hasOwn(after, key)) result.delete(key);
      else if (Object.hasOwn(file, key) && Object.hasOwn(before, key))
        result.set(key, merged(file[key], before[key], after[key]));
      else if (!same(before[key], after[key])) result.set(key, after[key]);
    }
    return Object.fromEntries(result);
  }
  if (!Array.isArray(file) || !Array.isArray(before) || !Array.isArray(after) || file.length !== before.length)
    return after;
  const free = new Set(before.keys());
  const partner = (isPartner: (each: Wire) => boolean): number | undefined => {
    const found = [...free].find((index) => isPartner(before[index]));
    if (found !== undefined) free.delete(found);
    return found;
  };
  // Entries that stay come first, so that none of them is taken for a changed one.
  const places = after.map((each: Wire) => partner((other) => same(other, each)));
  return after.map((each: Wire, index) => {
    const at =
      places[index] ?? partner((other) => identityOf(other) !== null && identityOf(other) === identityOf(each));
    return at === undefined ? each : merged(file[at], before[at], each);
  });
}

/** What an entry of a list is called: a step, an action, a rule. */
function identityOf(entry: Wire): string | null {
  if (!isMap(entry)) return null;
  const key = ['name', 'environment', 'group', 'file'].find((each) => typeof entry[each] === 'string');
  return key === undefined ? null : `${key}/${entry[key] as string}`;
}
