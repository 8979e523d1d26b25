import { expect, test } from 'vitest';
import { LONGEST, PatientRounds } from './support/rounds.ts';

const MINUTE = 60_000;

/** How many rounds of two minutes are waited for when each of them is like this. */
function waitedFor(rounds: PatientRounds, atWork: (round: number) => boolean, cameToPass = false): number {
  for (let round = 1; ; round += 1)
    if (!rounds.goOn({ now: round * 2 * MINUTE, atWork: atWork(round), cameToPass })) return round;
}

test('a target that takes ten minutes for each of many effects is waited for, and then so many rounds more', () => {
  expect(waitedFor(new PatientRounds(12, 0), () => false)).toBe(12);
  expect(waitedFor(new PatientRounds(12, 0), (round) => round <= 40)).toBe(52);
});

test('a world in which something comes to pass in every round is not waited for without end', () => {
  expect(waitedFor(new PatientRounds(12, 0), () => true)).toBe(LONGEST / (2 * MINUTE));
  expect(waitedFor(new PatientRounds(12, 0), () => false, true)).toBe(LONGEST / (2 * MINUTE));
});
