import { expect, test, vi } from 'vitest';
import { above, program, someOf, wholeFrom } from '../../scripts/program.ts';

/** What a program says of a command line, and what it ends with. */
function ended(...typed: string[]): { code: unknown; says: string } {
  const said: string[] = [];
  const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`ended with ${code}`);
  });
  const collects = { writeOut: (text: string) => said.push(text), writeErr: (text: string) => said.push(text) };
  try {
    program('count', 'Counts.')
      .configureOutput(collects)
      .option('--times <number>', 'how often', wholeFrom(1), 3)
      .option('--seconds <number>', 'how long', above(0))
      .option('--rows <rows>', 'which', someOf(['one', 'two']))
      .parse(typed, { from: 'user' });
    return { code: null, says: said.join('') };
  } catch (error) {
    return { code: (error as Error).message, says: said.join('') };
  } finally {
    exit.mockRestore();
  }
}

test('a program of the project says how it is called', () => {
  expect(ended('--help')).toMatchObject({ code: 'ended with 0' });
  expect(ended('--help').says).toContain('Usage: npm run count -- [options]');
  expect(ended('--times', '4', '--seconds', '0.5', '--rows', 'two, one')).toEqual({ code: null, says: '' });
});

test.each([
  [['--timse', '4'], "unknown option '--timse'"],
  [['--times', '0'], 'Expected a whole number from 1.'],
  [['--times', '1.5'], 'Expected a whole number from 1.'],
  [['--times', ''], 'Expected a whole number from 1.'],
  [['--seconds', '0'], 'Expected a number above 0.'],
  [['--seconds', 'many'], 'Expected a number above 0.'],
  [['--rows', 'one,three'], "'three' is none of one, two."],
  [['4'], 'too many arguments'],
])('a command line that is wrong ends it with 2 and says how: %j', (typed, says) => {
  const answer = ended(...typed);
  expect(answer.code).toBe('ended with 2');
  expect(answer.says).toContain(says);
  expect(answer.says).toContain('--help');
});
