import pc from 'picocolors';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { picture, type Scene } from '../../src/cli/watch/picture.ts';
import { promotionShown, releaseShown } from './support.ts';

const START = Date.parse('2026-03-02T14:00:00Z');
const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();

const release = releaseShown({
  startedAt: at(0),
  promotions: [
    promotionShown('staging', { status: 'SUCCEEDED', startedAt: at(1), endedAt: at(4), commit: '3f2a1bc9d0' }),
    promotionShown('us-east', { group: 'regions', status: 'RUNNING', phase: 'PRE_ACTION', startedAt: at(5) }),
    promotionShown('eu', {
      group: 'regions',
      status: 'FAILED',
      startedAt: at(5),
      endedAt: at(7),
      problem: 'smoke-tests: 500',
    }),
    promotionShown('asia-2', { waitingFor: ['all of regions must be healthy'] }),
  ],
});
const scene: Scene = { release, events: ['14:00:05  us-east  started'] };
const draw = (columns: number, rows: number, shown = scene): string[] =>
  picture(shown, { columns, rows, now: START + 10_000, tick: 0, colors: pc.createColors(false) });

test('each environment has a line in the order of the flow, members below their group', () => {
  expect(draw(80, 24)).toEqual([
    'billing 1.1.0  through billing-flow, billing#1',
    'RUNNING    ━━━━━━━━━━──────────────────────────────  1/4  10s',
    '',
    '✔ staging    succeeded   3.0s     commit 3f2a1bc',
    '┌ regions',
    '│ ⠋ us-east  pre-action  5.0s',
    '│ ✖ eu       failed      2.0s     smoke-tests: 500',
    '· asia-2     waiting              all of regions must be healthy',
    '',
    '14:00:05  us-east  started',
    '',
    'Ctrl-C leaves; the release goes on',
  ]);
});

test('a narrow terminal leaves out the explanations', () => {
  const lines = draw(40, 20);
  expect(lines[0]).toBe('billing 1.1.0');
  expect(lines).toContain('· asia-2     waiting');
});

test('no line is wider than the terminal, nor the picture higher, whatever the size', () => {
  for (const columns of [1, 5, 12, 20, 40, 60, 80, 200]) {
    for (const rows of [2, 3, 5, 8, 10, 24, 60]) {
      const lines = draw(columns, rows, { ...scene, lost: 'nobody answers' });
      expect(lines.length, `${columns}x${rows}`).toBeLessThan(rows);
      expect(Math.max(...lines.map((line) => stringWidth(line))), `${columns}x${rows}`).toBeLessThanOrEqual(columns);
    }
  }
});

test('of many environments the ones at work and the failed ones stay visible', () => {
  const promotions = Array.from({ length: 40 }, (_, index) =>
    promotionShown(
      `region-${index}`,
      index === 33 ? { status: 'FAILED', problem: 'out of disk' } : { status: 'SUCCEEDED' },
    ),
  );
  const lines = draw(80, 12, { ...scene, release: { ...release, promotions } }).join('\n');
  expect(lines).toMatch(/region-33 .*out of disk/);
  expect(lines).toMatch(/… \d+ more lines/);
});

describe('what stands below', () => {
  test('says that the connection is lost, as long as it is', () => {
    expect(draw(80, 24, { ...scene, lost: 'nobody answers' }).at(-1)).toBe(
      'Connection lost, trying again. nobody answers',
    );
  });

  test('gives the first problem of a release that has ended', () => {
    const ended = { ...release, status: 'FAILED', endedAt: at(9), problem: 'eu: smoke-tests: 500' };
    expect(draw(80, 24, { ...scene, release: ended }).at(-1)).toBe('eu: smoke-tests: 500');
  });
});
