import type { GitLogin } from '../secret-source.ts';
import type { Address } from './address.ts';

/** By URL prefix, as in the settings; the longest prefix that fits wins. */
export type GitCredentials = Record<string, GitLogin>;

/** What is sent to the host. */
export interface Login {
  username: string;
  password: string;
}

/** What the URL itself carries wins; a token alone goes in as the password, as the hosts want it. */
export function loginFor(address: Address, credentials: GitCredentials): Login | undefined {
  if (address.embedded) return address.embedded;
  if (address.protocol !== 'https' && address.protocol !== 'http') return undefined;
  const prefix = Object.keys(credentials)
    .filter((each) => fits(each, address.url))
    .sort((a, b) => b.length - a.length)[0];
  const best = prefix === undefined ? undefined : credentials[prefix];
  if (!best) return undefined;
  const password = best.password ?? best.token;
  return password === undefined ? undefined : { username: best.username ?? 'x-access-token', password };
}

/** At whole path segments only: https://host/team must not open https://host/team-evil, nor https://host.evil. */
function fits(prefix: string, url: string): boolean {
  if (!URL.canParse(prefix)) return false;
  const [wanted, actual] = [new URL(prefix), new URL(url)];
  const folder = wanted.pathname.replace(/\/+$/, '');
  return wanted.origin === actual.origin && (actual.pathname === folder || actual.pathname.startsWith(`${folder}/`));
}

/** Every spelling under which a login could come back in a message. */
export function spellings(login: Login | undefined): string[] {
  if (!login) return [];
  const { username, password } = login;
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  return [basic, password, encodeURIComponent(password), encodeURI(password)].filter((each) => each.length > 2);
}
