import { expect, test } from 'vitest';
import { bounded, boundedText, MOST_TEXT } from '../../src/core/bounded.ts';
import { fc } from './property.ts';

test('a text that is too long says how much is missing, and never ends in half a character', () => {
  expect(boundedText('x'.repeat(MOST_TEXT))).toBe('x'.repeat(MOST_TEXT));
  expect(boundedText('x'.repeat(MOST_TEXT + 5))).toBe(`${'x'.repeat(MOST_TEXT)}… (5 more characters)`);
  const cut = boundedText(`${'x'.repeat(MOST_TEXT - 1)}${'😀'.repeat(3)}`);
  expect(cut).toBe(`${'x'.repeat(MOST_TEXT - 1)}… (6 more characters)`);
});

test('of what is told every text is bounded, wherever it stands; outputs and progress have limits of their own', () => {
  const long = 'x'.repeat(10 * MOST_TEXT);
  const told = { kind: 'outcome', outcome: { message: long, outputs: { A: long }, progress: { at: long } }, by: null };
  const kept = bounded(told);
  expect(kept.outcome.message.length).toBeLessThan(MOST_TEXT + 40);
  expect(kept.outcome).toMatchObject({ outputs: { A: long }, progress: { at: long } });
  expect(bounded({ health: [{ message: long }] }).health[0]!.message.length).toBeLessThan(MOST_TEXT + 40);
});

test('what is short enough is the same object, and what was bounded stays as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(bounded(value)).toBe(value);
    }),
  );
  const once = bounded({ reason: 'x'.repeat(MOST_TEXT * 2) });
  expect(bounded(bounded(once).reason).length).toBeLessThan(MOST_TEXT + 40);
});

test('what PostgreSQL cannot store is replaced, also where the length is not bounded', () => {
  const half = '\u{1f600}'.slice(0, 1);
  expect(boundedText(`a\0b${half}c\u{1f600}`)).toBe('a\ufffdb\ufffdc\u{1f600}');
  const long = 'x'.repeat(2 * MOST_TEXT);
  const kept = bounded({ reason: `one\0two`, progress: { at: [`${long}${half}`] }, outputs: { A: '\0' } });
  expect(kept).toEqual({ reason: 'one\ufffdtwo', progress: { at: [`${long}\ufffd`] }, outputs: { A: '\ufffd' } });
});
