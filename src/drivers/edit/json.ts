import type { Node, ParseError } from 'jsonc-parser';
import { applyEdits, findNodeAtLocation, getNodeValue, modify, parseTree, printParseErrorCode } from 'jsonc-parser';
import { PermanentError } from '../driver.ts';
import type { Format } from './document.ts';

/** jsonc-parser edits the text; only numbers are put in by hand, since it would write 1.10 as 1.1. */
export const jsonFormat: Format = {
  read(text) {
    const root = rootOf(text);
    return {
      value: root ? (getNodeValue(root) as unknown) : undefined,
      numberText(location) {
        const node = root && findNodeAtLocation(root, location);
        return node?.type === 'number' ? text.slice(node.offset, node.offset + node.length) : undefined;
      },
    };
  },

  replace(text, location, value, verbatim) {
    const node = findNodeAtLocation(rootOf(text)!, location);
    if (!node) throw new PermanentError('the place to edit is gone');
    if (isScalar(value)) return splice(text, node, verbatim ?? JSON.stringify(value));
    return applyEdits(text, modify(text, location, value, { formattingOptions: styleOf(text) }));
  },

  add(text, location, value, verbatim) {
    const added = applyEdits(text, modify(text, location, value, { formattingOptions: styleOf(text) }));
    return verbatim === undefined ? added : this.replace(added, location, value, verbatim);
  },
};

const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null;

const splice = (text: string, { offset, length }: Node, replacement: string): string =>
  text.slice(0, offset) + replacement + text.slice(offset + length);

function rootOf(text: string): Node | undefined {
  const errors: ParseError[] = [];
  const root = parseTree(text.replace(/^\uFEFF/, ' '), errors, { allowTrailingComma: true });
  const first = errors[0];
  if (!first || (!root && text.trim() === '')) return root;
  const line = text.slice(0, first.offset).split('\n').length;
  throw new PermanentError(`line ${line} is not JSON: ${printParseErrorCode(first.error)}`);
}

/** The file's own line ends and indentation, read off its first indented line. */
function styleOf(text: string): { insertSpaces: boolean; tabSize: number; eol: string } {
  const indent = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ';
  return { insertSpaces: !indent.startsWith('\t'), tabSize: indent.length, eol: text.includes('\r\n') ? '\r\n' : '\n' };
}
