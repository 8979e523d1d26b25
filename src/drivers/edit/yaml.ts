import type { FileDocument, Source } from './node.ts';
import { readYaml } from './yaml-read.ts';
import { YamlWriter } from './yaml-write.ts';

/**
 * Edits the source text by the ranges that the parser reports, instead of printing the document again: printing keeps
 * comments but moves them, and changes quotes, indentation and line breaks all over the file.
 */
export function yamlSource(text: string): Source {
  const source = readYaml(text, { lean: false });
  return {
    documents: source.documents,
    writer: new YamlWriter(source),
    read: (after) => readYaml(after, { lean: true, known: source.parts }).documents,
  };
}

/** Only to be looked at. */
export const yamlDocuments = (text: string): FileDocument[] => readYaml(text, { lean: true }).documents;
