import { FORGE_KINDS } from './forges.ts';
import type { ForgeUse } from './forges.ts';
import { refusal } from './problems.ts';
import type { Refusal } from './problems.ts';
import { prefixIdentity } from './receiver/repository.ts';
import { NAMED_HEADER } from './receiver/scheme.ts';
import type { Scheme } from './receiver/scheme.ts';
import { proofOf } from './receiver/scheme.ts';
import { matchesGlob } from './selectors.ts';
import { quote } from './wording.ts';
import { doneBy } from './done-by.ts';

/** What a secret is for; it is given out for nothing else. */
export type SecretUse =
  /** `${secrets.NAME}` in the parameters of `http` actions and in headers of health and sync sources. */
  | {
      kind: 'REFERENCE';
      /** Hosts to which it may be sent, `*.corp.example` for all below; nowhere when empty. */ hosts: string[];
      /** Names with `*` of products in whose name it may be sent; any when left out. */ products?: string[];
      /** No person named the hosts: they are those to which it was sent when hosts became required. */ assumed?: true;
    }
  /** The password or token for repositories whose address begins so; the longest such beginning wins. */
  | { kind: 'GIT'; url: string; username: string | null }
  | ForgeUse
  /** The private key, of SSH or GPG, that signs commits. `publicPart`: what their host has to know; found out when it is set. */
  | { kind: 'SIGNING'; publicPart?: string }
  /** Signs what an outside system sends to the receiver, under its name there. */
  | {
      kind: 'WEBHOOK';
      source: string;
      /** Names with `*` of products that it may tell of; any when empty. */ products: string[];
      /** The service account in whose name it decides on approvals; left out: it reports rollouts. */ decidesAs?: string;
      /** How news is signed, which it tells then, and nothing else; left out: it reports rollouts, or decides. */ scheme?: Scheme;
      /** How addresses of repositories begin that it may tell of; any when left out. */ repositories?: string[];
      /** The header with the token or the signature, where the scheme leaves that open. */ header?: string;
    };

export type WebhookUse = Extract<SecretUse, { kind: 'WEBHOOK' }>;

/** All that is ever shown of a secret. */
export interface SecretShown {
  name: string;
  description: string | null;
  use: SecretUse;
  /** 1, and one more with each new value. */
  revision: number;
  /** Of the key that sealed it. */
  keyId: string;
  createdAt: Date;
  updatedAt: Date;
  updatedBy: string | null;
}

const SECRET_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_]{0,61}[A-Za-z0-9])?$/;
const HOST = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const SOURCE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** A shorter value could not be masked without masking ordinary words. */
export const MIN_SECRET = 8;
const MAX_SECRET = 64 * 1024;

export interface SecretInput {
  name: string;
  /** Null: the value stays. */
  value: string | null;
  description: string | null;
  use: SecretUse;
}

/** The messages never repeat the value. */
export function checkSecret({ name, value, description, use }: SecretInput): Refusal[] {
  const wrong: Refusal[] = [];
  const refuse = (message: string, ...path: string[]): void => void wrong.push(refusal('INVALID', message, path));
  const checkProducts = (products: string[], ...path: string[]): void => {
    if (products.length > 100) refuse('at most 100 products fit', ...path);
    for (const product of products)
      if (!/^[-a-z0-9*]{1,63}$/.test(product))
        refuse(`${quote(product)} is not a name of a product, or a part of one with "*"`, ...path);
  };
  if (!SECRET_NAME.test(name))
    refuse(
      `the name ${quote(name)} must be 1 to 63 letters, digits, "-" and "_", with a letter or digit at both ends`,
      'name',
    );
  if (value !== null && (value.length < MIN_SECRET || value.length > MAX_SECRET))
    refuse(
      `the value has ${value.length} characters; ${MIN_SECRET} to ${MAX_SECRET} fit, a shorter one could not be masked`,
      'secretValue',
    );
  // oxlint-disable-next-line no-control-regex
  if (value !== null && /\u0000/.test(value)) refuse('the value has a NUL character; remove it', 'secretValue');
  if ((description?.length ?? 0) > 1_000) refuse('the description has more than 1000 characters', 'description');
  switch (use.kind) {
    case 'REFERENCE':
      if (use.hosts.length === 0)
        refuse('name the hosts to which it may be sent, such as hooks.example.com or *.example.com', 'hosts');
      if (use.hosts.length > 100) refuse('at most 100 hosts fit', 'hosts');
      checkProducts(use.products ?? [], 'products');
      for (const host of use.hosts)
        if (!HOST.test(host))
          refuse(`${quote(host)} is not a host such as hooks.example.com or *.example.com`, 'hosts');
      break;
    case 'GIT':
      if (!isGitUrl(use.url))
        refuse(
          `${quote(use.url)} is not an address such as https://git.example.com/team/, without a login in it`,
          'git',
          'url',
        );
      if (/[\r\n\0]/.test(use.username ?? '')) refuse('the user name has a line break; remove it', 'git', 'username');
      if (value !== null && /[\r\n\0]/.test(value))
        refuse('a password for git has no line breaks; remove them', 'secretValue');
      break;
    case 'FORGE':
      checkForge(use, value, refuse);
      break;
    case 'SIGNING':
      if (value !== null && !isGpgKey(value) && !SSH_KEY.test(value.trim()))
        refuse(
          'the value must be a private key without a passphrase, as `ssh-keygen` or `gpg --export-secret-keys --armor` write it',
          'secretValue',
        );
      break;
    case 'WEBHOOK':
      checkProducts(use.products, 'webhook', 'products');
      if (!SOURCE.test(use.source))
        refuse(
          `the source ${quote(use.source)} must be 1 to 63 lower-case letters, digits and "-"`,
          'webhook',
          'source',
        );
      if (use.decidesAs !== undefined && !/^\S{1,200}$/u.test(use.decidesAs))
        refuse(
          `${quote(use.decidesAs)} is not the name of a service account: 1 to 200 characters, no spaces`,
          'webhook',
          'decidesAs',
        );
      if (use.scheme === undefined || proofOf(use.scheme, undefined).kind === 'STANDARD') {
        if (value !== null && signingKey(value) === undefined)
          refuse('the value must be whsec_ and 24 to 64 bytes in base64, as Standard Webhooks says', 'secretValue');
      } else if (value !== null && !/^[\x21-\x7e]+$/.test(value))
        refuse('the value must be printable ASCII without spaces: hosts put it into headers as it is', 'secretValue');
      checkNews(use, refuse);
  }
  return wrong;
}

function checkForge(
  { forge, url, apiUrl, app }: ForgeUse,
  value: string | null,
  refuse: (message: string, ...path: string[]) => void,
): void {
  const address = (given: string, example: string, field: string): void => {
    if (!isGitUrl(given))
      refuse(`${quote(given)} is not an address such as ${example}, without a login in it`, 'forge', field);
  };
  if (!FORGE_KINDS.includes(forge))
    refuse(`the forge ${quote(forge)} is none of ${FORGE_KINDS.join(', ')}`, 'forge', 'type');
  address(url, 'https://github.com/acme/', 'url');
  if (apiUrl !== undefined) address(apiUrl, 'https://git.example.com/api/v3', 'apiUrl');
  if (app === undefined) {
    if (value !== null && !/^[\x21-\x7e]+$/.test(value))
      refuse('a token is one line without spaces; a private key goes with the id of its GitHub App', 'secretValue');
    return;
  }
  if (forge !== 'github') refuse('only GitHub has Apps; leave the App out and give a token', 'forge', 'appId');
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(app.id))
    refuse(`${quote(app.id)} is not the id or the client id of a GitHub App`, 'forge', 'appId');
  if (app.installation !== undefined && !/^\d{1,18}$/.test(app.installation))
    refuse(`${quote(app.installation)} is not the number of an installation`, 'forge', 'installationId');
  if (value !== null && !/^-----BEGIN (RSA )?PRIVATE KEY-----[\s\S]+-----END (RSA )?PRIVATE KEY-----\s*$/.test(value))
    refuse('the value must be the private key of the GitHub App, the .pem file as GitHub made it', 'secretValue');
}

const SSH_KEY =
  /^-----BEGIN ((OPENSSH|RSA|EC) )?PRIVATE KEY-----\n[\s\S]+\n-----END ((OPENSSH|RSA|EC) )?PRIVATE KEY-----$/;

/** Of the two sorts of keys that sign commits. */
export const isGpgKey = (value: string): boolean =>
  value.trimStart().startsWith('-----BEGIN PGP PRIVATE KEY BLOCK-----');

/** What belongs to a scheme alone, and is for news. */
function checkNews(
  { scheme, repositories = [], header, decidesAs }: WebhookUse,
  refuse: (message: string, ...path: string[]) => void,
): void {
  if (scheme !== undefined && decidesAs !== undefined)
    refuse(
      'a secret with a scheme tells news, and decides nothing: set another one for decisions',
      'webhook',
      'decidesAs',
    );
  if (scheme === undefined && (repositories.length > 0 || header !== undefined))
    refuse('repositories and header go with a scheme: name it', 'webhook', 'scheme');
  if (repositories.length > 100) refuse('at most 100 repositories fit', 'webhook', 'repositories');
  for (const each of repositories)
    if (each.length > 500 || prefixIdentity(each) === undefined)
      refuse(
        `${quote(each.slice(0, 200))} is not how an address begins, such as https://git.example.com/team/`,
        'webhook',
        'repositories',
      );
  if (header === undefined) return;
  if (scheme !== undefined && !NAMED_HEADER.has(scheme))
    refuse(`the scheme ${scheme} has its own headers; leave the header out`, 'webhook', 'header');
  if (!/^[A-Za-z0-9][-A-Za-z0-9]{0,99}$/.test(header))
    refuse(`${quote(header)} is not the name of a header such as X-Sluice-Token`, 'webhook', 'header');
}

function isGitUrl(url: string): boolean {
  try {
    const { protocol, username, password, search, hash } = new URL(url);
    return ['http:', 'https:'].includes(protocol) && username + password + search + hash === '';
  } catch {
    return false;
  }
}

/** The key in a secret of Standard Webhooks, in base64. */
export function signingKey(value: string): string | undefined {
  const text = value.startsWith('whsec_') ? value.slice(6) : value;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const bytes = Math.floor((text.replace(/=+$/, '').length * 3) / 4);
  return bytes >= 24 && bytes <= 64 ? text : undefined;
}

/** Why a secret of another use cannot be referred to. */
export const otherUse = (name: string, kind: Exclude<SecretUse['kind'], 'REFERENCE'>): string =>
  `secret "${name}" is for ${{ GIT: 'git', WEBHOOK: 'a webhook', FORGE: 'pull requests', SIGNING: 'signing commits' }[kind]} and nothing else`;

/** Whether the host of a request is one of those that a secret may be sent to; without any it may be sent nowhere. */
export function mayBeSentTo(hosts: readonly string[], host: string): boolean {
  const asked = host.toLowerCase().replace(/\.$/, '');
  return hosts.some((each) => (each.startsWith('*.') ? asked.endsWith(each.slice(1)) : asked === each));
}

export type ReferenceUse = Extract<SecretUse, { kind: 'REFERENCE' }>;

/** Why a secret may not be sent there in the name of the product; undefined when it may. `host`, `product`: not known yet when left out. */
export function whyNotSent(
  name: string,
  { hosts, products, assumed }: Pick<ReferenceUse, 'hosts' | 'products' | 'assumed'>,
  { host, product }: { host?: string; product?: string },
): string | undefined {
  const set = (option: string): string => doneBy('secretSet', `secret set ${name} ${option}`);
  if (hosts.length === 0)
    return `secret "${name}" has no hosts, so it is sent nowhere: set it once more, with its value and its hosts, by ${set('--host HOST')}`;
  // The refusal names neither hosts nor products: the caller may not be meant to know of them.
  if (host !== undefined && !mayBeSentTo(hosts, host)) {
    const whence = assumed ? ', where it was not sent before hosts were required' : '';
    return `secret "${name}" may not be sent to ${quote(host)}${whence}: ${set('--host HOST')} adds a host`;
  }
  if (product !== undefined && products?.length && !products.some((each) => matchesGlob(each, product)))
    return `secret "${name}" is not for product ${quote(product)}: ${set('--product PRODUCT')} adds one`;
  return undefined;
}

/** `${NAME}`; `$${NAME}` stays as `${NAME}`. */
export const REFERENCE = /\$(\$?)\{([^{}]*)\}/g;
export const SECRETS = 'secrets.';

/** The names in `${secrets.NAME}`, wherever they stand in a value, keys included; sorted. */
export function secretsIn(value: unknown): string[] {
  const names = new Set<string>();
  const collect = (each: unknown): void => {
    if (typeof each === 'string') {
      for (const [, escaped, name = ''] of each.matchAll(REFERENCE))
        if (!escaped && name.startsWith(SECRETS)) names.add(name.slice(SECRETS.length));
    } else if (typeof each === 'object' && each !== null) {
      for (const [key, inner] of Object.entries(each)) {
        collect(key);
        collect(inner);
      }
    }
  };
  collect(value);
  return [...names].sort();
}
