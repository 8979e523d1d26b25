import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// The rings of docs/architecture.md: arrows point inwards. A row says what a folder of src may import besides itself;
// `packages` lists the npm and node: modules of a folder that may not use any it likes.
interface Ring {
  imports: string[];
  packages?: string[];
}

/** Free of the domain: any ring but the core may use them. */
const SHARED = [
  'abort-listener.ts',
  'clock.ts',
  'connections.ts',
  'limits.ts',
  'seams.ts',
  'log.ts',
  'faults.ts',
  'loopback.ts',
  'opened-secrets.ts',
  'availability.ts',
];

/** The outside world as those inside know it: shapes, and no client. */
const PORTS = ['drivers/driver.ts', 'drivers/forge/forge.ts', 'drivers/health/source.ts', 'drivers/secret-source.ts'];

const RINGS: Record<string, Ring> = {
  core: {
    imports: [],
    packages: ['temporal-polyfill', 'rrule-temporal', 'parse-duration', 'luxon', 'croner', 'json-p3'],
  },
  manifests: { imports: ['core'] },
  drivers: { imports: ['core', 'foreign', 'programs', ...SHARED] },
  programs: { imports: [] },
  // What a reader runs: pure functions of plain data.
  foreign: {
    imports: [
      'core',
      'manifests',
      'drivers/edit',
      'drivers/argocd/read.ts',
      'drivers/argo-workflows/read.ts',
      'drivers/driver.ts',
      'abort-listener.ts',
    ],
  },
  entities: { imports: ['core', ...PORTS, 'connections.ts', 'lost-transactions.ts', 'seams.ts'] },
  store: { imports: ['core', 'entities', ...PORTS, ...SHARED] },
  // manifests: apply compares what was written with what is stored.
  commands: {
    imports: ['core', 'store', 'entities', 'manifests', 'foreign', ...PORTS, 'parts.ts', ...SHARED],
  },
  jobs: { imports: ['core', 'commands', 'drivers', 'store', 'parts.ts', ...SHARED] },
  events: { imports: ['core', 'store', ...SHARED] },
  // build.ts puts the resolvers together, context.ts hands them the live tail.
  schema: {
    imports: [
      'core',
      'manifests',
      'resolvers/index.ts',
      'resolvers/access/guard.ts',
      'events/event-log.ts',
      'app.ts',
      ...SHARED,
    ],
  },
  resolvers: { imports: ['core', 'commands', 'store', 'schema', 'events', 'manifests', ...SHARED] },
  // Who is calling, asked by the transports.
  access: { imports: ['core', 'commands/access/token.ts', 'drivers/http.ts', 'store', 'config.ts', ...SHARED] },
  // Outermost: HTTP around everything.
  server: {
    imports: [
      'access',
      'core',
      'commands',
      'store',
      'schema',
      'resolvers',
      'events',
      // The texts of schemas, which are served as they are.
      'manifests/generated.ts',
      'config.ts',
      'app.ts',
      'parts.ts',
      ...SHARED,
    ],
  },
  // A client of the published API; `sluice serve` and `sluice migrate` start the program of the server.
  // core and manifests: `sluice windows check` asks the engine's own functions, without a server.
  cli: { imports: ['main.ts', 'core', 'manifests'] },
  postgres: { imports: ['log.ts', 'connections.ts'] },
};

/** They say what a process, or a command, is made of, and are gone at run time: only `main.ts` puts it together. */
const TYPES_ALONE = ['app.ts', 'parts.ts'];

const SRC = fileURLToPath(new URL('../../src', import.meta.url));
const IMPORT = /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/gm;

interface Import {
  file: string;
  target: string;
  typeOnly: boolean;
}

function importsIn(folder: string): Import[] {
  if (!existsSync(join(SRC, folder))) return [];
  const files = readdirSync(join(SRC, folder), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return files.flatMap((file) => {
    const path = join(SRC, folder, file);
    const text = readFileSync(path, 'utf8');
    return [...text.matchAll(IMPORT)].map((match) => ({
      file: path,
      target: (match[1] ?? match[2])!,
      typeOnly: /^\s*import type\b/.test(match[0]),
    }));
  });
}

function isAllowed(folder: string, { file, target, typeOnly }: Import): boolean {
  const { imports, packages } = RINGS[folder]!;
  if (!target.startsWith('.')) return packages === undefined || packages.includes(target);
  const path = relative(SRC, resolve(dirname(file), target));
  if (TYPES_ALONE.includes(path) && !typeOnly) return false;
  // Migrations are the entities' own.
  if (folder === 'entities' && path.startsWith('../migrations/')) return true;
  return [folder, ...imports].some((allowed) => path === allowed || path.startsWith(`${allowed}/`));
}

test.each(Object.keys(RINGS))('src/%s imports only what lies further inside', (folder) => {
  const wrong = importsIn(folder).filter((found) => !isAllowed(folder, found));
  expect(wrong.map(({ file, target }) => `src/${relative(SRC, file)} imports ${target}`)).toEqual([]);
});

/** What a thread loads, and what runs there without a network, a database or a clock. */
const PURE_DRIVERS = ['drivers/driver.ts', 'drivers/content.ts', 'drivers/canonical.ts'];
const PURE = ['yaml', 'jsonc-parser', 'json-p3', 'toml-eslint-parser', 'dot-properties'];

test('what edits files asks nothing but the text', () => {
  const wrong = importsIn('drivers/edit').filter(({ file, target }) => {
    if (!target.startsWith('.')) return !PURE.includes(target);
    const path = relative(SRC, resolve(dirname(file), target));
    return !path.startsWith('drivers/edit/') && !path.startsWith('core/') && !PURE_DRIVERS.includes(path);
  });
  expect(wrong.map(({ file, target }) => `src/${relative(SRC, file)} imports ${target}`)).toEqual([]);
});

test('every folder of src has its ring', () => {
  const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).filter((name) => !RINGS[name])).toEqual([]);
});

test('this test sees imports of every form', () => {
  const text = [
    "import { a } from './a.ts';",
    "import type B from 'b';",
    "export * from 'c';",
    "import 'd';",
    "await import('e');",
  ];
  const multiline = "import {\n  f,\n  g,\n} from 'h';";
  const found = [...[...text, multiline].join('\n').matchAll(IMPORT)].map((match) => match[1] ?? match[2]);
  expect(found).toEqual(['./a.ts', 'b', 'c', 'd', 'e', 'h']);
});
