// Breaks the editor of files on purpose, one bug at a time, in a copy, and runs its property against each:
//   node test/drivers/edit/mutants.mjs [name …]
// A bug that the property does not find means that a promise is missing. Prints a Markdown table.
import { isMain, plant } from '../../core/support/plant.mjs';

const FINDINGS = 'test/drivers/edit/findings';

const MUTANTS = {
  'an index chooses a key': [
    'node.ts',
    "if (typeof key === 'number') return Array.isArray(value) ? value[key] : undefined;",
    'if (Array.isArray(value)) return value[key];',
  ],
  'entries are paired by index': ['pair.ts', 'return onlyOne(findEntries(at, how.entry!), how, here);', 'return key;'],
  'a filter takes the first of several': [
    'pair.ts',
    'if (how.of === 1 && found.length === 1) {',
    'if (how.of === 1) {',
    FINDINGS,
  ],
  'a filter takes what stands there': [
    'pair.ts',
    'if (namesAnEntry(selectorOf(how.by)) || isTheSame',
    'if (true || isTheSame',
    FINDINGS,
  ],
  'what is missing is left out in silence': [
    'apply.ts',
    "if (onMissing === 'REFUSE' && skipped.length > 0)",
    'if (false)',
  ],
  'YAML 1.1 is forgotten': ['yaml-words.ts', '&& !WORD.test(text) ', ''],
  'numbers in base 60 are forgotten': ['yaml-words.ts', '(?::\\d{1,2})+', '(?::\\d{9})+'],
  'days are forgotten': ['yaml-words.ts', ' && !TIME.test(text)', ''],
  'keys are never quoted': ['yaml-write.ts', ': doubleQuoted(key);', ': key;'],
  'flows are written like blocks': [
    'yaml-write.ts',
    'place.inFlow ? isPlainInFlow(value) : isPlainFor(value)',
    'isPlainFor(value)',
  ],
  'a list is printed anew': ['editor.ts', 'partners.every((from, index) => from === index)', 'false', FINDINGS],
  'a list is edited by place': [
    'editor.ts',
    'const partners = alignLists(node, wanted, this.#options);',
    'const partners = wanted.map((_, index) => (index < node.items.length ? index : undefined));',
    FINDINGS,
  ],
  'chomping is forgotten': ['yaml-scalar.ts', "ends === 0 ? '-' : keeps ? '+' : ''", "''"],
  'a block in front of a comment': [
    'yaml-write.ts',
    'const within = isLast ? place : { ...place, column: -1 };',
    'const within = place;',
  ],
  'a number loses how it is written': ['index.ts', 'if (each.written !== undefined) odd.push', 'if (false) odd.push'],
  'a number over a text stays a number': ['editor.ts', "node.style === 'PLAIN' ||", 'true ||', FINDINGS],
  'a comma too many': ['flow.ts', 'const comma = !isLast || trailing;', 'const comma = true;'],
  'a comment loses its line': [
    'flow.ts',
    "else if (text[at] === '\\n') return text[at - 1] === '\\r' ? at - 1 : at;",
    "else if (text[at] === '\\n') return from;",
    FINDINGS,
  ],
  'an alias is written through': [
    'editor.ts',
    "if (node.kind === 'alias') return this.#alias(node, want);",
    "if (node.kind === 'alias') return this.#edited(node.target, want);",
    FINDINGS,
  ],
  'the order of the paths decides': [
    'editor.ts',
    'this.#known?.get(node.target) ?? plain(node.target)',
    'plain(node.target)',
    FINDINGS,
  ],
  'a part with an alias is taken for known': [
    'yaml-read.ts',
    'if (!this.#shares) this.#parts',
    'this.#parts',
    'test/drivers/edit/parts',
  ],
  'a part forgets what it stands below': [
    'yaml-read.ts',
    'inFlow: false, column, after, inList: false',
    'inFlow: false, column: 0, after, inList: false',
    'test/drivers/edit/parts',
  ],
  'documents of comments count': [
    'yaml-read.ts',
    'if (!contents || (isScalar(contents) && contents.range[0] === contents.range[1])) return [];',
    'if (!contents) return [];',
  ],
};

export const LIST = {
  mutants: MUTANTS,
  usual: 'test/drivers/edit/edit.property',
  under: 'src/drivers/edit',
  needs: ['src/core', 'src/drivers', 'test/drivers'],
};

if (isMain(import.meta)) plant(LIST);
