import type { Command } from 'commander';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { table } from '../../src/cli/output.ts';
import { sluice } from './served.ts';

// How the command line is spelled, without a server: what a person reads before anything happens.

/** Every command with its words: `windows override`. */
function commandsOf(command: Command, words: string[] = []): [words: string[], command: Command][] {
  return command.commands.flatMap((each): [string[], Command][] => {
    const own = [...words, each.name()];
    return [[own, each], ...commandsOf(each, own)];
  });
}
const COMMANDS = commandsOf(createProgram({}));
const LEAVES = COMMANDS.filter(([, command]) => command.commands.length === 0);

describe.each([[[] as string[]], ...COMMANDS.map(([words]) => [words])])('the help of sluice %s', (words) => {
  test('fits 80 columns, and shows the options that every command takes', async () => {
    const { code, out } = await sluice({}, ...words, '--help');
    expect(code).toBe(0);
    const wide = out.split('\n').filter((line) => stringWidth(line) > 80);
    expect(wide).toEqual([]);
    expect(out).toContain('--server <url>');
    expect(out).toContain('-o, --output <format>');
    expect(out).toContain('-h, --help');
  });
});

test.each(LEAVES)(
  'sluice %s has a text for each argument and option, and marks what is required',
  async (words, command) => {
    for (const argument of command.registeredArguments) expect(argument.description, argument.name()).not.toBe('');
    for (const option of command.options.filter(({ hidden }) => !hidden)) {
      expect(option.description, option.flags).not.toBe('');
      if (option.mandatory) {
        const { out } = await sluice({}, ...words, '--help');
        const [, after = ''] = out.split(option.flags);
        expect(after.split('\n  -')[0], option.flags).toContain('required');
      }
    }
  },
);

test('one flag has one name: a time is --until, a reason is --reason, a key is --idempotency-key', () => {
  const shown = LEAVES.flatMap(([, command]) => command.options.filter(({ hidden }) => !hidden));
  const names = new Set(shown.map(({ long }) => long));
  for (const old of ['--expires', '--expires-at', '--comment', '--message', '--for', '--because', '--key'])
    expect(names).not.toContain(old);
  expect(names).toContain('--until');
  expect(names).toContain('--reason');
});

test.each([
  [['relese']],
  [['get']],
  [['get', 'gizmos']],
  [['get', 'release', 'shop', '--product', 'x']],
  [['get', 'secrets', '--product', 'x']],
  [['hold', 'eu']],
  [['windows', 'override', 'billing', 'eu', 'christmas', '--reason', 'x']],
  [['windows', 'check']],
  [['windows', 'nonsense']],
  [['grant', 'create', '--role', 'owner', '--user', 'grace']],
  [['grant', 'create', '--user', 'grace']],
  [['report', 'rollout', 'shop', 'prod', 'broken']],
  [['report', 'health', 'shop-prod', 'fine']],
  [['report', 'rollout', 'shop']],
  [['report', 'deployment', 'shop-prod']],
  [['secret', 'set']],
  [['token', 'create', '--name', 'ci', '--until', '30']],
  [['token', 'create', '--name', 'ci', '--expires', 'soon']],
  [['webhook', 'list', '--status', 'LOST']],
  [['rollback', 'billing', 'eu']],
  [['watch', 'billing', '--timeout', '5']],
  [['approve', 'billing', 'eu', '--attempt', 'first']],
  [['reject', 'billing', 'eu', '--attempt', '1.5']],
  [['hold', 'eu', '--reason', 'x', '--until', '99999999d']],
  [['metrics', 'billing', 'eu', '--since', '99999999d']],
  [['report', 'health', 'billing-eu', 'healthy', '--at', '5m']],
  [['get', 'releases', '-o', 'xml']],
  [['delete', 'release', 'x']],
  [['--server', 'nonsense', 'get', 'products']],
])('sluice %j is a wrong command line: exit code 2, one cause, no stack', async (args) => {
  const { code, out, err } = await sluice({ SLUICE_SERVER: 'http://127.0.0.1:9' }, ...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).not.toBe('');
  expect(err).not.toMatch(/^\s+at /m);
});

test('values of a list are taken in any case: only the server is missing', async () => {
  for (const args of [
    ['grant', 'create', '--role', 'Approver', '--user', 'grace', '--kind', 'non-production', 'PRODUCTION'],
    ['report', 'rollout', 'shop', 'prod', 'ROLLED_BACK'],
    ['report', 'health', 'shop-prod', 'Healthy'],
    ['get', 'releases', '--status', 'failed', 'Running', '-o', 'JSON'],
    ['webhook', 'list', '--status', 'refused'],
    ['token', 'create', '--name', 'ci', '--until', '30d'],
    ['token', 'create', '--name', 'ci', '--expires', '30d'],
    ['approve', 'billing#42', 'eu', '--comment', 'fine'],
    ['propose', '--remove', 'Environment/eu', '--key', 'build 7'],
  ]) {
    const { code, err } = await sluice({ SLUICE_SERVER: 'http://127.0.0.1:9' }, ...args);
    expect({ code, err }, args.join(' ')).toEqual({ code: 3, err: expect.stringContaining('No Sluice server') });
  }
});

test('--version prints the version of the package; release and rollback have a --version of their own', async () => {
  expect(await sluice({}, '--version')).toEqual({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), err: '' });
  const { code } = await sluice({ SLUICE_SERVER: 'http://127.0.0.1:9' }, 'release', 'billing', '--version', '1.4.2');
  expect(code).toBe(3);
});

describe('a table', () => {
  const rows = [
    { id: 'billing#1042', reason: 'it loses invoices whenever a customer has more than one address', by: 'ada' },
    { id: 'billing#7', reason: 'leaks', by: 'service-account/continuous-integration' },
  ];
  const cut = (width?: number): string[] =>
    table(
      rows,
      [
        ['ID', ({ id }) => id, 'whole'],
        ['REASON', ({ reason }) => reason],
        ['BY', ({ by }) => by],
      ],
      width,
    ).split('\n');

  test('is whole where nobody looks', () => {
    expect(cut()[1]).toContain(rows[0]!.reason);
  });

  test.each([120, 80, 60, 40])(
    'fits a terminal of %i columns: the widest cells are cut, what people copy is not',
    (width) => {
      const lines = cut(width);
      expect(Math.max(...lines.map((line) => stringWidth(line)))).toBeLessThanOrEqual(width);
      expect(lines[1]).toMatch(/^billing#1042 /);
      if (width < 80) expect(lines[1]).toContain('…');
    },
  );
});
