import { PermanentError } from '../driver.ts';
import { Editor } from './editor.ts';
import type { AliasNode, FileDocument, Location, Node, Plain, Want } from './node.ts';
import { isPlainMap, plain, wordsFor } from './node.ts';
import { sharedAt } from './reason.ts';
import { applyEdits, lineOf } from './text.ts';
import { differenceOf, noWishes } from './wishes.ts';
import { readYaml, type KnownParts, type YamlSource } from './yaml-read.ts';
import { YamlWriter } from './yaml-write.ts';

/** A text that can be edited; `parts` make reading it again after an edit quick. */
export type YamlText = YamlSource & { parts: KnownParts };

/** @throws PermanentError saying where the text is wrong */
export const readYamlText = (text: string): YamlText => readYaml(text, { lean: false });

/** Only to be looked at. `before` was read of a similar text. @throws PermanentError saying where the text is wrong */
export const readSimilarYaml = (text: string, before?: KnownParts): { documents: FileDocument[]; parts: KnownParts } =>
  readYaml(text, { lean: true, ...(before && { known: before }) });

/**
 * The text when document `at`, counted from 0, says `value`. What says it already keeps its bytes; all other documents do.
 * `namesIn` as of `Editor`: entries that have one name are one entry.
 * @throws PermanentError naming the place that cannot be written by itself, such as one that an alias repeats
 */
export function writeYamlDocument(
  source: YamlText,
  at: number,
  value: unknown,
  namesIn: (list: Plain[]) => (string | undefined)[],
): string {
  const root = source.documents[at]?.root;
  if (!root) throw new PermanentError(`there is no document ${at + 1}`);
  const wishes = noWishes();
  wishes.want = wantOf(value as Plain);
  const edits = new Editor(new YamlWriter(source), { namesIn, sameFile: true }).edit(root, wishes);
  const after = applyEdits(source.text, edits);
  const written = readWritten(source, root, after);
  const place = differenceAfter(source.documents, written, at, value as Plain);
  if (place) throw new PermanentError(cannotWrite(source.text, root, place));
  return after;
}

function readWritten(source: YamlText, root: Node, after: string): FileDocument[] {
  try {
    return readSimilarYaml(after, source.parts).documents;
  } catch (error) {
    const alias = aliasesIn(root).find(({ name }) => !after.includes(`&${name}`));
    if (!alias) throw error;
    const [anchor, here] = [alias.target, alias].map(({ start }) => lineOf(source.text, start));
    throw new PermanentError(
      `an alias repeats the anchor &${alias.name} in line ${anchor}, which would go: ` +
        `write the value out where *${alias.name} stands in line ${here} first`,
      { cause: error },
    );
  }
}

const aliasesIn = (node: Node): AliasNode[] =>
  node.kind === 'alias'
    ? [node]
    : node.kind === 'list'
      ? node.items.flatMap(aliasesIn)
      : node.kind === 'map'
        ? [...node.entries.values(), ...(node.merges ?? [])].flatMap(aliasesIn)
        : [];

function differenceAfter(
  before: FileDocument[],
  after: FileDocument[],
  at: number,
  value: Plain,
): Location | undefined {
  if (before.length !== after.length) return [];
  for (const [index, { root }] of before.entries()) {
    const now = after[index]?.root;
    const place = differenceOf(now && plain(now), index === at ? value : root && plain(root));
    if (place) return index === at ? place : [];
  }
  return undefined;
}

function cannotWrite(text: string, root: Node, place: Location): string {
  const shared = sharedAt(root, place);
  if (!shared) return `${wordsFor(place)} cannot be changed by itself`;
  const { alias, at, merged } = shared;
  const through = `${merged ? 'the merge (<<) of ' : ''}*${alias.name} in line ${lineOf(text, alias.start)}`;
  return (
    `${wordsFor(place)} is written at the anchor &${alias.name} in line ${lineOf(text, alias.target.start)} and reached through ${through}: ` +
    `an edit there would change more than this. Write the value out at ${wordsFor(at)} first`
  );
}

function wantOf(value: Plain): Want {
  if (Array.isArray(value)) return { kind: 'list', items: value.map(wantOf) };
  if (isPlainMap(value))
    return { kind: 'map', entries: new Map(Object.entries(value).map(([key, each]) => [key, wantOf(each)])) };
  return { kind: 'scalar', value, anyForm: true };
}
