import { describe, expect, test } from 'vitest';
import { unmetRule } from '../../src/core/commit-rules.ts';
import type { CommitLook, CommitRule, TextPattern } from '../../src/core/commit-rules.ts';

const look: CommitLook = {
  commits: undefined,
  email: 'sluice@localhost',
  product: 'billing',
  environment: 'eu',
  application: 'billing-eu',
};
const BOT = { name: 'bot', email: 'bot@acme.example' };
const pattern = (operator: TextPattern['operator'], text: string, negate = false): TextPattern => ({
  operator,
  text,
  negate,
});
const fits = (expression: string, text: string): boolean => new RegExp(expression, 'u').test(text);
const unmet = (rule: CommitRule, more: Partial<CommitLook> = {}) => unmetRule(rule, { ...look, ...more }, fits);

describe('a rule of a branch is told with the field that meets it', () => {
  test.each<[CommitRule, Partial<CommitLook>, RegExp | undefined]>([
    [{ kind: 'SIGNATURES' }, {}, /takes only signed commits.*: set driver\.git\.commits\.signingKey$/],
    [{ kind: 'SIGNATURES' }, { commits: { signingKey: 'key' } }, undefined],
    [{ kind: 'SIGN_OFF' }, { commits: { signOff: false } }, /Signed-off-by.*: set driver\.git\.commits\.signOff$/],
    [{ kind: 'SIGN_OFF' }, { commits: { signOff: true } }, undefined],
    // A commit straight to the branch is no merge; a pull request is merged by one where nothing else is said.
    [{ kind: 'LINEAR_HISTORY' }, {}, undefined],
    [
      { kind: 'LINEAR_HISTORY' },
      { method: 'OF_HOST' },
      /no merge commits.*set pullRequest\.method to SQUASH or REBASE/,
    ],
    [{ kind: 'LINEAR_HISTORY' }, { method: 'MERGE' }, /no merge commits/],
    [{ kind: 'LINEAR_HISTORY' }, { method: 'SQUASH' }, undefined],
  ])('%j with %j', (rule, more, expected) => {
    const said = unmet(rule, more);
    if (expected === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(expected);
  });

  test.each<[TextPattern, string | undefined]>([
    [pattern('ENDS_WITH', '@acme.example'), 'ends with "@acme.example", and that of Sluice is "sluice@localhost"'],
    [pattern('ENDS_WITH', '@localhost'), undefined],
    [pattern('STARTS_WITH', 'bot'), 'begins with "bot", and that of Sluice is "sluice@localhost"'],
    [pattern('CONTAINS', 'localhost', true), 'does not contain "localhost", and that of Sluice is "sluice@localhost"'],
    [pattern('CONTAINS', 'acme', true), undefined],
    [pattern('REGEX', '^bot@'), 'fits "^bot@", and that of Sluice is "sluice@localhost"'],
    [pattern('REGEX', '^bot@', true), undefined],
  ])('an address of the author: %j', (wanted, expected) => {
    const said = unmet({ kind: 'AUTHOR_EMAIL', pattern: wanted });
    if (expected === undefined) expect(said).toBeUndefined();
    else
      expect(said).toBe(
        `takes only commits of which the address of their author ${expected}: set driver.git.commits.author, or SLUICE_GIT_AUTHOR_EMAIL`,
      );
  });

  test('the address in the definition counts, and is the one to change then', () => {
    const rule: CommitRule = { kind: 'COMMITTER_EMAIL', pattern: pattern('ENDS_WITH', '@acme.example') };
    expect(unmet(rule, { commits: { author: BOT } })).toBeUndefined();
    const other = unmet(rule, { commits: { author: { ...BOT, email: 'bot@other.example' } } });
    expect(other).toMatch(/address of their committer .*"bot@other\.example": set driver\.git\.commits\.author$/);
  });

  test('a message is judged going there and back, as its template has it', () => {
    const message = (text: string, template?: string) =>
      unmet(
        { kind: 'MESSAGE', pattern: pattern('REGEX', text) },
        template === undefined ? {} : { commits: { message: template } },
      );
    expect(message('^(Promote|Roll back) billing')).toBeUndefined();
    // Only going back is another message.
    expect(message('^Promote')).toMatch(
      /and that of Sluice is "Roll back billing in eu from .*: set .*commits\.message$/,
    );
    expect(message('^chore\\(billing\\): 1\\.2\\.3', 'chore(${PRODUCT}): ${VERSION}')).toBeUndefined();
    expect(message('^feat', 'chore(${PRODUCT}): ${VERSION}')).toMatch(
      /fits "\^feat", and that of Sluice is "chore\(billing\): 1/,
    );
  });

  test('an expression that cannot be judged here is told with the text', () => {
    const rule: CommitRule = { kind: 'AUTHOR_EMAIL', pattern: pattern('REGEX', '(?i)@ACME') };
    expect(unmetRule(rule, look, () => undefined)).toMatch(
      /fits "\(\?i\)@ACME"; whether "sluice@localhost" does cannot be told here, and .* is where it is set$/,
    );
  });
});
