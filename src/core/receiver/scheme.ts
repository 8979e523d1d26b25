import type { Purpose } from './delivery.ts';

/** How a source proves that it sent a message. Fixed by the secret: nothing in a message chooses it. */
export type Scheme =
  | 'STANDARD'
  | 'GITHUB'
  | 'GITLAB_TOKEN'
  | 'GITLAB_SIGNING'
  | 'GITEA'
  | 'BITBUCKET'
  | 'HEADER'
  | 'HMAC_HEADER';

/** What a message is signed or opened with. */
type Proof =
  /** Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature`. */
  | { kind: 'STANDARD' }
  /** HMAC-SHA256 over the bytes of the body, in hex, behind `prefix`. */
  | { kind: 'HMAC'; headers: readonly string[]; prefix: 'sha256=' | '' }
  /** The secret itself, in the clear. */
  | { kind: 'TOKEN'; headers: readonly string[] };

interface SchemeAbout {
  /** The receivers that take it. */
  purposes: readonly Purpose[];
  proof: Proof;
  /** Where the host puts its id of the message; without one it is a digest of the body. */
  ids: readonly string[];
  /** What the host calls the kind of message. */
  events: readonly string[];
  about: string;
}

const PROGRAMS: readonly Purpose[] = ['argocd', 'generic'];

/** All schemes: adding one is a line here, and a reader in `read-news.ts` for a git host. */
export const SCHEMES: Readonly<Record<Scheme, SchemeAbout>> = {
  STANDARD: {
    purposes: PROGRAMS,
    proof: { kind: 'STANDARD' },
    ids: ['webhook-id'],
    events: [],
    about: 'Standard Webhooks, for a sender of your own.',
  },
  GITHUB: {
    purposes: ['git'],
    proof: { kind: 'HMAC', headers: ['x-hub-signature-256'], prefix: 'sha256=' },
    ids: ['x-github-delivery'],
    events: ['x-github-event'],
    about: 'GitHub and GitHub Enterprise Server: `X-Hub-Signature-256`.',
  },
  GITLAB_TOKEN: {
    purposes: ['git'],
    proof: { kind: 'TOKEN', headers: ['x-gitlab-token'] },
    ids: ['idempotency-key', 'x-gitlab-event-uuid'],
    events: ['x-gitlab-event'],
    about: 'GitLab with a secret token: `X-Gitlab-Token`.',
  },
  GITLAB_SIGNING: {
    purposes: ['git'],
    proof: { kind: 'STANDARD' },
    ids: ['idempotency-key', 'webhook-id'],
    events: ['x-gitlab-event'],
    about: 'GitLab with a signing token, which is Standard Webhooks.',
  },
  GITEA: {
    purposes: ['git'],
    proof: { kind: 'HMAC', headers: ['x-gitea-signature', 'x-forgejo-signature'], prefix: '' },
    ids: ['x-gitea-delivery', 'x-forgejo-delivery'],
    events: ['x-gitea-event', 'x-forgejo-event'],
    about: 'Gitea and Forgejo: `X-Gitea-Signature`.',
  },
  BITBUCKET: {
    purposes: ['git'],
    proof: { kind: 'HMAC', headers: ['x-hub-signature'], prefix: 'sha256=' },
    ids: ['x-request-uuid', 'x-request-id'],
    events: ['x-event-key'],
    about: 'Bitbucket Cloud: `X-Hub-Signature`.',
  },
  HEADER: {
    purposes: PROGRAMS,
    proof: { kind: 'TOKEN', headers: ['authorization'] },
    ids: ['x-request-id'],
    events: [],
    about: 'The secret itself in a header: `Authorization: Bearer …`, or the header that is named.',
  },
  HMAC_HEADER: {
    purposes: PROGRAMS,
    proof: { kind: 'HMAC', headers: ['x-signature'], prefix: 'sha256=' },
    ids: ['x-request-id'],
    events: [],
    about:
      "HMAC-SHA256 over the body, `sha256=` and hex, in `X-Signature` as Flux's generic-hmac sends it, or the header that is named.",
  },
};

/** Schemes whose header people choose. */
export const NAMED_HEADER: ReadonlySet<Scheme> = new Set(['HEADER', 'HMAC_HEADER']);

/** The scheme's proof, in the header that the secret names where it names one. */
export function proofOf(scheme: Scheme, header: string | undefined): Proof {
  const { proof } = SCHEMES[scheme];
  return proof.kind === 'STANDARD' || header === undefined ? proof : { ...proof, headers: [header.toLowerCase()] };
}

/** Of a request, names in small letters. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The first of these headers that is there once. */
export function headerOf(headers: Headers, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/** The sender's id of a message, in printable characters; undefined when it gave none that can be used. */
export function idIn(scheme: Scheme, headers: Headers): string | undefined {
  const id = headerOf(headers, SCHEMES[scheme].ids);
  return id !== undefined && /^[\x21-\x7e]{1,200}$/.test(id) ? id : undefined;
}
