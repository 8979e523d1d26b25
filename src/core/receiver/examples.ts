import type { Scheme } from './scheme.ts';

/** A push that did not happen. */
interface Push {
  repository: string;
  branch: string;
  commit?: string | undefined;
}

/** Stands for a commit that is not named: the look says which one it is. */
const SOME = 'f'.repeat(40);

const program = ({ repository, branch, commit }: Push): object => ({ repository, branch, commit });

const gitlab = ({ repository, branch, commit = SOME }: Push): object => ({
  object_kind: 'push',
  ref: `refs/heads/${branch}`,
  after: commit,
  project: { git_http_url: repository },
});

const github = ({ repository, branch, commit = SOME }: Push): object => ({
  ref: `refs/heads/${branch}`,
  after: commit,
  repository: { clone_url: repository },
});

/** The message of a push as each kind of source would send it, as far as it is read. */
export const EXAMPLES: Readonly<Record<Scheme, (push: Push) => object>> = {
  GITHUB: github,
  GITEA: github,
  GITLAB_TOKEN: gitlab,
  GITLAB_SIGNING: gitlab,
  BITBUCKET: ({ repository, branch, commit = SOME }) => ({
    repository: { links: { html: { href: repository } } },
    push: { changes: [{ new: { type: 'branch', name: branch, target: { hash: commit } } }] },
  }),
  STANDARD: program,
  HEADER: program,
  HMAC_HEADER: program,
};
