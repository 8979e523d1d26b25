import {
  Composer,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  visit,
  type Document,
  type Node,
} from 'yaml';
import { quote } from '../core/wording.ts';
import type { Path } from './codec.ts';

/** Both counted from 1, as editors do. */
export interface Position {
  line: number;
  column: number;
}

export interface SourceProblem {
  position: Position;
  message: string;
}

const MAX_BYTES = 1024 * 1024;
const MAX_DOCUMENTS = 1000;
/** Line by line work in the YAML library is slow enough that a megabyte of line breaks would hold up a server. */
const MAX_LINES = 50_000;
/** Keys, values, entries, anchors and tags of all documents together: the library spends more on each than on its text. */
const MAX_NODES = 50_000;
const MAX_DIRECTIVES = 100;
const MAX_DEPTH = 64;
const MAX_ALIASES = 100;

/** One YAML document: its data, and where each of its parts stands. */
export interface Source {
  /** Undefined when there are problems, null when the document is empty. */
  value: unknown;
  problems: SourceProblem[];
  /** Where `path` stands; for what is not there, where the nearest part around it does. */
  positionOf: (path: Path, at?: 'key') => Position;
}

/**
 * The documents of `text`, one by one. Untrusted text: size, lines, nesting and aliases are limited before the parts
 * of the library that would recurse or expand see them. A limit that is broken is a document with that one problem.
 */
export function* readSources(text: string): Generator<Source> {
  const broken = limitBroken(text);
  if (broken) {
    yield failed(broken);
    return;
  }
  const lines = new LineCounter();
  // Our own search for duplicate keys is linear; the library compares each with each.
  const composer = new Composer({ version: '1.2', schema: 'core', uniqueKeys: false, prettyErrors: false });
  let count = 0;
  try {
    for (const document of composer.compose(new Parser(lines.addNewLine).parse(text), true, text.length)) {
      if (++count > MAX_DOCUMENTS) {
        const position = positionAt(lines, document.range?.[0] ?? 0);
        yield failed({ position, message: `there are more than ${MAX_DOCUMENTS} documents; split the file` });
        return;
      }
      yield toSource(document, lines);
    }
  } catch (error) {
    // The library recurses; what the limits above let through must still be an answer, not a crash.
    const message = error instanceof RangeError ? 'nested too deeply' : `not readable: ${(error as Error).message}`;
    yield failed({ position: { line: 1, column: 1 }, message });
  }
}

function limitBroken(text: string): SourceProblem | undefined {
  const at = (line: number, message: string) => ({ position: { line, column: 1 }, message });
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > MAX_BYTES) return at(1, `the manifests have ${bytes} bytes; at most ${MAX_BYTES} (1 MiB) are read`);
  let line = 1;
  let depth = 0;
  let dashes = 0;
  const counted = { nodes: 0, separators: 0, directives: 0 };
  let scalarFollows = false;
  for (const token of new Lexer().lex(text)) {
    if (!scalarFollows) count(counted, token);
    if (counted.nodes > MAX_NODES || counted.separators > MAX_NODES)
      return at(line, `there are more than ${MAX_NODES} keys, values and entries; split the file`);
    if (counted.directives > MAX_DIRECTIVES)
      return at(line, `there are more than ${MAX_DIRECTIVES} lines that begin with %; remove them`);
    if (scalarFollows) scalarFollows = false;
    else if (token === '\u001f') scalarFollows = true;
    else if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth = Math.max(0, depth - 1);
    else if (token === '-' || token === '?') dashes += 1;
    if (depth > MAX_DEPTH || dashes > MAX_DEPTH) return at(line, `nested deeper than ${MAX_DEPTH} levels`);
    for (let i = token.indexOf('\n'); i !== -1; i = token.indexOf('\n', i + 1)) {
      line += 1;
      dashes = 0;
    }
    if (line > MAX_LINES) return at(line, `there are more than ${MAX_LINES} lines; split the file`);
  }
  // What is left to nest is indentation, a line for each level.
  const indent = /^ {1000}/m.exec(text);
  return indent ? at(1, 'a line is indented by a thousand spaces; use less') : undefined;
}

/** What becomes a node or a property of one (a scalar, an entry, a collection, an anchor, an alias, a tag), told by its first letter. */
function count(counted: { nodes: number; separators: number; directives: number }, token: string): void {
  if (/^[\u001f"'&*!|>[{?-]/.test(token)) counted.nodes += 1;
  else if (token === ',' || token === ':') counted.separators += 1;
  else if (token.startsWith('%')) counted.directives += 1;
}

function failed(problem: SourceProblem): Source {
  return { value: undefined, problems: [problem], positionOf: () => problem.position };
}

function toSource(document: Document.Parsed, lines: LineCounter): Source {
  const problems = [...document.errors, ...document.warnings].slice(0, 100).map(({ code, message, pos }) => ({
    position: positionAt(lines, pos[0]),
    message: code === 'TAB_AS_INDENT' ? `${message}; use spaces` : message,
  }));
  let value: unknown;
  try {
    if (problems.length === 0) problems.push(...structureProblems(document, lines));
    if (problems.length === 0) value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    const position = positionAt(lines, document.contents?.range?.[0] ?? 0);
    const message =
      error instanceof RangeError
        ? 'nested too deeply'
        : error instanceof ReferenceError && /alias count/.test(error.message)
          ? `aliases expand to too much (more than ${MAX_ALIASES} uses); write the values out`
          : String((error as Error).message);
    problems.push({ position, message });
  }
  return {
    value,
    problems,
    positionOf: (path, at) => positionAt(lines, offsetOf(document, path, at)),
  };
}

/** Keys that come twice, and nesting by indentation. */
function structureProblems(document: Document.Parsed, lines: LineCounter): SourceProblem[] {
  const problems: SourceProblem[] = [];
  visit(document, {
    Node(_, node, path) {
      if (path.length <= MAX_DEPTH * 2) return undefined;
      const position = positionAt(lines, node.range?.[0] ?? 0);
      problems.push({ position, message: `nested deeper than ${MAX_DEPTH} levels` });
      return visit.BREAK;
    },
    Map(_, node) {
      const first = new Map<string, number>();
      for (const { key } of node.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        const offset = key.range?.[0] ?? 0;
        const earlier = first.get(name);
        if (earlier === undefined) first.set(name, offset);
        else if (problems.length < 100) {
          const message = `the key ${quote(name)} stands here and in line ${positionAt(lines, earlier).line}; remove one`;
          problems.push({ position: positionAt(lines, offset), message });
        }
      }
    },
  });
  return problems;
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function offsetOf(document: Document.Parsed, path: Path, at?: 'key'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? document.range?.[0] ?? 0;
  for (const [i, part] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    let next: unknown;
    let keyOffset: number | undefined;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (!pair) return offset;
      [next, keyOffset] = [pair.value, startOf(pair.key)];
    } else if (isSeq(node) && typeof part === 'number' && part < node.items.length) {
      next = node.items[part];
    } else return offset;
    // A value in a line of its own is where to look; a map or a list is found by its name.
    const own = isScalar(next) && next.value !== null ? startOf(next) : undefined;
    const wantsKey = at === 'key' && i === path.length - 1;
    offset = (wantsKey ? undefined : own) ?? keyOffset ?? startOf(next) ?? offset;
    node = next;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}
