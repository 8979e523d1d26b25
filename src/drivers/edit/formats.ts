import type { FileFormat } from '../../core/file-format.ts';
import { formatNamed, refuseFileName } from '../../core/file-format.ts';
import { PermanentError } from '../driver.ts';
import { jsonSource } from './json.ts';
import { envSource, propertiesSource } from './lines.ts';
import type { Source } from './node.ts';
import { tomlSource } from './toml.ts';
import { yamlSource } from './yaml.ts';

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

/** @throws PermanentError saying where the text is wrong; without the file's name */
export function readSource(file: string, text: string): Source {
  const source = READERS[formatOf(file)](text);
  // A path of names into an empty file adds the first key.
  if (source.documents.length === 0) source.documents.push({ end: text.length });
  return source;
}
