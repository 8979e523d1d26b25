import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Budgets } from '../../core/forge-budget.ts';
import { forgeFor, TITLES } from '../../core/forges.ts';
import type { ForgeKind } from '../../core/forges.ts';
import { PermanentError } from '../driver.ts';
import type { SecretSource } from '../secret-source.ts';
import type { HttpClient } from '../http.ts';
import { Connection } from './connection.ts';
import type { Forge } from './forge.ts';
import { giteaForge } from './gitea.ts';
import { githubForge } from './github.ts';
import { gitlabForge } from './gitlab.ts';
import type { OpenForge } from './open.ts';

/** What the clients share. */
export interface ForgeSettings {
  http: HttpClient;
  secrets: Pick<SecretSource, 'forgeSecrets'>;
  budgets: Budgets;
  /** Milliseconds for one request. */
  deadline?: number;
}

const CLIENTS: Record<ForgeKind, (open: OpenForge) => Forge> = {
  github: githubForge,
  gitlab: gitlabForge,
  gitea: giteaForge,
};

/** The forges of this process. Clients are kept, one for each repository and value: an App's tokens last longer than a call. */
export class Forges {
  readonly #settings: ForgeSettings;
  readonly #clients = new LRUCache<string, Forge>({ max: 500 });

  constructor(settings: ForgeSettings) {
    this.#settings = settings;
  }

  /** As `Drivers.forge` says. */
  async forge(repoURL: string): Promise<Forge | undefined> {
    const secrets = await this.#settings.secrets.forgeSecrets();
    const found = forgeFor(repoURL, secrets);
    if ('why' in found) {
      if (found.known === null) return undefined;
      throw new PermanentError(found.why);
    }
    const value = secrets.find(({ name }) => name === found.secret)!.open();
    const key = createHash('sha256')
      .update(JSON.stringify([found, value]))
      .digest('base64');
    let client = this.#clients.get(key);
    if (!client) {
      const { http, budgets, deadline } = this.#settings;
      const { apiUrl } = found;
      const connection = new Connection({ http, budgets, apiUrl, title: TITLES[found.use.forge], deadline });
      client = CLIENTS[found.use.forge]({ ...found, value, connection, now: () => http.clock.now().getTime() });
      this.#clients.set(key, client);
    }
    return client;
  }
}
