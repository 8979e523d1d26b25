import { applyPatch, structuredPatch } from 'diff';
import { Lexer, parse, stringify } from 'yaml';
import {
  diffManifests,
  diffWords,
  entryName,
  exportManifest,
  MOST_EDITS,
  readManifest,
  sameDefinition,
  wireOf,
} from '../../../../../src/manifests/index.ts';
import { refusedText, write } from './edit.ts';
import { calledThe, SOUGHT } from './kinds.ts';
import { openText } from './read.ts';
import { readingOf, type DefinitionOf } from './reading.ts';
import { changed, type Done } from './session.ts';
import { differences, mergeValues, type Clash } from './three-way.ts';
import type { Base, Conflict, Path, Selection, Session, TextDocument } from './types.ts';

/**
 * Takes in what somebody else saved: `theirs` becomes the base. What was changed on one side alone is in the text afterwards; of what was
 * changed on both sides mine stays, and it is a conflict of the session, named by its part and field; so is a comment of theirs without a place. One change that can be undone. A text
 * that cannot be read is not merged: then the session is the same one, and the sentence says why.
 */
export function mergeInto<D extends TextDocument>(session: Session<D>, theirs: Base): Done<D> {
  const { kind } = session.document;
  const there = openText<D>(kind, theirs.text);
  const saved = readingOf(there);
  // A manifest that the server printed has no comments: those of the draft stay.
  const asTexts = saved !== undefined && exportManifest(saved.definition) !== theirs.text;
  const merged = mergeDocuments(openText<D>(kind, session.base.text), there, session.document, { asTexts });
  if ('said' in merged) return { session, said: merged.said };
  const { document, conflicts } = merged;
  const many = conflicts.length;
  const what = theirs.revision === null ? 'the other draft' : `revision ${theirs.revision}`;
  const said = `merged with ${what}${many === 0 ? '' : `, ${many} ${many === 1 ? 'conflict' : 'conflicts'}`}`;
  const next = changed(session, { document, said, selection: session.selection });
  const now = readingOf(document);
  // Without a change of mine left, the text is what is saved, in my words.
  const isTheirs = !asTexts && now && saved && sameDefinition(now.definition, saved.definition);
  const base = isTheirs ? { ...theirs, text: document.text } : theirs;
  return { session: { ...next, base, conflicts: [...session.conflicts, ...conflicts] }, said };
}

/**
 * What a draft changes in what is saved, as a unified diff: of the definitions, or of the texts where the draft has comments. Null while one of
 * them cannot be read.
 */
export function diffOf({ base, document }: Session<TextDocument>): string | null {
  const [saved, draft] = [openText(document.kind, base.text), document].map(readingOf);
  if (!saved || !draft || !document.isCurrent) return null;
  if (document.text.includes('#')) return diffWords(saved.definition, base.text, document.text);
  return diffManifests(saved.definition, draft.definition);
}

/** A setting that differs between the base, what somebody else saved, and the draft; of a step that came or went the whole step. */
export interface Side {
  /** The name of the step or the action; null: the definition itself. */
  step: string | null;
  /** Such as `soak` or `policy.preAction`; empty: the step as a whole. */
  field: string;
  /** As YAML; null: it is not there. */
  base: string | null;
  theirs: string | null;
  mine: string | null;
  /** Both sides changed it, and not to the same. */
  isBoth: boolean;
}

/** What each side changed since the base of the session, by step and setting; null while one of the texts cannot be read. */
export function sidesOf(
  { base, document }: Pick<Session<TextDocument>, 'base' | 'document'>,
  theirs: Pick<Base, 'text'>,
): Side[] | null {
  const { kind } = document;
  const read = [openText(kind, base.text), openText(kind, theirs.text), document].map(readingOf);
  if (!document.isCurrent || !read.every((each) => each !== undefined)) return null;
  const [was, there, here] = read.map(({ definition }) => plainData(wireOf(definition)));
  return differences(was, there, here).map(({ path, ...values }) => {
    const { step, field } = placeOf(document, path);
    const [a, b, c] = [values.base, values.theirs, values.mine].map(asYaml) as [string, string, string];
    return { step, field, base: a, theirs: b, mine: c, isBoth: a !== b && a !== c && b !== c };
  });
}

/**
 * A third document with what two made of one. `asTexts`: `theirs` was written on from `base` in an editor, and is not printed anew: then
 * its comments and its blank lines count, too.
 */
export function mergeDocuments<D extends TextDocument>(
  base: D,
  theirs: D,
  mine: D,
  { asTexts = false }: { asTexts?: boolean } = {},
): { document: D; conflicts: Conflict[] } | { said: string } {
  if (mine.text === base.text && asTexts) return { document: theirs, conflicts: [] };
  const broken = [mine, theirs, base].find(({ isCurrent }) => !isCurrent);
  const read = [base, theirs, mine].map(readingOf);
  if (broken || !read.every((each) => each !== undefined)) return { said: refusedText(broken ?? mine).said };
  const clashes: Clash[] = [];
  const [was, there, here] = read.map(({ definition }) => plainData(wireOf(definition)));
  const wire = mergeValues(was, there, here, (clash) => clashes.push(clash));
  const definition = readManifest(wire, () => {})?.definition as DefinitionOf<D> | undefined;
  if (!definition)
    return { said: `what came of both cannot be read as a ${SOUGHT[mine.kind].called}: take one of them` };
  const conflicts = clashes.map((clash) => conflictOf(mine, clash));
  const text = asTexts ? bothTexts(base.text, theirs.text, mine.text) : undefined;
  const whole = text === undefined ? undefined : openText(mine.kind, text, mine);
  const says = whole?.isCurrent ? readingOf(whole) : undefined;
  if (whole && says && sameDefinition(says.definition, definition)) return { document: whole, conflicts };
  const document = write(mine, definition);
  if ('refusals' in document) return { said: document.said };
  const lost = asTexts ? lostComments(base.text, theirs.text, document.text) : [];
  if (lost.length > 0) conflicts.push(commentsLost(lost));
  return { document, conflicts };
}

/** What was changed in other lines on both sides; undefined: in the same ones, or in so many that comparing them would take long. */
function bothTexts(base: string, theirs: string, mine: string): string | undefined {
  const options = { context: 1, maxEditLength: MOST_EDITS };
  const patch = structuredPatch('', '', base, theirs, undefined, undefined, options);
  if (!patch) return undefined;
  const text = applyPatch(mine, patch, { fuzzFactor: 0, autoConvertLineEndings: false });
  return text === false ? undefined : text;
}

/** Decides a conflict. MINE is there already. */
export function resolveConflict<D extends TextDocument>(
  session: Session<D>,
  conflict: Conflict,
  side: 'MINE' | 'THEIRS',
): Done<D> {
  const whole = calledThe(session.document);
  const conflicts = session.conflicts.filter((each) => each !== conflict);
  const of = conflict.field === '' ? '' : `${conflict.field} of `;
  if (side === 'MINE')
    return { session: { ...session, conflicts }, said: `${of}${conflict.step ?? whole} stays as it is here` };
  const said = `${of}${conflict.step ?? whole} is as it was saved there`;
  const selection: Selection = { node: conflict.step, field: conflict.path.slice(conflict.step === null ? 1 : 3) };
  if (conflict.field === COMMENTS) {
    const { text } = session.document;
    const whole = `${text}${text.endsWith('\n') ? '' : '\n'}${conflict.theirs}\n`;
    const document = openText(session.document.kind, whole, session.document);
    return { session: { ...changed(session, { document, said, selection: session.selection }), conflicts }, said };
  }
  const reading = readingOf(session.document);
  if (!session.document.isCurrent || !reading) return { session, said: refusedText(session.document).said };
  const wire = plainData(wireOf(reading.definition));
  const theirs: unknown = conflict.theirs === null ? undefined : parse(conflict.theirs);
  const read = readManifest(put(wire, conflict.path, theirs), () => {});
  if (!read) return { session, said: `${of}${conflict.step ?? whole} cannot be taken from there: ${whole} needs it` };
  const document = write(session.document, read.definition as DefinitionOf<D>);
  if ('refusals' in document) return { session, said: document.said };
  return { session: { ...changed(session, { document, said, selection }), conflicts }, said };
}

const COMMENTS = 'comments';

function commentsLost(lines: string[]): Conflict {
  const message = `${lines.length === 1 ? 'a comment' : `${lines.length} comments`} of the other side could not be placed`;
  return { step: null, field: COMMENTS, path: [], base: null, theirs: lines.join('\n'), mine: null, message };
}

function lostComments(base: string, theirs: string, now: string): string[] {
  const known = new Set([...commentsIn(base), ...commentsIn(now)]);
  return commentsIn(theirs).filter((each) => !known.has(each));
}

function commentsIn(text: string): string[] {
  const comments: string[] = [];
  let isScalar = false;
  for (const token of new Lexer().lex(text)) {
    if (!isScalar && token.startsWith('#')) comments.push(token);
    isScalar = token === '\u001f';
  }
  return comments;
}

function conflictOf(document: TextDocument, { path, base, theirs, mine }: Clash): Conflict {
  const { step, field: words } = placeOf(document, path);
  const part = step ?? calledThe(document);
  const of = words === '' ? part : `${words} of ${part}`;
  const message =
    theirs === undefined || mine === undefined
      ? `${of} was ${theirs === undefined ? 'removed there and changed here' : 'changed there and removed here'}`
      : base === undefined
        ? `${of} is ${inWords(theirs)} there and ${inWords(mine)} here`
        : `${of} was ${inWords(base)}, is ${inWords(theirs)} there and ${inWords(mine)} here`;
  return { step, field: words, path, base: asYaml(base), theirs: asYaml(theirs), mine: asYaml(mine), message };
}

/** A place in the manifest as people call it. */
function placeOf({ kind }: TextDocument, path: Path): { step: string | null; field: string } {
  const [head, field, name, ...below] = path;
  const isStep = head === 'spec' && field === SOUGHT[kind].list && typeof name === 'string';
  const words = isStep ? below : head === 'spec' ? path.slice(1) : path;
  return { step: isStep ? name.slice(name.indexOf('/') + 1) : null, field: words.map(String).join('.') };
}

const asYaml = (value: unknown): string | null => (value === undefined ? null : stringify(value).trimEnd());
const inWords = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);

/** The same with this value at this place; undefined removes it. */
function put(root: unknown, [key, ...below]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(root)) {
    const found = typeof key === 'number' ? key : root.findIndex((each) => entryName(each) === key);
    const at = found < 0 ? root.length : found;
    const inner = put(root[at], below, value);
    return [...root.slice(0, at), ...(inner === undefined ? [] : [inner]), ...root.slice(at + 1)];
  }
  const { [key]: before, ...rest } = (root ?? {}) as Record<string, unknown>;
  const inner = put(before, below, value);
  return inner === undefined ? rest : { ...(root as object), [key]: inner };
}

const plainData = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;
