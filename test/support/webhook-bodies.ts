/**
 * Bodies as hosts send them, cut to the fields that their documentation describes and that are of use here or near them. Written
 * from the documentation of GitLab (Webhook events), Gitea (Webhooks) and Bitbucket Cloud (Event payloads), not recorded.
 */
const OLD = '95790bf891e76fee5e1747ab589903a6a1f80f22';
const NEW = 'da1560886d4f094c3e6c9ef40349f7d38b5d27d7';
const ZEROS = '0'.repeat(40);

export const URLS = {
  https: 'https://git.example.com/acme/config.git',
  ssh: 'git@git.example.com:acme/config.git',
  web: 'https://git.example.com/acme/config',
};

const gitlabProject = {
  id: 15,
  name: 'config',
  path_with_namespace: 'acme/config',
  web_url: URLS.web,
  git_ssh_url: URLS.ssh,
  git_http_url: URLS.https,
  default_branch: 'main',
};

export const gitlab = {
  push: (ref = 'refs/heads/main', more: object = {}) => ({
    object_kind: 'push',
    event_name: 'push',
    before: OLD,
    after: NEW,
    ref,
    ref_protected: true,
    checkout_sha: NEW,
    user_id: 4,
    user_name: 'Ada',
    user_username: 'ada',
    user_email: 'ada@example.com',
    project_id: 15,
    project: gitlabProject,
    repository: { name: 'config', url: URLS.ssh, git_http_url: URLS.https, git_ssh_url: URLS.ssh },
    commits: [
      {
        id: NEW,
        message: 'Change',
        title: 'Change',
        timestamp: '2026-11-28T09:00:00Z',
        added: [],
        modified: [],
        removed: [],
      },
    ],
    total_commits_count: 27,
    ...more,
  }),
  tag: () => ({
    object_kind: 'tag_push',
    event_name: 'tag_push',
    before: ZEROS,
    after: NEW,
    ref: 'refs/tags/v1',
    project: gitlabProject,
  }),
  mergeRequest: (state: string, action: string, target = 'main') => ({
    object_kind: 'merge_request',
    event_type: 'merge_request',
    user: { id: 1, name: 'Ada', username: 'ada' },
    project: gitlabProject,
    object_attributes: {
      id: 99,
      iid: 7,
      target_branch: target,
      source_branch: 'sluice/billing/eu/0123456789abcdef',
      state,
      action,
      merge_status: 'can_be_merged',
      last_commit: { id: NEW, message: 'Change' },
    },
  }),
  /** `request`: whose pipeline it is. */
  pipeline: (request?: object) => ({
    object_kind: 'pipeline',
    object_attributes: { id: 31, ref: 'main', status: 'success' },
    ...(request && { merge_request: request }),
    project: gitlabProject,
  }),
};

const giteaRepository = {
  id: 140,
  name: 'config',
  full_name: 'acme/config',
  html_url: URLS.web,
  ssh_url: URLS.ssh,
  clone_url: URLS.https,
  default_branch: 'main',
};

export const gitea = {
  push: (ref = 'refs/heads/main', after = NEW) => ({
    ref,
    before: OLD,
    after,
    compare_url: `${URLS.web}/compare/a...b`,
    commits: [{ id: NEW, message: 'Change', url: URLS.web, timestamp: '2026-11-28T09:00:00Z' }],
    total_commits: 3,
    repository: giteaRepository,
    pusher: { id: 1, login: 'ada', email: 'ada@example.com' },
    sender: { id: 1, login: 'ada' },
  }),
  pullRequest: (action: string, merged: boolean) => ({
    action,
    number: 7,
    pull_request: {
      id: 7,
      number: 7,
      state: merged ? 'closed' : 'open',
      merged,
      merged_commit_sha: merged ? NEW : null,
      head: { label: 'x', ref: 'sluice/billing/eu/0123456789abcdef', sha: NEW },
      base: { label: 'main', ref: 'main', sha: OLD },
    },
    repository: giteaRepository,
    sender: { id: 1, login: 'ada' },
  }),
};

const bitbucketRepository = {
  type: 'repository',
  full_name: 'acme/config',
  uuid: '{8a5d0bc1-3f4c-4b0e-a2c7-6b5f31ab6b2d}',
  links: { html: { href: URLS.web }, self: { href: 'https://api.bitbucket.org/2.0/repositories/acme/config' } },
};
const branch = (name: string, hash = NEW) => ({ type: 'branch', name, target: { type: 'commit', hash } });

export const bitbucket = {
  /** Names of branches come without `refs/heads/`. */
  push: (...changes: object[]) => ({
    actor: { display_name: 'Ada' },
    repository: bitbucketRepository,
    push: {
      changes:
        changes.length > 0
          ? changes
          : [
              {
                old: branch('main', OLD),
                new: branch('main'),
                created: false,
                closed: false,
                forced: false,
                truncated: true,
                commits: [],
              },
            ],
    },
  }),
  deleted: (name: string) => ({ old: branch(name), new: null, created: false, closed: true, forced: false }),
  tag: (name: string) => ({ old: null, new: { type: 'tag', name, target: { hash: NEW } }, created: true }),
  branch: (name: string) => ({ old: branch(name, OLD), new: branch(name) }),
  pullRequest: (state: string) => ({
    actor: { display_name: 'Ada' },
    repository: bitbucketRepository,
    pullrequest: {
      id: 7,
      state,
      source: { branch: { name: 'sluice/billing/eu/0123456789abcdef' }, commit: { hash: NEW } },
      destination: { branch: { name: 'main' }, commit: { hash: OLD } },
    },
  }),
};

/** As the template in docs/receiver.md writes it, and as Argo CD has an application. */
export const argocd = {
  template: (app = 'billing-dev') => ({ app, project: 'default', revision: NEW, sync: 'Synced', health: 'Healthy' }),
  whole: (name = 'billing-dev') => ({
    app: { metadata: { name, namespace: 'argocd' }, spec: { project: 'default' }, status: { sync: { revision: NEW } } },
  }),
};

/** An event of Flux's notification controller. */
export const flux = () => ({
  involvedObject: {
    kind: 'Kustomization',
    namespace: 'flux-system',
    name: 'billing',
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  },
  severity: 'info',
  timestamp: '2026-11-28T09:00:00Z',
  message: 'Reconciliation finished',
  reason: 'ReconciliationSucceeded',
  metadata: { revision: `main@sha1:${NEW}` },
  reportingController: 'kustomize-controller',
});

/** As GitHub's documentation describes a push; its own examples are read from the package that publishes them. */
export const github = {
  push: (ref = 'refs/heads/main', more: object = {}) => ({
    ref,
    before: OLD,
    after: NEW,
    created: false,
    deleted: false,
    forced: false,
    base_ref: null,
    compare: `${URLS.web}/compare/a...b`,
    commits: [{ id: NEW, message: 'Change', added: [], modified: ['dev/a.yaml'], removed: [] }],
    repository: { id: 1, full_name: 'acme/config', html_url: URLS.web, clone_url: URLS.https, ssh_url: URLS.ssh },
    pusher: { name: 'ada', email: 'ada@example.com' },
    ...more,
  }),
};
