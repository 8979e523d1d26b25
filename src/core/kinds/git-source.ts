import { description, DESCRIPTION } from './common.ts';
import { boolean, defaulted, duration, object, optional, required, text } from './shape.ts';

const SECOND = 1000;

/** A folder of a repository that says what is defined here. */
export const gitSource = object(
  'GitSource',
  'A folder of a git repository whose manifests are watched and applied; what they define is read-only elsewhere.',
  {
    description: optional(description, DESCRIPTION),
    repoURL: required(text({ rule: 'repoURL' }), 'The address of the repository.'),
    branch: defaulted(text({ rule: 'branch' }), 'main', 'The branch; what Argo CD calls targetRevision.'),
    path: defaulted(
      text({ rule: 'folder', called: 'the path' }),
      '.',
      'The folder, without a leading slash, with all folders in it; `.` is the root.',
    ),
    interval: defaulted(
      duration(5 * SECOND, { short: true, why: 'hosts limit how often they are asked' }),
      60 * SECOND,
      'How often the repository is asked where no webhook tells of a push.',
    ),
    prune: defaulted(
      boolean,
      true,
      'Whether a definition that leaves the folder is deleted; otherwise it stays, and can be edited.',
    ),
  },
);
