import type { DocumentPath } from '../../core/json-path.ts';
import { PermanentError } from '../driver.ts';
import type { FileDocument, Plain } from './node.ts';
import { childIn, plain } from './node.ts';

/**
 * The document that a path is about; undefined when it names one that the file does not have.
 * @throws PermanentError when several may be meant
 */
export function chooseDocument(
  documents: FileDocument[],
  path: DocumentPath | undefined,
  text: string,
): FileDocument | undefined {
  const choice = path?.document;
  if (!choice) {
    if (documents.length > 1) throw severalDocuments(documents, text);
    // A file of comments alone, or an empty one.
    return documents[0];
  }
  if ('index' in choice) return documents[choice.index - 1];
  const found = documents.filter((each) => nameOf(each) === `${choice.kind}/${choice.name}`);
  if (found.length <= 1) return found[0];
  throw new PermanentError(
    `the file has ${found.length} documents ${choice.kind}/${choice.name}: choose one by its place, such as "1 ${text.slice(text.indexOf('$'))}"`,
  );
}

function severalDocuments(documents: FileDocument[], text: string): PermanentError {
  const names = documents.map((each, index) => nameOf(each) ?? String(index + 1));
  const shown = names.slice(0, 10).join(', ') + (names.length > 10 ? ' and others' : '');
  return new PermanentError(
    `the file holds ${documents.length} YAML documents (${shown}): begin the path with the one that is meant, such as "${names[0]} ${text}"`,
  );
}

function nameOf({ root }: FileDocument): string | undefined {
  const view: Plain = root ? plain(root) : null;
  const kind = childIn(view, 'kind');
  const name = childIn(childIn(view, 'metadata'), 'name');
  return typeof kind === 'string' && (typeof name === 'string' || typeof name === 'number')
    ? `${kind}/${name}`
    : undefined;
}
