import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

// docs/how-to-add.md is followed step by step on a copy of the sources: what it names is enough, and the compiler notices what is left
// out. Not followed is the line in `SUBJECTS` for a phase: `test/engine/runners.test.ts` does not compile without it.

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/how-to-add.md'), 'utf8');

interface Edit {
  file: string;
  /** What stands there, and is found once; left out for a new file. */
  before?: string;
  /** What comes in front of it; the whole text of a new file. */
  add: string;
  /** The file in which the compiler misses it. */
  missedIn: string | { not: string };
}

/** The table of a new kind. That it has the columns and indexes of its row is for `test/store/schema.test.ts`. */
const CALENDARS = `import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Calendars1999000000000 implements MigrationInterface {
  readonly name = 'Calendars1999000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE "calendar" (LIKE "environment" INCLUDING ALL)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "calendar"');
  }
}
`;

/** By section: what its steps ask for, in their order. Undefined: `npm run schema` alone. */
const SECTIONS: Record<string, (Edit[] | undefined)[]> = {
  'A field': [
    [
      {
        file: 'src/core/kinds/promotion-flow.ts',
        before: "    hooks: optional(hooks, 'Workflows around it.'),",
        // As the page has it.
        add: `    ${/^ {7}(priority: .*)$/m.exec(PAGE)?.[1]}\n`,
        missedIn: { not: 'it is the field' },
      },
    ],
    undefined,
  ],
  'A kind': [
    [
      {
        file: 'src/core/kinds/names.ts',
        before: '] as const;',
        add: "  'Calendar',\n",
        missedIn: 'src/core/kinds/index.ts',
      },
    ],
    [
      {
        file: 'src/core/kinds/calendar.ts',
        add: "import { description, DESCRIPTION } from './common.ts';\nimport { object, optional } from './shape.ts';\n\nexport const calendar = object('Calendar', 'Days.', { description: optional(description, DESCRIPTION) });\n",
        missedIn: 'src/core/kinds/index.ts',
      },
      {
        file: 'src/core/kinds/index.ts',
        before: "import { environment, environmentGroup } from './environment.ts';",
        add: "import { calendar } from './calendar.ts';\n",
        missedIn: 'src/core/kinds/index.ts',
      },
      {
        file: 'src/core/kinds/index.ts',
        before: '} satisfies Record<Kind, ObjectShape>;',
        add: '  Calendar: calendar,\n',
        missedIn: 'src/core/kinds/index.ts',
      },
      {
        file: 'src/core/kinds/index.ts',
        before: "  Product: 'What is released.',",
        add: "  Calendar: 'Days.',\n",
        missedIn: 'src/core/kinds/index.ts',
      },
    ],
    [
      {
        file: 'src/entities/definition-rows.ts',
        before: "@Entity('release_window')",
        add: "@Entity('calendar')\nexport class CalendarRow extends DefinitionRow {}\n\n",
        missedIn: 'src/entities/definition-rows.ts',
      },
      {
        file: 'src/entities/definition-rows.ts',
        before: '  ReleaseWindow: ReleaseWindowRow,',
        add: '  Calendar: CalendarRow,\n',
        missedIn: 'src/store/definitions.ts',
      },
      {
        file: 'migrations/1999000000000-calendars.ts',
        add: CALENDARS,
        missedIn: 'migrations/index.ts',
      },
      {
        file: 'migrations/index.ts',
        before: "import { Initial1764000000000 } from './1764000000000-initial.ts';",
        add: "import { Calendars1999000000000 } from './1999000000000-calendars.ts';\n",
        missedIn: 'migrations/index.ts',
      },
      {
        file: 'migrations/index.ts',
        before: '];',
        add: '  Calendars1999000000000,\n',
        missedIn: { not: 'test/store/schema.test.ts misses it' },
      },
      {
        file: 'src/store/definitions.ts',
        before: "  ReleaseWindow: 'release_window',",
        add: "  Calendar: 'calendar',\n",
        missedIn: 'src/store/definitions.ts',
      },
    ],
    [
      {
        file: 'src/cli/commands/kinds.ts',
        before: "  kind(['products', 'product'], 'product',",
        add: "  kind(['calendars', 'calendar'], 'calendar', 'description', []),\n",
        missedIn: { not: 'test/house/kinds.test.ts misses it' },
      },
    ],
    undefined,
  ],
  'An action': [
    [
      {
        file: 'src/core/kinds/actions.ts',
        before: '/** The types of actions, with the parameters that each takes.',
        add: "const lull = object('LullParameters', 'Is quiet.', { length: optional(duration(0), 'For how long.') });\n\n",
        missedIn: 'src/core/kinds/actions.ts',
      },
      {
        file: 'src/core/kinds/actions.ts',
        before: '} satisfies Record<string, ObjectShape>;',
        add: '  lull,\n',
        missedIn: 'src/drivers/actions/index.ts',
      },
      {
        file: 'src/core/kinds/actions.ts',
        before: '  wait: { waits: true },',
        add: '  lull: {},\n',
        missedIn: 'src/core/kinds/actions.ts',
      },
    ],
    [
      {
        file: 'src/drivers/actions/lull.ts',
        add: "import type { ActionAnswer } from './answer.ts';\n\nexport const runLull = (): ActionAnswer => ({ kind: 'succeeded', outputs: {} });\n",
        missedIn: 'src/drivers/actions/index.ts',
      },
      {
        file: 'src/drivers/actions/index.ts',
        before: "import { runSimulate } from './simulate.ts';",
        add: "import { runLull } from './lull.ts';\n",
        missedIn: 'src/drivers/actions/index.ts',
      },
      {
        file: 'src/drivers/actions/index.ts',
        before: '  simulate: async (parameters, at) =>',
        add: '  lull: () => runLull(),\n',
        missedIn: 'src/drivers/actions/index.ts',
      },
    ],
    undefined,
  ],
  'A driver, a source of health, a source of syncs': [
    [
      {
        file: 'src/core/kinds/drivers.ts',
        before: "    git: { about: 'By a commit into a git repository.', shape: git },",
        add: "    lull: { about: 'Quietly.', shape: object('LullDriver', 'Is quiet.', { calm: optional(boolean, 'Whether it is calm.') }) },\n",
        missedIn: { not: 'it is the driver' },
      },
      {
        file: 'src/core/kinds/health.ts',
        before: "    http: { about: 'An address that is asked.', shape: http },",
        add: "    lull: { about: 'It is quiet.', shape: object('LullHealthSource', 'It is quiet.', tolerance) },\n",
        missedIn: 'src/drivers/health/index.ts',
      },
      {
        file: 'src/core/kinds/sync.ts',
        before: '    http: { about: HTTP, shape: http },',
        add: "    lull: { about: 'It is quiet.', shape: object('LullSyncSource', 'It is quiet.', { limit }) },\n",
        missedIn: 'src/drivers/sync/index.ts',
      },
    ],
    [
      {
        file: 'src/drivers/index.ts',
        before: '    simulate: createSimulateDriver(),',
        add: '    lull: createSimulateDriver(),\n',
        missedIn: 'src/drivers/index.ts',
      },
      {
        file: 'src/drivers/health/lull.ts',
        add: "import type { HealthAnswer } from './source.ts';\n\nexport const checkLull = (): HealthAnswer => ({ status: 'HEALTHY', message: 'it is quiet' });\n",
        missedIn: 'src/drivers/health/index.ts',
      },
      {
        file: 'src/drivers/health/index.ts',
        before: "import { checkNone } from './none.ts';",
        add: "import { checkLull } from './lull.ts';\n",
        missedIn: 'src/drivers/health/index.ts',
      },
      {
        file: 'src/drivers/health/index.ts',
        before: "    case 'none':",
        add: "    case 'lull':\n      return checkLull();\n",
        missedIn: 'src/drivers/health/index.ts',
      },
      {
        file: 'src/drivers/sync/index.ts',
        before: "    case 'none':",
        add: "    case 'lull':\n",
        missedIn: 'src/drivers/sync/index.ts',
      },
    ],
    undefined,
  ],
  'A gate': [
    [
      {
        file: 'src/core/gates/answer.ts',
        before: '  LIVE: unknown;',
        add: '  QUOTA: unknown;\n',
        missedIn: 'src/core/gates/quota.ts',
      },
    ],
    [
      {
        file: 'src/core/gates/quota.ts',
        add: "import type { Gate } from './gate.ts';\n\nexport const quotaGate: Gate<'QUOTA'> = {\n  name: 'QUOTA',\n  of: ['FORWARD'],\n  appliesTo: () => true,\n  ask: () => null,\n};\n",
        missedIn: 'src/core/gates/index.ts',
      },
      {
        file: 'src/core/gates/index.ts',
        before: "import { versionGate } from './version.ts';",
        add: "import { quotaGate } from './quota.ts';\n",
        missedIn: 'src/core/gates/index.ts',
      },
      {
        file: 'src/core/gates/index.ts',
        before: '  VERSION: versionGate,',
        add: '  QUOTA: quotaGate,\n',
        missedIn: 'src/core/gates/index.ts',
      },
    ],
    [
      {
        file: 'src/core/waiting.ts',
        before: "    case 'LIVE':",
        add: "    case 'QUOTA':\n",
        missedIn: 'src/core/waiting.ts',
      },
    ],
    [
      {
        file: 'src/schema/choices.ts',
        before: "  LIVE: 'Of a rollback",
        add: "  QUOTA: 'Is there a promotion left for today?',\n",
        missedIn: 'src/schema/choices.ts',
      },
    ],
  ],
  'A phase': [
    [
      { file: 'src/core/plan.ts', before: "  | 'SYNC'\n", add: "  | 'WARM'\n", missedIn: 'src/core/phases.ts' },
      {
        file: 'src/core/phases.ts',
        before: "  { phase: 'SYNC', of: 'application'",
        add: "  { phase: 'WARM', of: 'application', make: () => step({ kind: 'warm' }) },\n",
        missedIn: { not: 'it is the phase' },
      },
    ],
    [
      {
        file: 'src/core/plan.ts',
        before: "  | { kind: 'health' }\n",
        add: "  | { kind: 'warm' }\n",
        missedIn: 'src/core/phases.ts',
      },
      {
        file: 'src/jobs/runners/warm.ts',
        add: "import type { StepWork } from '../../core/plan.ts';\nimport { asking } from './runner.ts';\n\nexport const warmRunner = asking<Extract<StepWork, { kind: 'warm' }>>(async () => ({ kind: 'succeeded' }));\n",
        missedIn: 'src/jobs/runners/index.ts',
      },
      {
        file: 'src/jobs/runners/index.ts',
        before: "import { syncRunner } from './sync.ts';",
        add: "import { warmRunner } from './warm.ts';\n",
        missedIn: 'src/jobs/runners/index.ts',
      },
      {
        file: 'src/jobs/runners/index.ts',
        before: '  sync: syncRunner,',
        add: '  warm: warmRunner,\n',
        missedIn: 'src/jobs/runners/index.ts',
      },
    ],
    [
      {
        file: 'src/schema/choices.ts',
        before: "  SYNC: 'Until the target runs the change.',",
        add: "  WARM: 'Until it is warm.',\n",
        missedIn: 'src/schema/choices.ts',
      },
    ],
  ],
  'An effect': [
    [
      {
        file: 'src/core/effects.ts',
        before: '  /** What runs of these promotions has to stop:',
        add: '  /** It is said. */\n  greet: { promotion: number };\n',
        missedIn: 'src/core/effects.ts',
      },
      {
        file: 'src/core/effects.ts',
        before: "  abort: { lane: 'notice', key: null },",
        add: "  greet: { lane: 'command', key: ({ promotion }) => `p${promotion}-greet` },\n",
        missedIn: 'src/core/effects.ts',
      },
    ],
    [
      {
        file: 'src/jobs/effects.ts',
        before: '  errand: { run: (parts, item) => runErrand(parts, item) },',
        add: '  greet: { run: async ({ log }, { work }) => log.info({ promotion: work.promotion }, "hello") },\n',
        missedIn: 'src/jobs/effects.ts',
      },
    ],
    [
      {
        file: 'src/core/settle.ts',
        before: '    askForObservation(draft, position);',
        add: "    draft.work.push({ kind: 'greet', promotion: position });\n",
        missedIn: { not: 'it is what asks for it' },
      },
    ],
  ],
};

const EDITS = Object.values(SECTIONS).map((steps) => steps.flatMap((each) => each ?? []));
const GENERATED = ['schema.graphql', 'schemas/sluice.schema.json', 'docs/manifests.md'];

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'sluice-how-to-add-'));
  for (const each of ['src', 'migrations', 'package.json', ...GENERATED])
    cpSync(join(ROOT, each), join(copy, each), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const compilerOptions = {
    incremental: true,
    tsBuildInfoFile: 'built',
    rootDir: '.',
    outDir: 'dist',
    sourceMap: false,
  };
  const settings = { extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: ['src', 'migrations'] };
  writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify(settings));
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** The sources with these edits and no others. */
function edit(edits: Edit[]): void {
  const files = new Set(EDITS.flat().map(({ file }) => file));
  for (const file of files) {
    const own = edits.filter((each) => each.file === file);
    const isNew = EDITS.flat().every((each) => each.file !== file || each.before === undefined);
    if (isNew && own.length === 0) rmSync(join(copy, file), { force: true });
    if (isNew && own.length === 0) continue;
    let text = isNew ? '' : readFileSync(join(ROOT, file), 'utf8');
    for (const { before = '', add } of own) {
      if (before !== '') expect([file, before, text.split(before).length - 1]).toEqual([file, before, 1]);
      text = before === '' ? add : text.replace(before, () => add + before);
    }
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), text);
  }
}

/** What the compiler says; nothing when all is well. */
async function compile(...options: string[]): Promise<string> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  // Other tests run beside it: its threads would take from them, and be done no sooner.
  const args = [tsc, '-p', copy, '--pretty', 'false', '--singleThreaded', ...options];
  const run = promisify(execFile)(process.execPath, args, { cwd: copy });
  return run.then(
    () => '',
    ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
  );
}

test.each(Object.entries(SECTIONS))(
  'the steps of "%s" are those of the page, which names each file',
  (title, steps) => {
    const section = PAGE.split(/^## /m).find((each) => each.startsWith(`${title}\n`)) ?? '';
    const told = section.split(/^\d\. /m).slice(1);
    expect(told).toHaveLength(steps.length);
    const unnamed = steps.flatMap((edits, index) =>
      (edits ?? [])
        // The file, or the folder where the page leaves the choice.
        .filter(({ file }) => [file, dirname(file)].every((each) => !told[index]!.includes(`\`${each}\``)))
        .map(({ file }) => `${title}, step ${index + 1}: ${file}`),
    );
    expect(unnamed).toEqual([]);
    steps.forEach((edits, index) => {
      if (edits === undefined) expect(told[index]).toContain('`npm run schema`');
    });
  },
);

test('who does all that the page says needs nothing else, and `npm run schema` writes the rest', async () => {
  edit(EDITS.flat());
  expect(await compile()).toBe('');
  const before = GENERATED.map((each) => readFileSync(join(copy, each), 'utf8'));
  await promisify(execFile)(process.execPath, [join(copy, 'dist/src/schema/write.js')], { cwd: copy });
  const after = GENERATED.map((each) => readFileSync(join(copy, each), 'utf8'));
  // The same comparison as in test/api/schema.test.ts and test/manifests/generated.test.ts: who forgets the step is told there.
  expect(GENERATED.filter((_, index) => before[index] === after[index])).toEqual([]);
  const [api, editors, docs] = after;
  const words = [
    'priority',
    'calendarCreate',
    'LULL',
    'LullDriver',
    'LullHealthSource',
    'LullSyncSource',
    'QUOTA',
    'WARM',
  ];
  expect(words.filter((each) => !api!.includes(each))).toEqual([]);
  for (const text of [editors, docs])
    expect([text!.includes('priority'), text!.includes('lull')]).toEqual([true, true]);
}, 120_000);

/**
 * By round: of each section something of its first step, which is what all others are missed by; then of each of its other steps. What of a
 * first step is missed in different files is left out together: one does not hide the other.
 */
const ROUNDS: Edit[][] = [];
for (const steps of Object.values(SECTIONS)) {
  const [first = [], ...others] = steps.map((edits = []) =>
    edits.filter(({ missedIn }) => typeof missedIn === 'string'),
  );
  const add = (edit: Edit, round: number): unknown => (ROUNDS[round] ??= []).push(edit);
  const before = first.map((edit, index) => first.slice(0, index).filter((each) => each.missedIn === edit.missedIn));
  first.forEach((edit, index) => add(edit, before[index]!.length));
  const rounds = Math.max(0, ...before.map((each) => each.length + 1));
  for (const edits of others) edits.forEach((each, index) => add(each, rounds + index));
}

test.each(ROUNDS.map((left, round) => ({ round, left })))(
  'who leaves out something of each step is told by the compiler where it is missing (round $round)',
  async ({ left }) => {
    edit(EDITS.flat().filter((each) => !left.includes(each)));
    expect(left.length).toBeGreaterThan(0);
    const said = await compile('--noEmit');
    expect(left.filter(({ missedIn }) => !said.includes(`${missedIn as string}(`))).toEqual([]);
  },
  120_000,
);
