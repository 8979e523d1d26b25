import type { Dice } from './dice.ts';
import type { AliasModel, Location, MapModel, Model, ScalarModel } from './model.ts';

/** A document as somebody wrote it down, and where each scalar stands in it. */
export interface Printed {
  text: string;
  spans: Span[];
}

export interface Span {
  location: Location;
  start: number;
  end: number;
  /** In quotes, or in a block: a text for every reader. */
  quoted: boolean;
  style: string;
}

/** Texts that nobody takes for anything else. */
const isWord = (text: string): boolean =>
  /^[a-z][a-z0-9/-]*$/.test(text) && !/^(?:y|n|yes|no|on|off|true|false|null)$/.test(text);
const isPrintable = (text: string): boolean => !/[\p{Cc}\p{Cs}\u2028\u2029\uFEFF]/u.test(text);
const canBlock = (text: string): boolean =>
  /^[a-z#-][^\n]*(?:\n[a-z#-][^\n]*)*\n*$/.test(text) && isPrintable(text.replaceAll('\n', ''));
const escaped = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\uFEFF]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** YAML in any style that people use. Among others in one file: without what stands at the two ends of a file. */
export function printYaml(dice: Dice, model: Model, among?: { eol: string }): Printed {
  const eol = among?.eol ?? (dice.once(5) ? '\r\n' : '\n');
  const step = dice.pick([2, 4, 3]);
  const flush = dice.once(2);
  const spans: Span[] = [];
  let out = !among && dice.once(8) ? '\uFEFF' : '';
  let comments = 0;
  /** The last value is a block scalar that keeps the blank lines behind it. */
  let kept = false;

  const comment = (): string => `# c${(comments += 1)}: [x] {y} "z'`;
  const endLine = (): void => {
    out += (dice.once(4) ? `${' '.repeat(1 + dice.roll(2))}${comment()}` : '') + eol;
  };
  const gap = (margin: string): void => {
    if (dice.once(8)) out += eol;
    if (dice.once(6)) out += `${margin}${comment()}${eol}`;
  };
  const key = (name: string): string => (isWord(name) && !dice.once(8) ? name : escaped(name));

  function writeScalar(each: ScalarModel, at: Location, inFlow: boolean, column: number): 'line' | 'block' {
    const { value, written } = each;
    const styles = ['DOUBLE'];
    if (typeof value !== 'string') styles.splice(0, 1, 'PLAIN');
    else {
      if (isWord(value)) styles.push('PLAIN', 'PLAIN');
      if (isPrintable(value)) styles.push('SINGLE');
      if (!inFlow && column >= 0 && value !== '' && canBlock(value) && value.trim() !== '')
        styles.push('LITERAL', 'LITERAL', 'FOLDED', 'FOLDED');
    }
    const style = dice.pick(styles);
    kept = false;
    if (value === null && !inFlow && each.anchor === undefined && !dice.once(2)) {
      spans.push({ location: at, start: out.length, end: out.length, quoted: false, style: 'EMPTY' });
      return 'line';
    }
    out += each.anchor === undefined ? ' ' : ` &${each.anchor} `;
    const start = out.length;
    if (style === 'LITERAL' || style === 'FOLDED') {
      const body = (value as string).replace(/\n+$/, '');
      const ends = (value as string).length - body.length;
      out += `${style === 'FOLDED' ? '>' : '|'}${ends === 0 ? '-' : ends > 1 ? '+' : ''}${dice.once(4) ? ` ${comment()}` : ''}`;
      const shown = style === 'FOLDED' ? body.replaceAll(/\n+/g, (each) => `\n${each}`) : body;
      for (const line of shown.split('\n')) out += `${eol}${line === '' ? '' : ' '.repeat(column + step) + line}`;
      for (let more = 1; more < ends; more += 1) out += eol;
      kept = ends > 1;
    } else if (style === 'SINGLE') out += `'${(value as string).replaceAll("'", "''")}'`;
    else if (style === 'DOUBLE') out += escaped(value as string);
    else out += written ?? (value === null ? dice.pick(['null', '~']) : String(value));
    spans.push({ location: at, start, end: out.length, quoted: style !== 'PLAIN', style });
    return style === 'LITERAL' || style === 'FOLDED' ? 'block' : 'line';
  }

  function writeAlias({ target }: AliasModel, at: Location): void {
    out += ' ';
    const start = out.length;
    out += `*${target.anchor!}`;
    kept = false;
    spans.push({ location: at, start, end: out.length, quoted: false, style: 'ALIAS' });
  }

  function writeFlow(each: Model, at: Location): void {
    if (each.kind === 'scalar') return void writeScalar(each, at, true, 0);
    if (each.kind === 'alias') return writeAlias(each, at);
    if (each.anchor !== undefined) out += ` &${each.anchor}`;
    out += each.kind === 'list' ? ' [' : ' {';
    if (each.kind === 'list')
      each.items.forEach((item, index) => {
        if (index > 0) out += ',';
        writeFlow(item, [...at, index]);
      });
    else
      each.entries.forEach(([name, inner], index) => {
        out += `${index > 0 ? ', ' : ''}${isWord(name) ? name : escaped(name)}:`;
        writeFlow(inner, [...at, name]);
      });
    if (each.kind === 'map' && each.merge)
      out += `${each.entries.length > 0 ? ', ' : ''}<<: *${each.merge.target.anchor!} `;
    out += each.kind === 'list' ? ']' : '}';
    kept = false;
  }

  /** Behind a colon or a dash. */
  function write(each: Model, at: Location, column: number, inList: boolean): void {
    const size =
      each.kind === 'scalar' || each.kind === 'alias'
        ? 0
        : each.kind === 'list'
          ? each.items.length
          : each.entries.length;
    if (each.kind === 'alias') {
      writeAlias(each, at);
      endLine();
      return;
    }
    if (each.kind === 'scalar') {
      if (writeScalar(each, at, false, column) === 'block') out += eol;
      else endLine();
    } else if (size === 0 || dice.once(5)) {
      writeFlow(each, at);
      endLine();
    } else if (inList && each.anchor === undefined && !dice.once(4)) {
      out += ' ';
      writeBlock(each, at, column + 2, true);
    } else {
      if (each.anchor !== undefined) out += ` &${each.anchor}`;
      endLine();
      const inner = inList ? column + 2 : each.kind === 'list' && flush ? column : column + step;
      writeBlock(each, at, inner, false);
    }
  }

  function writeBlock(each: Model, at: Location, column: number, isInline: boolean): void {
    const margin = ' '.repeat(column);
    const entries: [string | number, Model][] =
      each.kind === 'list' ? each.items.map((item, index) => [index, item]) : each.kind === 'map' ? each.entries : [];
    entries.forEach(([name, inner], index) => {
      if (index > 0 || !isInline) {
        // A comment or a blank line behind a kept block scalar would be part of it.
        if (!kept) gap(margin);
        out += margin;
      }
      out += typeof name === 'number' ? '-' : `${key(name)}:`;
      write(inner, [...at, name], column, typeof name === 'number');
    });
    if (each.kind !== 'map' || !each.merge) return;
    if (!kept) gap(margin);
    out += `${margin}<<: *${each.merge.target.anchor!}`;
    endLine();
  }

  if (!among && dice.once(6)) out += `# Copyright${eol}---${eol}`;
  writeBlock(model, [], 0, false);
  if (among) return { text: out, spans };
  if (dice.once(6)) out += `---${eol}# nothing${eol}`;
  const cut = dice.once(10) && !/[|>]/.test(out) && out.endsWith(eol) ? out.slice(0, -eol.length) : out;
  return { text: cut, spans };
}

/** JSON: in one line, with blanks, or over many lines with comments. */
export function printJson(dice: Dice, model: Model): Printed {
  const form = dice.pick(['small', 'line', 'many', 'comments'] as const);
  const step = dice.pick(['  ', '\t']);
  const eol = dice.once(5) ? '\r\n' : '\n';
  const spans: Span[] = [];
  let out = dice.once(8) ? '\uFEFF' : '';
  const isMany = form === 'many' || form === 'comments';
  let comments = 0;
  const remark = (): string => {
    if (form !== 'comments' || !dice.once(3)) return '';
    comments += 1;
    return dice.once(2) ? ` /* c${comments}, { */` : ` // c${comments}, "`;
  };
  function write(each: Model, at: Location, margin: string): void {
    if (each.kind === 'alias') throw new Error('JSON has no aliases');
    if (each.kind === 'scalar') {
      const start = out.length;
      out += typeof each.value === 'number' ? each.written! : JSON.stringify(each.value);
      spans.push({ location: at, start, end: out.length, quoted: typeof each.value === 'string', style: 'JSON' });
      return;
    }
    const entries: [string | number, Model][] =
      each.kind === 'list' ? each.items.map((item, index) => [index, item]) : each.entries;
    out += each.kind === 'list' ? '[' : '{';
    entries.forEach(([name, inner], index) => {
      if (isMany) out += `${index === 0 ? remark() : ''}${eol}${margin}${step}`;
      if (typeof name === 'string') out += `${JSON.stringify(name)}:${form === 'small' ? '' : ' '}`;
      write(inner, [...at, name], margin + step);
      if (index < entries.length - 1) out += `,${form === 'line' ? ' ' : ''}`;
      if (isMany) out += remark();
    });
    if (isMany && entries.length > 0) out += eol + margin;
    out += each.kind === 'list' ? ']' : '}';
  }
  write(model, [], '');
  return { text: out + (dice.once(3) ? '' : eol), spans };
}

/** Lines of names and texts, each line as `write` has it, with comments and blank lines between them. */
function printLines(
  dice: Dice,
  model: MapModel,
  comment: string,
  write: (name: string, value: string) => { head: string; value: string; tail: string; style: string },
): Printed {
  const eol = dice.once(4) ? '\r\n' : '\n';
  const spans: Span[] = [];
  let out = dice.once(8) ? '\uFEFF' : '';
  model.entries.forEach(([name, each], index) => {
    if (dice.once(5)) out += eol;
    if (dice.once(4)) out += `${comment} c${index} = "z'${eol}`;
    const line = write(name, (each as ScalarModel).value as string);
    out += line.head;
    spans.push({
      location: [name],
      start: out.length,
      end: out.length + line.value.length,
      quoted: true,
      style: line.style,
    });
    out += line.value + line.tail + eol;
  });
  return { text: dice.once(5) && out.endsWith(eol) ? out.slice(0, -eol.length) : out, spans };
}

export function printEnv(dice: Dice, model: MapModel): Printed {
  return printLines(dice, model, '#', (name, text) => {
    const styles: [string, string][] = [];
    if (/^[\w./:@,+=-]*$/.test(text)) styles.push(['BARE', text]);
    if (!/['\r]|\\$/.test(text)) styles.push(['SINGLE', `'${text}'`]);
    if (!/["\\$`\r]/.test(text)) styles.push(['DOUBLE', `"${text}"`]);
    // What no line can say is something else.
    const [style, value] = styles.length > 0 ? dice.pick(styles) : (['BARE', 'none'] as const);
    if (styles.length === 0) setText(model, name, 'none');
    const tail = value !== '' && dice.once(4) ? ' # c' : '';
    return { head: `${dice.once(4) ? 'export ' : ''}${name}=`, value, tail, style };
  });
}

function setText(model: MapModel, name: string, value: string): void {
  model.entries.find(([key]) => key === name)![1] = { kind: 'scalar', value };
}

export function printProperties(dice: Dice, model: MapModel): Printed {
  return printLines(dice, model, dice.pick(['#', '!']), (name, text) => {
    const value = escapedProperty(text);
    return {
      head: name + dice.pick(['=', ' = ', ': ', ' ']),
      value,
      tail: '',
      style: value === text ? 'BARE' : 'ESCAPED',
    };
  });
}

const PROPERTY: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };
const escapedProperty = (text: string): string =>
  text
    .replaceAll(/[\n\r\t\\]/g, (each) => PROPERTY[each]!)
    .replace(/^[ :=]/, '\\$&')
    .replaceAll(/[^ -~]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** TOML: tables with headers, in braces, lists of both. */
export function printToml(dice: Dice, model: MapModel): Printed {
  const eol = dice.once(4) ? '\r\n' : '\n';
  const spans: Span[] = [];
  let out = dice.once(8) ? '\uFEFF' : '';
  const nameOf = (key: string): string => (/^[\w-]+$/.test(key) && !dice.once(6) ? key : escaped(key));

  function writeValue(each: Model, at: Location): void {
    if (each.kind === 'scalar') {
      const start = out.length;
      const { value, written } = each;
      let style = 'PLAIN';
      if (typeof value !== 'string') out += written ?? String(value);
      else if (!value.includes("'") && isPrintable(value) && dice.once(2)) {
        style = 'SINGLE';
        out += `'${value}'`;
      } else if (value.includes('\n') && isPrintable(value.replaceAll('\n', ''))) {
        style = 'LINES';
        out += `"""\n${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"""`;
      } else {
        style = 'DOUBLE';
        out += escaped(value);
      }
      spans.push({ location: at, start, end: out.length, quoted: style !== 'PLAIN', style });
    } else if (each.kind === 'list') {
      out += '[';
      each.items.forEach((item, index) => {
        if (index > 0) out += ', ';
        writeValue(item, [...at, index]);
      });
      out += dice.once(3) && each.items.length > 0 ? ` # end${eol}]` : ']';
    } else if (each.kind === 'map') {
      out += '{';
      each.entries.forEach(([key, inner], index) => {
        out += `${index > 0 ? ',' : ''} ${nameOf(key)} = `;
        // A comment, and so a line of its own, has no place in braces.
        writeValue(inner, [...at, key]);
      });
      out += ' }';
    }
  }

  const isTable = (each: Model): boolean =>
    each.kind === 'map' || (each.kind === 'list' && each.named && each.items.length > 0);
  function writeTable(map: MapModel, at: Location, path: string[]): void {
    const later = map.entries.filter(([, each]) => isTable(each) && !dice.once(4));
    for (const [key, each] of map.entries) {
      if (later.some(([name]) => name === key)) continue;
      if (dice.once(5)) out += `# c "x" = [y]${eol}`;
      out += `${nameOf(key)} = `;
      writeValue(each, [...at, key]);
      out += (dice.once(4) ? ' # c' : '') + eol;
    }
    for (const [key, each] of later) {
      const name = [...path, nameOf(key)];
      const tables: [Location, MapModel][] =
        each.kind === 'list'
          ? each.items.map((item, index) => [[...at, key, index], item as MapModel])
          : [[[...at, key], each as MapModel]];
      for (const [place, table] of tables) {
        out += `${dice.once(2) ? eol : ''}${each.kind === 'list' ? `[[${name.join('.')}]]` : `[${name.join('.')}]`}${eol}`;
        writeTable(table, place, name);
      }
    }
  }
  writeTable(model, [], []);
  return { text: out, spans };
}
