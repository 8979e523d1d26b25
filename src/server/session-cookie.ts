import type { IncomingMessage } from 'node:http';
import type { Response } from 'express';
import type { Attempt } from '../access/sign-in.ts';

/** Seconds that a person has for signing in at the identity provider. */
const ATTEMPT_S = 600;
/** Attempts that one browser may have open, e.g. in several tabs. */
const MOST_ATTEMPTS = 5;
/** Characters of all their cookies together: browsers send them with every request, and servers read so much of a header and no more. */
const MOST_CHARACTERS = 4_096;

/** An attempt to sign in, with where the browser goes afterwards. */
export interface Begun extends Attempt {
  returnTo: string;
}

/**
 * The cookies of the web app. Over TLS their names begin with `__Host-`: the browser takes such a cookie from this very host alone, so no
 * other host below the same domain can plant one. Over plain HTTP, which is meant for loopback, browsers take no such name.
 */
export class SessionCookies {
  readonly #publicUrl: URL | null;

  constructor(publicUrl: string | undefined) {
    this.#publicUrl = publicUrl === undefined ? null : new URL(publicUrl);
  }

  /** The value of a session's cookie; undefined: the request has none, or two, of which one is somebody else's. */
  session(request: IncomingMessage): string | undefined {
    const all = cookiesOf(request);
    // Where TLS is known to be used, a cookie that could have come over plain HTTP is not believed.
    const names = this.#publicUrl?.protocol === 'https:' ? [`${HOST}${NAME}`] : [`${HOST}${NAME}`, NAME];
    for (const name of names) {
      const values = all.filter((each) => each.name === name).map(({ value }) => value);
      if (values.length === 1) return values[0];
    }
    return undefined;
  }

  /** The browser forgets it when it is closed; how long it is good for is the server's affair. */
  setSession(request: IncomingMessage, response: Response, value: string): void {
    this.#set(request, response, NAME, value);
  }

  clearSession(request: IncomingMessage, response: Response): void {
    this.#clear(request, response, NAME);
  }

  /** One cookie for each attempt: two tabs do not get in each other's way. The oldest go where there are too many. */
  setAttempt(request: IncomingMessage, response: Response, begun: Begun): void {
    const value = Buffer.from(JSON.stringify(begun)).toString('base64url');
    const all = cookiesOf(request).map((each) => ({ ...each, name: each.name.replace(HOST, '') }));
    let [count, characters] = [1, value.length];
    // Browsers send the oldest first.
    for (const each of all.filter(({ name }) => name.startsWith(ATTEMPT)).reverse()) {
      count += 1;
      characters += each.value.length;
      if (count > MOST_ATTEMPTS || characters > MOST_CHARACTERS) this.#clear(request, response, each.name);
    }
    this.#set(request, response, ATTEMPT + placeOf(begun.state), value, ATTEMPT_S);
  }

  /** The attempt that has this state, which is over with that. */
  takeAttempt(request: IncomingMessage, response: Response, state: string): Begun | null {
    const name = ATTEMPT + placeOf(state);
    const own = this.#isSecure(request) ? HOST + name : name;
    const values = cookiesOf(request).filter((each) => each.name === own);
    this.#clear(request, response, name);
    if (values.length !== 1) return null;
    try {
      const begun = JSON.parse(Buffer.from(values[0]!.value, 'base64url').toString()) as Begun;
      const fields = [begun.state, begun.nonce, begun.verifier, begun.returnTo];
      return fields.every((each) => typeof each === 'string') && begun.state === state ? begun : null;
    } catch {
      return null;
    }
  }

  #set(request: IncomingMessage, response: Response, name: string, value: string, seconds?: number): void {
    const isSecure = this.#isSecure(request);
    const age = seconds === undefined ? '' : `; Max-Age=${seconds}`;
    const secure = isSecure ? '; Secure' : '';
    response.append(
      'Set-Cookie',
      `${isSecure ? HOST : ''}${name}=${value}; Path=/; HttpOnly; SameSite=Lax${secure}${age}`,
    );
  }

  #clear(request: IncomingMessage, response: Response, name: string): void {
    this.#set(request, response, name, '', 0);
  }

  /** Whether the browser is on TLS. Without a public URL, a proxy in front tells of it by the Origin that the browser sends. */
  #isSecure({ headers }: IncomingMessage): boolean {
    if (this.#publicUrl) return this.#publicUrl.protocol === 'https:';
    return headers.origin?.startsWith('https://') === true;
  }
}

const HOST = '__Host-';
const NAME = 'sluice';
const ATTEMPT = 'sluice-sign-in-';

const placeOf = (state: string): string => state.replace(/[^\w-]/g, '').slice(0, 12);

function cookiesOf({ headers }: IncomingMessage): { name: string; value: string }[] {
  return (headers.cookie ?? '').split(';').flatMap((each) => {
    const at = each.indexOf('=');
    return at < 0 ? [] : [{ name: each.slice(0, at).trim(), value: each.slice(at + 1).trim() }];
  });
}
