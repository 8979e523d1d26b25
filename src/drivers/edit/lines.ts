import { parseLines } from 'dot-properties';
import { PermanentError } from '../driver.ts';
import type { MapNode, Node, Slot, Source, Want, Writer } from './node.ts';
import type { Edit } from './text.ts';
import { eolOf, insertion, lineOf } from './text.ts';

/** Files of one name and one text a line. Every value is a text; a path is a name, such as `$.LOG_LEVEL` or `$['a.b']`. */
interface Line {
  key: string;
  value: string;
  start: number;
  end: number;
  /** In double quotes rather than none; for .env alone. */
  quote?: '"' | "'";
}

/** A `.env` file: one value per line. */
export const envSource = (text: string): Source => lineSource(text, readEnv(text), (key) => `${key}=`, writeEnv);

/** Java properties, by a library that reports places. */
export function propertiesSource(text: string): Source {
  const offset = text.startsWith('\uFEFF') ? 1 : 0;
  const lines = parseLines(text.slice(offset), true).flatMap((each): Line[] => {
    if (each.type !== 'PAIR') return [];
    const { key, value } = each as unknown as { key: string; value: string };
    const [, , start, end] = each.range as [number, number, number, number];
    return [{ key, value, start: start + offset, end: end + offset }];
  });
  const equals = /^[^#!\n=:]*[^\s#!\n=:]( *[=:] *)/m.exec(text.slice(offset))?.[1] ?? '=';
  return lineSource(
    text,
    lines,
    (key) => escapeProperty(key).replace(/[ :=]/g, '\\$&') + equals,
    (value, line) => {
      // `key` alone, without a sign between it and its value.
      const bare = line && line.start === line.end && !/[=:\s]/.test(text[line.start - 1] ?? '') ? equals : '';
      // Behind a blank a sign would be the one between name and value.
      return bare + escapeProperty(value).replace(/^[ :=]/, '\\$&');
    },
  );
}

const escapeProperty = (text: string): string =>
  text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replaceAll('\f', '\\f')
    .replace(/[^\u0020-\u007e]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);

function readEnv(text: string): Line[] {
  const lines: Line[] = [];
  const entry = /^(?:\uFEFF)?[ \t]*(?:(?:#.*)?$|(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*)/gm;
  let at = 0;
  while (at < text.length) {
    entry.lastIndex = at;
    const found = entry.exec(text);
    if (!found || found.index !== at) throw new PermanentError(`line ${lineOf(text, at)} is not NAME=value`);
    const start = at + found[0].length;
    if (found[1] === undefined) at = start + 1;
    else {
      const line = { key: found[1], ...readValue(text, start) };
      lines.push(line);
      const end = text.indexOf('\n', line.end);
      at = end === -1 ? text.length : end + 1;
    }
    // `$` stands before a carriage return, too.
    if (text[at - 1] === '\r') at += 1;
  }
  return lines;
}

function readValue(text: string, start: number): Omit<Line, 'key'> {
  const quote = text[start];
  if (quote !== '"' && quote !== "'") {
    const raw = /^[^\r\n]*/.exec(text.slice(start, start + MOST))![0];
    const value = raw.startsWith('#') ? '' : raw.replace(/\s+#.*$/, '').trimEnd();
    return { value, start, end: start + value.length };
  }
  const closed = (quote === '"' ? /^"((?:[^"\\]|\\[^])*)"/ : /^'([^']*)'/).exec(text.slice(start, start + MOST));
  if (!closed) throw new PermanentError(`line ${lineOf(text, start)}: the quote is not closed`);
  const value =
    quote === "'" ? closed[1]! : closed[1]!.replace(/\\(["\\$`nrt])/g, (_, sign: string) => ESCAPES[sign] ?? sign);
  return { value, start, end: start + closed[0].length, quote };
}

/** Characters of one value. */
const MOST = 64 * 1024;
const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t' };

/** Shells, Docker and libraries differ in what `$`, `\` and quotes do: only what all of them read alike is written. */
function writeEnv(value: string, line?: Line): string {
  const quote = line?.quote;
  if (!quote && /^[\w./:@,+=-]*$/.test(value)) return value;
  // Some take a backslash in front of the last quote for a part of the text.
  const isSingle = !/['\r\n]|\\$/.test(value);
  if (quote !== '"' && isSingle) return `'${value}'`;
  if (!/["\\$`\r\n]/.test(value)) return `"${value}"`;
  if (isSingle) return `'${value}'`;
  throw new PermanentError(
    `the text ${JSON.stringify(value.slice(0, 40))} cannot be written so that every reader of .env files takes it alike`,
  );
}

function lineSource(
  text: string,
  lines: Line[],
  head: (key: string) => string,
  write: (value: string, line?: Line) => string,
): Source {
  const root: MapNode = { kind: 'map', entries: new Map(), keys: [], start: 0, end: text.length };
  const lineOfNode = new Map<Node, Line>();
  for (const line of lines) {
    const { key, value, start, end } = line;
    if (root.entries.has(key))
      throw new PermanentError(`line ${lineOf(text, start)}: ${JSON.stringify(key)} stands twice in the file`);
    const node: Node = { kind: 'scalar', value, style: 'DOUBLE', start, end };
    root.entries.set(key, node);
    root.keys.push(key);
    lineOfNode.set(node, line);
  }
  const valueOf = (want: Want): string => {
    if (want.kind === 'scalar' && want.value !== null) return want.written ?? String(want.value);
    throw new PermanentError('a file of names and texts holds neither maps nor lists');
  };
  const writer: Writer = {
    replace: (node, want) => [{ start: node.start, end: node.end, text: write(valueOf(want), lineOfNode.get(node)) }],
    rebuild(node, slots: Slot[]): Edit[] {
      const kept = slots.flatMap((each) => ('from' in each ? [each] : []));
      if (kept.length !== lines.length) throw new PermanentError('names are not taken away from such a file');
      const eol = eolOf(text);
      const added = slots.flatMap((each) =>
        'from' in each ? [] : [`${head(each.key!)}${write(valueOf(each.want))}${eol}`],
      );
      const broken = text === '' || text.endsWith('\n') ? '' : eol;
      return [...kept.flatMap((each) => each.edits), insertion(node.end, broken + added.join(''))];
    },
    begin: () => [],
  };
  return { documents: [{ root, end: text.length }], writer };
}
