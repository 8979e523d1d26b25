import { expect, test } from 'vitest';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import { isRace, remoteError } from '../../src/drivers/git/errors.ts';

const rejected = (reason: string, ...remote: string[]): string =>
  [
    ...remote.map((line) => `remote: ${line}`),
    'To https://git.example.com/team/config.git',
    `!\tHEAD:refs/heads/main\t[remote rejected] (${reason})`,
    'Done',
    "error: failed to push some refs to 'https://git.example.com/team/config.git'",
  ].join('\n');

// As the hosts write it.
const FINAL: [string, string][] = [
  ['a hook', rejected('pre-receive hook declined', 'only on weekdays')],
  ['an update hook', rejected('hook declined')],
  [
    'a protected branch of GitHub',
    rejected('protected branch hook declined', 'error: GH006: Protected branch update failed for refs/heads/main.'),
  ],
  [
    'a rule of GitHub',
    rejected('push declined due to repository rule violations', 'error: GH013: Repository rule violations found'),
  ],
  [
    'a protected branch of GitLab',
    rejected(
      'pre-receive hook declined',
      'GitLab: You are not allowed to push code to protected branches on this project.',
    ),
  ],
  ['a branch that is checked out', rejected('branch is currently checked out')],
  ['a ref that is hidden', rejected('deny updating a hidden ref')],
  ['a repository that is archived', rejected('repository is archived')],
];

const PASSING: [string, string][] = [
  ['an incident of GitHub', rejected('failure', 'fatal error in commit_refs')],
  ['a failure without a word', rejected('failure')],
  ['an internal error', rejected('Internal Server Error')],
  ['an unpacker that failed', rejected('unpacker error')],
  ['a host without room', rejected('unpacker error', 'fatal: write error: No space left on device')],
  ['objects that did not arrive', rejected('missing necessary objects')],
  ['a failed transaction', rejected('failed to write')],
  ["GitLab's hook that does not reach its API", rejected('pre-receive hook declined', 'GitLab: API is not accessible')],
  [
    "GitLab's hook that is told of an error",
    rejected('pre-receive hook declined', 'GitLab: Internal API error (502). Bad Gateway'),
  ],
  [
    "GitHub's hook that took too long",
    rejected('pre-receive hook declined', 'check-policy: execution exceeded 5s timeout'),
  ],
  [
    "Gitea's hook that reaches nobody",
    rejected('pre-receive hook declined', 'error: Internal Server Connection Error'),
  ],
  ['a server in trouble', "fatal: unable to access 'https://h/r.git/': The requested URL returned error: 503"],
];

test.each(FINAL)('%s refuses a push for good', (_name, said) => {
  const error = remoteError('here', said, []);
  expect(error).toBeInstanceOf(PermanentError);
  expect(error.message).toContain('the remote rejected the push');
  expect(isRace(said)).toBe(false);
});

test.each(PASSING)('%s passes: the push is tried again', (_name, said) => {
  const error = remoteError('here', said, []);
  expect(error).toBeInstanceOf(TransientError);
  expect(error.message).not.toContain('rejected the push');
});

test.each([
  ["another push that was first, seen by the host's lock", 'failed to update ref'],
  ['a ref that is locked', "cannot lock ref 'refs/heads/main'"],
  ['a ref that moved', 'incorrect old value provided'],
])('%s is a race: built anew on what is there now', (_name, reason) => {
  expect(isRace(rejected(reason))).toBe(true);
});
