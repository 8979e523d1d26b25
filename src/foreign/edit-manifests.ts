import { CST, parse, Parser } from 'yaml';
import { PermanentError } from '../drivers/driver.ts';
import { childIn, plain, type Plain } from '../drivers/edit/node.ts';
import { readYamlText, writeYamlDocument, type YamlText } from '../drivers/edit/yaml-document.ts';
import { carried, entryName, parseManifests, sameDefinition } from '../manifests/index.ts';
import { withComments } from './carry-comments.ts';

/** What becomes of one definition of a file. Manifests are as they are exported. */
export interface ManifestEdit {
  kind: string;
  name: string;
  /** As the file has it; null: the file does not have it. */
  before: string | null;
  /** Null: it is removed. */
  after: string | null;
  /** The same as a person wrote it, with comments; null: nobody did. */
  written?: string | null;
}

/**
 * The text of a file with edits of its definitions. What an edit does not change stays as it is written: comments, the order of fields, and
 * what is written out although it is the default. Comments that a person wrote around the edit come with it.
 * @returns null: nothing is left in the file
 * @throws PermanentError where an edit cannot be written, such as behind an alias
 */
export function editManifests(file: string, text: string, edits: readonly ManifestEdit[]): string | null {
  let edited = text;
  for (const edit of edits) {
    if (edit.after === null) edited = without(file, edited, edit);
    else if (edit.before === null) edited = added(edited, edit.written ?? edit.after);
    else edited = commented(file, changed(file, edited, edit, edit.before, edit.after), edit, edit.after);
  }
  return edits.some(({ after }) => after === null) && parseManifests(edited).definitions.length === 0 ? null : edited;
}

function added(text: string, manifest: string): string {
  if (text.trim() === '') return manifest;
  return `${text}${text.endsWith('\n') ? '' : '\n'}---\n${manifest}`;
}

function changed(file: string, text: string, edit: ManifestEdit, before: string, after: string): string {
  const source = inFile(file, () => readYamlText(text));
  const found = [...source.documents.keys()].filter((each) => isNamed(edit, plainAt(source, each)));
  if (found.length > 1) throw new PermanentError(`file "${file}" has ${edit.kind} "${edit.name}" more than once`);
  const [at] = found;
  if (at === undefined) throw new PermanentError(`file "${file}" has no ${edit.kind} "${edit.name}" at that commit`);
  const wire = parse(after) as unknown;
  const wanted = only(after);
  // What cannot be told field by field (another form of the manifest) is written as a whole.
  for (const value of [carried(plainAt(source, at), parse(before), wire), wire]) {
    const edited = inFile(file, () => writeYamlDocument(source, at, value, entryNames));
    const now = definitionIn(edited, edit);
    if (now && sameDefinition(now, wanted)) return edited;
  }
  throw new PermanentError(`file "${file}": ${edit.kind} "${edit.name}" cannot be edited there by itself`);
}

function commented(file: string, text: string, edit: ManifestEdit, after: string): string {
  const { written } = edit;
  if (written === null || written === undefined) return text;
  const at = inFile(file, () =>
    readYamlText(text).documents.findIndex(({ root }) => root && isNamed(edit, plain(root))),
  );
  const wanted = only(after);
  const many = parseManifests(text).definitions.length;
  return inFile(file, () =>
    withComments(text, at, written, (now) => {
      const { definitions, errors } = parseManifests(now);
      const said = definitions.find(({ definition }) => isOf(edit, definition))?.definition;
      return errors.length === 0 && definitions.length === many && said !== undefined && sameDefinition(said, wanted);
    }),
  );
}

const entryNames = (list: unknown[]): (string | undefined)[] => list.map(entryName);

const plainAt = ({ documents }: YamlText, at: number): Plain => {
  const { root } = documents[at]!;
  return root ? plain(root) : null;
};

const isNamed = ({ kind, name }: ManifestEdit, manifest: Plain): boolean =>
  childIn(manifest, 'kind') === kind && childIn(childIn(manifest, 'metadata'), 'name') === name;

function inFile<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    throw new PermanentError(`file "${file}": ${error.message}`, { cause: error });
  }
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
