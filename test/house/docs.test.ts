import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { createProgram } from '../../src/cli/program.ts';
import { SETTINGS } from '../../src/settings.ts';
import { formatManifestError, parseManifests } from '../../src/manifests/index.ts';
import { PROMOTION_STATUSES, RELEASE_STATUSES, STEP_STATUSES } from '../../src/core/release.ts';

// What the docs say is compared with what is there: a name that the code no longer knows fails here.
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Of the project itself, wherever they are; not what was installed or built. */
const PAGES = readdirSync(ROOT, { withFileTypes: true }).flatMap((entry) => {
  if (entry.isFile()) return entry.name.endsWith('.md') ? [entry.name] : [];
  if (entry.name.startsWith('.') || ['node_modules', 'dist', 'coverage'].includes(entry.name)) return [];
  return readdirSync(join(ROOT, entry.name), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !path.includes('node_modules'))
    .map((path) => join(entry.name, path));
});

/** Every match's first group, each once. */
function named(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1]!))];
}

/** Fenced blocks of that language. */
function blocks(text: string, language: string): string[] {
  return named(text, new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'));
}

/** As GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  return named(read(page), /^#+ (.+)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What a page names and is not there, as `page: name`. */
function missing(names: (text: string) => string[], isThere: (name: string, page: string) => boolean): string[] {
  return PAGES.flatMap((page) =>
    names(read(page))
      .filter((name) => !isThere(name, page))
      .map((name) => `${page}: ${name}`),
  );
}

describe('every page', () => {
  test('has links that lead somewhere', () => {
    const links = (text: string): string[] => named(text, /\]\(([^)\s]+)\)/g).filter((link) => !/^[a-z]+:/.test(link));
    const leads = (link: string, page: string): boolean => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : relative(ROOT, resolve(ROOT, dirname(page), path));
      return existsSync(join(ROOT, target)) && (anchor === undefined || anchorsOf(target).includes(anchor));
    };
    expect(missing(links, leads)).toEqual([]);
  });

  test('names files and folders that are there', () => {
    const paths = /`((?:src|test|docs|scripts|examples|bench|chaos|migrations|web)\/[\w./-]*)`/g;
    expect(
      missing(
        (text) => named(text, paths),
        (path) => existsSync(join(ROOT, path)),
      ),
    ).toEqual([]);
  });

  test('names npm scripts that are there', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(
      missing(
        (text) => named(text, /\bnpm run ([\w:-]+)/g),
        (name) => name in scripts,
      ),
    ).toEqual([]);
  });

  test('names settings that are there', () => {
    // The CLI and the long searches of tests have their own.
    const others = [
      'SLUICE_SERVER',
      'SLUICE_TOKEN',
      'SLUICE_SIM_RUNS',
      'SLUICE_SIM_SEED',
      'SLUICE_SIM_PRINT',
      'SLUICE_EDIT_MINUTES',
      'SLUICE_EDIT_SEED',
      'SLUICE_TEST_ALL',
      // What the action `command` hands to its program.
      'SLUICE_KEY',
      'SLUICE_RUN',
      'SLUICE_RELEASE_ID',
      'SLUICE_PRODUCT',
      'SLUICE_ENVIRONMENT',
      'SLUICE_APPLICATION',
      'SLUICE_ATTEMPT',
    ];
    expect(
      missing(
        (text) => named(text, /\b(SLUICE_[A-Z_]+)\b/g),
        (name) => name in SETTINGS || others.includes(name),
      ),
    ).toEqual([]);
  });
});

test('how to add something names what is in the files of the same section', () => {
  const sections = read('docs/how-to-add.md').split(/^## /m).slice(1);
  const wrong = sections.flatMap((section) => {
    const files = named(section, /`((?:src|test|migrations)\/[\w./-]+)`/g).flatMap(textsOf);
    return named(section, /`([A-Za-z]+(?:\.[a-z]+)*)`/g)
      .filter((name) => !existsSync(join(ROOT, name)) && !files.some((text) => new RegExp(`\\b${name}\\b`).test(text)))
      .map((name) => `${section.split('\n')[0]}: ${name}`);
  });
  expect(wrong).toEqual([]);
  expect(sections.length).toBeGreaterThanOrEqual(7);
});

/** The text of a file, or of every file in a folder. */
function textsOf(path: string): string[] {
  if (!existsSync(join(ROOT, path))) return [];
  if (!statSync(join(ROOT, path)).isDirectory()) return [read(path)];
  return readdirSync(join(ROOT, path), { recursive: true, encoding: 'utf8' })
    .filter((each) => each.endsWith('.ts'))
    .map((each) => read(join(path, each)));
}

describe('what stands in blocks', () => {
  test('is GraphQL that is valid against the schema that the server publishes', () => {
    const schema = buildSchema(read('schema.graphql'));
    const documents = PAGES.flatMap((page) => blocks(read(page), 'graphql').map((document) => ({ page, document })));
    expect(documents.length).toBeGreaterThanOrEqual(8);
    const errors = documents.flatMap(({ page, document }) =>
      validate(schema, parse(document)).map(({ message }) => `${page}: ${message}`),
    );
    expect(errors).toEqual([]);
  });

  test('is manifests that can be applied, or parts of them', () => {
    const all = PAGES.flatMap((page) => blocks(read(page), 'yaml').map((text) => ({ page, text: dedent(text) })));
    expect(all.length).toBeGreaterThanOrEqual(30);
    const wrong = all.flatMap(({ page, text }) => {
      const [first = ''] = /^\w+(?=:)/m.exec(text) ?? [];
      if (FOREIGN.includes(`${page} ${first}`)) return parseDocument(text).errors.map(({ message }) => message);
      const whole = /^kind: /m.test(text) ? text : PARTS[first]?.(text);
      if (whole === undefined) return `${page}: "${first}" begins no manifest, and no part of one that is known here`;
      return parseManifests(whole, { fileName: page }).errors.map(formatManifestError);
    });
    expect(wrong).toEqual([]);
  });

  test('is in one of these languages, or would not be looked at', () => {
    const languages = PAGES.flatMap((page) =>
      named(read(page), /^ *(?:```|~~~)(\w+)/gm).map((language) => ({ page, language })),
    );
    const known = ['graphql', 'html', 'json', 'sh', 'ts', 'yaml'];
    expect(languages.filter(({ language }) => !known.includes(language))).toEqual([]);
    // A block that is indented, or that no language is given, is none of those above.
    const fences = PAGES.map((page) => ({ page, odd: named(read(page), /^( +```\w*|~~~.*)$/gm) }));
    expect(fences.filter(({ odd }) => odd.length > 0)).toEqual([]);
    for (const page of PAGES)
      for (const text of blocks(read(page), 'json')) expect(() => JSON.parse(text)).not.toThrow();
  });
});

/** What of other systems stands in the pages, by its first field: it is read as YAML, and no more. */
const FOREIGN = ['docs/hosts.md data', 'examples/backstage/README.md metadata', 'examples/backstage/README.md proxy'];

const indent = (text: string, by: number): string => text.replace(/^(?=.)/gm, ' '.repeat(by));
const dedent = (text: string): string => text.replaceAll(`\n${/^ */.exec(text)![0]}`, '\n').trimStart();
const manifest = (kind: string, spec: string): string =>
  `apiVersion: sluice.dev/v1\nkind: ${kind}\nmetadata: { name: part }\nspec:\n${indent(spec, 2)}`;
const FLOW = 'triggerEnvironment: dev\n';
const STEPS = 'steps:\n  - { environment: staging, dependsOn: [dev] }\n';
const APPLICATION =
  'product: billing\nenvironment: eu\ndriver: { type: git, repoURL: https://git.example.com/x.git, branch: main, path: eu }\n';

/** A part of a manifest, by its first field: the manifest that it is of. */
const PARTS: Record<string, (text: string) => string> = {
  actions: (text) => manifest('PromotionWorkflow', text),
  health: (text) => manifest('Application', APPLICATION + text),
  sync: (text) => manifest('Application', APPLICATION + text),
  steps: (text) => manifest('PromotionFlow', FLOW + text),
  rollbackPolicies: (text) => manifest('PromotionFlow', FLOW + STEPS + text),
  targets: (text) => manifest('PromotionFlow', `${FLOW}${STEPS}rollbackPolicies:\n  - when: {}\n${indent(text, 4)}`),
};

describe('README', () => {
  test('its table has every command of the CLI, and no other', () => {
    const commands = createProgram({}).commands.map((command) => command.name());
    expect(named(read('README.md'), /^\| `sluice ([\w-]+)/gm).sort()).toEqual(commands.sort());
  });

  test('its options of the CLI are there', () => {
    const program = createProgram({});
    const row = /^\| `sluice ([\w-]+).*$/gm;
    const unknown = [...read('README.md').matchAll(row)].flatMap(([line, name]) => {
      const command = program.commands.find((each) => each.name() === name);
      const known = command?.options.flatMap(({ short, long }) => [short, long]);
      return named(line, /[` ](--?[a-z][a-z-]*)/g).filter((option) => !known?.includes(option));
    });
    expect(unknown).toEqual([]);
  });
});

test('the architecture has a word on every table', () => {
  const text = read('docs/architecture.md');
  const rows = readdirSync(join(ROOT, 'src/entities'))
    .map((name) => read(`src/entities/${name}`))
    .join('\n');
  const tables = named(rows, /@Entity\('(\w+)'\)/g);
  expect(tables.length).toBeGreaterThan(10);
  expect(tables.filter((table) => !text.includes(`\`${table}\``))).toEqual([]);
});

test('the glossary has every status, and the architecture every folder', () => {
  const glossary = read('docs/glossary.md');
  const statuses = [...RELEASE_STATUSES, ...PROMOTION_STATUSES, ...STEP_STATUSES];
  expect(statuses.filter((status) => !glossary.includes(`\`${status}\``))).toEqual([]);
  const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const architecture = read('docs/architecture.md');
  expect(folders.map(({ name }) => `src/${name}`).filter((path) => !architecture.includes(`\`${path}\``))).toEqual([]);
});

test('decisions are numbered without gaps, and all of them are listed', () => {
  const files = readdirSync(join(ROOT, 'docs/decisions'))
    .filter((name) => name !== 'README.md')
    .sort();
  expect(files.map((name) => Number(name.slice(0, 3)))).toEqual(files.map((_, index) => index + 1));
  const index = read('docs/decisions/README.md');
  expect(files.filter((name) => !index.includes(`(${name})`))).toEqual([]);
});
