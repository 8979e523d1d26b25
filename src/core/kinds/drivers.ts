import { choice, defaulted, duration, integer, object, optional, required, text, words } from './shape.ts';

/** Real git: the configuration lives in a folder of a repository's branch. */
const git = object('GitDriver', 'A folder of a git repository.', {
  repoURL: required(text({ rule: 'repoURL' }), 'The address of the repository.'),
  branch: defaulted(text({ rule: 'branch' }), 'main', 'The branch; what Argo CD calls targetRevision.'),
  path: required(
    text({ rule: 'folder', called: 'the path' }),
    "The application's folder, without a leading slash; `.` is the root.",
  ),
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
