import { Lexer } from 'yaml';
import type { Node } from '../drivers/edit/node.ts';
import { plain } from '../drivers/edit/node.ts';
import { applyEdits, eolOf, insertion, lineEnd, lineOf, lineStart, type Edit } from '../drivers/edit/text.ts';
import { readYamlText, type YamlText } from '../drivers/edit/yaml-document.ts';
import { entryName } from '../manifests/index.ts';

interface Comment {
  /** From the `#` to the end of its line. */
  text: string;
  /** Offset of the `#`. */
  at: number;
}

function commentsIn(text: string): Comment[] {
  const comments: Comment[] = [];
  let isScalar = false;
  let at = 0;
  for (const token of new Lexer().lex(text)) {
    // Marks of the lexer stand nowhere in the text.
    const isMark = token === '\u0002' || token === '\u0018' || token === '\u001f';
    if (token.startsWith('#') && !isScalar) comments.push({ text: token, at });
    isScalar = token === '\u001f';
    if (!isMark) at += token.length;
  }
  return comments;
}

/** A part of a document: a field, or an entry of a list. */
interface Part {
  /** Its keys from the root; an entry that has a name by its name. */
  path: string[];
  start: number;
}

/** All of them, the outer ones first. */
function partsIn(source: YamlText, at: number): Part[] {
  const parts: Part[] = [];
  const visit = (node: Node | undefined, path: string[]): void => {
    const items = node && source.containers.get(node)?.items;
    if (!items || (node.kind !== 'map' && node.kind !== 'list')) return;
    items.forEach(({ key, start }, index) => {
      const value = node.kind === 'map' ? node.entries.get(key!) : node.items[index];
      const name = node.kind === 'map' ? key! : ((value && entryName(plain(value))) ?? String(index));
      parts.push({ path: [...path, name], start });
      visit(value, [...path, name]);
    });
  };
  visit(source.documents[at]?.root ?? undefined, []);
  return parts;
}

/** Where a comment stands in the text that has it. */
interface Remark {
  text: string;
  /** The part that it stands above, or behind on the same line; null: at the end. */
  of: string[] | null;
  isAbove: boolean;
}

function remarksIn(written: string): Remark[] {
  const source = readYamlText(written);
  const parts = partsIn(source, 0).map((part) => ({ ...part, line: lineOf(written, part.start) }));
  return commentsIn(written).map(({ text, at }) => {
    const isAbove = written.slice(lineStart(written, at), at).trim() === '';
    const line = lineOf(written, at);
    const part = isAbove ? parts.find((each) => each.line > line) : parts.findLast((each) => each.line <= line);
    return { text, of: part?.path ?? null, isAbove };
  });
}

/**
 * The text with the comments of another one that says the same in document `at`, each at the part that it is about. Comments that the text
 * has already stay once; of a part that is written in another way, the comment stands at the nearest part around it.
 * @param isRight whether a text says what it should
 * @throws PermanentError where one of both is no YAML
 */
export function withComments(text: string, at: number, written: string, isRight: (text: string) => boolean): string {
  const there = commentsIn(text).map((comment) => comment.text.trim());
  const news = remarksIn(written).filter((remark) => {
    const known = there.indexOf(remark.text.trim());
    if (known >= 0) there.splice(known, 1);
    return known < 0;
  });
  if (news.length === 0) return text;
  const source = readYamlText(text);
  const parts = partsIn(source, at);
  const end = source.documents[at]?.root?.end ?? text.length;
  const all = (mayStandBehind: boolean): string => {
    // Behind a line there is room for one.
    const full = new Set<number>();
    const places = news.map((remark) => {
      const place = placed(text, remark, { parts, end, mayStandBehind, full });
      if (place.isBehind) full.add(place.line);
      return place;
    });
    // What stands behind a line goes before what comes below it.
    const edits = places.toSorted((a, b) => Number(b.isBehind) - Number(a.isBehind)).map(({ edit }) => edit);
    return applyEdits(text, edits);
  };
  // Behind some values, such as one of several lines, there is no room for a comment.
  return [true, false].map(all).find(isRight) ?? text;
}

interface Room {
  parts: readonly Part[];
  end: number;
  mayStandBehind: boolean;
  /** Starts of lines behind which a comment was put. */
  full: ReadonlySet<number>;
}

interface Place {
  edit: Edit;
  /** It stands behind the line that begins at `line`, and has none of its own. */
  isBehind: boolean;
  line: number;
}

function placed(text: string, { text: comment, of, isAbove }: Remark, { parts, end, ...room }: Room): Place {
  const eol = eolOf(text);
  const part = of && nearest(parts, of);
  if (!part) {
    const last = lineEnd(text, Math.max(0, end - 1));
    return { edit: insertion(last, `${eol}${comment}`), isBehind: false, line: lineStart(text, last) };
  }
  const start = lineStart(text, part.start);
  const line = text.slice(start, lineEnd(text, part.start));
  const isBehind = !isAbove && room.mayStandBehind && !room.full.has(start) && commentsIn(line).length === 0;
  const edit = isBehind
    ? insertion(start + line.trimEnd().length, ` ${comment}`)
    : insertion(start, `${/^[ \t]*/.exec(line)![0]}${comment}${eol}`);
  return { edit, isBehind, line: start };
}

function nearest(parts: readonly Part[], path: readonly string[]): Part | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const wanted = path.slice(0, length).join('\n');
    const found = parts.find((each) => each.path.join('\n') === wanted);
    if (found) return found;
  }
  return undefined;
}
