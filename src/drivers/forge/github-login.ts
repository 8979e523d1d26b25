import { createAppAuth } from '@octokit/auth-app';
import { openedSecrets } from '../../opened-secrets.ts';
import { PermanentError } from '../driver.ts';
import { together } from './connection.ts';
import type { Call } from './forge.ts';

/** What one call needs: a token of an App is made for no more. Reading the repository's own data is always in it. */
export type Permissions = Record<string, 'read' | 'write'>;

/** Who calls: the header, and whose budget it draws from. */
export interface Login {
  authorization: string;
  credential: string;
}

/** Asks GitHub as the App itself; answers data, or null for 404. */
type AskAsApp = (route: string, parameters: Record<string, unknown>, login: Login, call: Call) => Promise<unknown>;

/** A new token is asked for when the old one has less than this left, in milliseconds. */
const EARLY = 5 * 60_000;
/** Tokens are shared by calls; none of them ends the exchange for the others. */
const SHARED: Call = { signal: new AbortController().signal };

/** A token, or the key of an App that gets tokens for one repository and a few permissions at a time. */
export class GitHubLogin {
  readonly #settings: GitHubLoginSettings;
  readonly #asApp: (() => Promise<string>) | undefined;
  #installation: Promise<string> | undefined;
  readonly #tokens = new Map<string, Promise<{ token: string; until: number }>>();

  constructor(settings: GitHubLoginSettings) {
    this.#settings = settings;
    const { app, value } = settings;
    if (!app) return;
    // The library's own cache of tokens is one for all hosts and Apps of the process: here it signs only.
    const auth = createAppAuth({ appId: app.id, privateKey: value });
    this.#asApp = async () => (await auth({ type: 'app' })).token;
  }

  /** @throws PermanentError when the App is not installed in the repository, or lacks a permission. */
  async login(permissions: Permissions, { signal }: Call): Promise<Login> {
    const { secret, value } = this.#settings;
    if (!this.#asApp) return { authorization: `Bearer ${value}`, credential: secret };
    const installation = await together(this.#installed(), signal);
    const { token } = await together(this.#token(installation, permissions), signal);
    return { authorization: `Bearer ${token}`, credential: `${secret}/${installation}` };
  }

  /** The App itself, for its own routes. */
  async appLogin(): Promise<Login> {
    const { app, secret } = this.#settings;
    try {
      const authorization = `Bearer ${await this.#asApp!()}`;
      openedSecrets.remember(authorization.slice('Bearer '.length));
      return { authorization, credential: `${secret}/app` };
    } catch {
      // What the library says may quote the key.
      throw new PermanentError(`the private key of App ${app!.id} in secret "${secret}" cannot sign: set it again`);
    }
  }

  get isApp(): boolean {
    return this.#asApp !== undefined;
  }

  /** GitHub did not take the token: the next call gets a new one. */
  forget(): void {
    this.#tokens.clear();
  }

  #installed(): Promise<string> {
    const { app, owner, repo, ask, secret } = this.#settings;
    if (app!.installation !== undefined) return Promise.resolve(app!.installation);
    this.#installation ??= (async () => {
      const route = 'GET /repos/{owner}/{repo}/installation';
      const found = (await ask(route, { owner, repo }, await this.appLogin(), SHARED)) as { id?: number } | null;
      if (found?.id === undefined)
        throw new PermanentError(
          `App ${app!.id} of secret "${secret}" is not installed in ${owner}/${repo}: install it there, or give the repository to it`,
        );
      return String(found.id);
    })().catch((error: unknown) => {
      this.#installation = undefined;
      throw error;
    });
    return this.#installation;
  }

  #token(installation: string, permissions: Permissions): Promise<{ token: string; until: number }> {
    const key = JSON.stringify(permissions);
    const kept = this.#tokens.get(key) ?? this.#exchange(key, installation, permissions);
    return kept.then((each) =>
      each.until - EARLY > this.#settings.now()
        ? each
        : (this.#tokens.delete(key), this.#exchange(key, installation, permissions)),
    );
  }

  #exchange(key: string, installation: string, permissions: Permissions): Promise<{ token: string; until: number }> {
    const { ask, app, owner, repo, secret } = this.#settings;
    const made = (async () => {
      const route = 'POST /app/installations/{installation_id}/access_tokens';
      const wanted = { installation_id: Number(installation), repositories: [repo], permissions };
      const data = (await ask(route, wanted, await this.appLogin(), SHARED)) as {
        token: string;
        expires_at: string;
      } | null;
      if (data === null)
        throw new PermanentError(
          `App ${app!.id} of secret "${secret}" has no installation ${installation} with ${owner}/${repo}: install it there`,
        );
      openedSecrets.remember(data.token);
      return { token: data.token, until: Date.parse(data.expires_at) };
    })();
    this.#tokens.set(key, made);
    return made.catch((error: unknown) => {
      if (this.#tokens.get(key) === made) this.#tokens.delete(key);
      throw error;
    });
  }
}

/** Whose login it is, and where. */
export interface GitHubLoginSettings {
  secret: string;
  value: string;
  app?: { id: string; installation?: string } | undefined;
  owner: string;
  repo: string;
  ask: AskAsApp;
  /** Milliseconds since the epoch. */
  now: () => number;
}
