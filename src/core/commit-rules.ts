import type { GitDriverSpec, PullRequestPolicy } from './definitions.ts';
import { filledMessage, subjectOf } from './commit-message.ts';
import { quote } from './wording.ts';

/** What the host of a repository asks of every commit that goes into a branch. */
export type CommitRule =
  | { kind: 'SIGNATURES' | 'SIGN_OFF' | 'LINEAR_HISTORY' }
  | { kind: 'AUTHOR_EMAIL' | 'COMMITTER_EMAIL' | 'MESSAGE'; pattern: TextPattern };

/** What a text has to be; `negate`: must not be. */
export interface TextPattern {
  operator: 'STARTS_WITH' | 'ENDS_WITH' | 'CONTAINS' | 'REGEX';
  text: string;
  negate: boolean;
}

/** How commits into an application's repository look, with what its definition leaves out as the settings of the server say. */
export interface CommitLook {
  commits: GitDriverSpec['commits'];
  /** Of the author where the definition names none. */
  email: string;
  product: string;
  environment: string;
  application: string;
  /** How Sluice merges the pull requests into it; absent: its changes are commits. */
  method?: PullRequestPolicy['method'] | 'OF_HOST';
}

/** Whether a regular expression fits a text; undefined where it cannot be told here. */
export type Fits = (expression: string, text: string) => boolean | undefined;

/**
 * What a rule has against these commits, as the second half of a sentence with the cure: `takes only signed commits, and …; set …`.
 * Undefined: nothing. A rule about a text that cannot be judged here is told with the text.
 */
export function unmetRule(rule: CommitRule, look: CommitLook, fits: Fits): string | undefined {
  const { commits } = look;
  switch (rule.kind) {
    case 'SIGNATURES':
      if (commits?.signingKey !== undefined) return undefined;
      return `takes only signed commits, and those of Sluice are not signed: set ${FIELD}.signingKey`;
    case 'SIGN_OFF':
      if (commits?.signOff === true) return undefined;
      return `takes only commits with a line Signed-off-by, and those of Sluice have none: set ${FIELD}.signOff`;
    case 'LINEAR_HISTORY':
      if (look.method !== 'MERGE' && look.method !== 'OF_HOST') return undefined;
      return `takes no merge commits, and Sluice would merge pull requests by one: set pullRequest.method to SQUASH or REBASE in the flow or the policy that says pr`;
    case 'AUTHOR_EMAIL':
    case 'COMMITTER_EMAIL': {
      const [whose, email] = [rule.kind === 'AUTHOR_EMAIL' ? 'author' : 'committer', commits?.author?.email];
      const cure = email === undefined ? `${FIELD}.author, or SLUICE_GIT_AUTHOR_EMAIL` : `${FIELD}.author`;
      return unfit(rule.pattern, [email ?? look.email], `the address of their ${whose}`, cure, fits);
    }
    case 'MESSAGE':
      return unfit(rule.pattern, messagesLike(look), 'their message', `${FIELD}.message`, fits);
  }
}

const FIELD = 'driver.git.commits';

function unfit(
  pattern: TextPattern,
  texts: readonly string[],
  what: string,
  cure: string,
  fits: Fits,
): string | undefined {
  const answers = texts.map((text) => holds(pattern, text, fits));
  if (answers.every((each) => each === true)) return undefined;
  const at = answers.indexOf(false);
  const how = `takes only commits of which ${what} ${pattern.negate ? NOT[pattern.operator] : MUST[pattern.operator]} ${quote(pattern.text)}`;
  return at === -1
    ? `${how}; whether ${quote(texts[0]!)} does cannot be told here, and ${cure} is where it is set`
    : `${how}, and that of Sluice is ${quote(texts[at]!)}: set ${cure}`;
}

function holds({ operator, text: wanted, negate }: TextPattern, text: string, fits: Fits): boolean | undefined {
  const found =
    operator === 'STARTS_WITH'
      ? text.startsWith(wanted)
      : operator === 'ENDS_WITH'
        ? text.endsWith(wanted)
        : operator === 'CONTAINS'
          ? text.includes(wanted)
          : fits(wanted, text);
  return found === undefined ? undefined : found !== negate;
}

const MUST = { STARTS_WITH: 'begins with', ENDS_WITH: 'ends with', CONTAINS: 'contains', REGEX: 'fits' };
const NOT = {
  STARTS_WITH: 'does not begin with',
  ENDS_WITH: 'does not end with',
  CONTAINS: 'does not contain',
  REGEX: 'does not fit',
};

/** Messages as they would be of a version that is made up, going there and back. The lines of Sluice follow each. */
function messagesLike({ commits, product, environment, application }: CommitLook): string[] {
  const version = '1.2.3';
  const values = { PRODUCT: product, VERSION: version, ENVIRONMENT: environment, APPLICATION: application };
  const signedOff = commits?.signOff ? `\nSigned-off-by: ${commits.author?.name ?? 'Sluice'}` : '';
  return [undefined, '1.3.0'].map((takesBack) => {
    const SUBJECT = subjectOf({ product, environment }, version, takesBack);
    return `${filledMessage(commits?.message, { ...values, SUBJECT, RELEASE: NO_RELEASE })}\n\nSluice-Key: ${NO_RELEASE}${signedOff}`;
  });
}

const NO_RELEASE = '00000000-0000-4000-8000-000000000000';
