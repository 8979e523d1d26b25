import type { FileFormat } from '../../core/file-format.ts';
import { formatNamed, refuseFileName } from '../../core/file-format.ts';
import { PermanentError } from '../driver.ts';
import { jsonSource } from './json.ts';
import { envSource, propertiesSource } from './lines.ts';
import type { FileDocument, Source } from './node.ts';
import { tomlSource } from './toml.ts';
import { yamlDocuments, yamlSource } from './yaml.ts';

export type { FileFormat } from '../../core/file-format.ts';

const READERS: Record<FileFormat, (text: string) => Source> = {
  YAML: yamlSource,
  JSON: jsonSource,
  TOML: tomlSource,
  ENV: envSource,
  PROPERTIES: propertiesSource,
};

/** @throws PermanentError naming the file when JSON paths cannot be promoted in it */
export function formatOf(file: string): FileFormat {
  const format = formatNamed(file);
  if (!format) throw new PermanentError(refuseFileName(file));
  return format;
}

/** To be edited. @throws PermanentError saying where the text is wrong; without the file's name */
export function readSource(file: string, text: string): Source {
  const source = READERS[formatOf(file)](text);
  source.documents = atLeastOne(source.documents, text);
  return source;
}

/** To be looked at, which takes less. @throws PermanentError saying where the text is wrong; without the file's name */
export function readDocuments(file: string, text: string): FileDocument[] {
  const format = formatOf(file);
  return atLeastOne(format === 'YAML' ? yamlDocuments(text) : READERS[format](text).documents, text);
}

/** The same file after an edit. */
export function readAgain(file: string, source: Source, after: string): FileDocument[] {
  return source.read ? atLeastOne(source.read(after), after) : readDocuments(file, after);
}

/** A path of names into an empty file adds the first key. */
const atLeastOne = (documents: FileDocument[], text: string): FileDocument[] =>
  documents.length === 0 ? [{ end: text.length }] : documents;
