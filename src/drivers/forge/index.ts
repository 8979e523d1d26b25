import { forgeFor } from '../../core/forges.ts';
import type { ForgeKind, ForgeOfRepository } from '../../core/forges.ts';
import { PermanentError } from '../driver.ts';
import type { SecretSource } from '../driver.ts';
import type { HttpClient } from '../http.ts';
import type { Forge } from './forge.ts';

/** What the clients share. */
export interface ForgeSettings {
  http: HttpClient;
  secrets: Pick<SecretSource, 'forgeSecrets'>;
}

/** A secret at work: where it is sent, and its value. */
export interface OpenForge extends ForgeOfRepository {
  value: string;
}

const CLIENTS: Partial<Record<ForgeKind, (open: OpenForge, settings: ForgeSettings) => Forge>> = {};

/** The forges of this process. */
export class Forges {
  readonly #settings: ForgeSettings;

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
    const { open } = secrets.find(({ name }) => name === found.secret)!;
    const client = CLIENTS[found.use.forge];
    if (!client) throw new PermanentError(`Sluice does not speak to ${found.apiUrl} yet`);
    return client({ ...found, value: open() }, this.#settings);
  }
}
