import { MESSAGE_PLACEHOLDERS } from '../commit-message.ts';
import { boolean, choice, defaulted, duration, integer, object, optional, required, text, words } from './shape.ts';

const author = object('CommitAuthor', 'Who commits are made by.', {
  name: required(text({ rule: 'person', called: 'the name of the author' }), 'The name.'),
  email: required(text({ rule: 'email' }), 'The e-mail address, as the host of the repository knows the bot.'),
});

const commits = object(
  'GitCommits',
  'How commits into the repository look. Rules of its host for protected branches can insist on each of these.',
  {
    author: optional(author, 'The author and committer; those of the settings when left out.'),
    message: optional(
      text({ rule: 'commitMessage' }),
      `The message, in which ${MESSAGE_PLACEHOLDERS.map((each) => `\`\${${each}}\``).join(', ')} stand for what they say. The lines by which Sluice knows its commits follow it.`,
      { leftOut: '`${SUBJECT}`' },
    ),
    signOff: optional(boolean, 'Whether a line `Signed-off-by` names the author.'),
    signingKey: optional(
      text({ most: 63, called: 'the signing key' }),
      'The name of the secret with the private key that signs commits; they are not signed when left out.',
    ),
  },
);

/** Real git: the configuration lives in a folder of a repository's branch. */
const git = object('GitDriver', 'A folder of a git repository.', {
  repoURL: required(text({ rule: 'repoURL' }), 'The address of the repository.'),
  branch: defaulted(text({ rule: 'branch' }), 'main', 'The branch; what Argo CD calls targetRevision.'),
  path: required(
    text({ rule: 'folder', called: 'the path' }),
    "The application's folder, without a leading slash; `.` is the root.",
  ),
  commits: optional(commits, 'How commits look; as the settings of the server say when left out.'),
});

/** Does nothing for `duration`, then succeeds or fails as told. */
const simulate = object('SimulateDriver', 'Changes nothing: it only takes its time. For demonstrations and tests.', {
  duration: optional(duration(0, { short: true }), 'How long a change takes.'),
  failures: optional(integer(-1, 1000), 'How many times it fails before it succeeds; -1: always.'),
  failure: optional(
    words('SimulatedFailure', 'What a simulated failure looks like.', {
      FAILED: 'The change itself is bad.',
      TRANSIENT: 'The way there was: it is tried again.',
    }),
    'What a failure looks like.',
  ),
});

export const driver = choice({
  name: 'ApplicationDriver',
  about: 'How an application is changed: the field of its type is set.',
  aboutInput: 'How an application is changed: exactly one of the fields.',
  aboutType: 'Which of the fields is set.',
  enum: { name: 'DriverType', about: 'How an application is changed.' },
  choices: {
    git: { about: 'By a commit into a git repository.', shape: git },
    simulate: {
      about: 'Not at all.',
      word: 'Not at all: it only takes its time. For demonstrations and tests.',
      shape: simulate,
    },
  },
});
