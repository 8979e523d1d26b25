import { isDeepStrictEqual } from 'node:util';
import type { Parts } from '../parts.ts';
import type { Identity } from '../core/access/index.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import { checkSecret } from '../core/secrets.ts';
import type { SecretInput, SecretShown, SecretUse } from '../core/secrets.ts';
import { retryRefused } from '../store/commit-statuses.ts';
import { retryStopped } from '../store/news.ts';
import { PermanentError } from '../drivers/driver.ts';
import { lockSecret, saveSecret } from '../store/secrets.ts';
import { Sealing, SealingError } from '../store/sealing.ts';
import { lastsLonger } from './access/check.ts';
import { auditChange } from './audit.ts';
import { clientOf } from '../entities/data-source.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';

/** Creates a secret, gives it a new value, or changes what it is for. Its value is never answered by anything. */
export function setSecret(
  app: Parts,
  input: SecretInput,
  actor: string | null,
  by: Pick<Identity, 'lasts'> | null = null,
): Promise<Result<SecretShown>> {
  return refusable(async () => {
    const wrong = checkSecret(input);
    const publicPart = wrong.length === 0 ? await tried(app, input) : undefined;
    return app.dataSource.transaction(async (tx) => {
      // A webhook secret lets its holder give orders.
      const later = input.use.kind === 'WEBHOOK' ? lastsLonger(by, null, 'a webhook secret', ['webhook']) : null;
      if (later) wrong.push(later);
      if (wrong.length > 0) throw new RefusedError(wrong);
      const { name, value, description } = input;
      const client = await clientOf(tx);
      const before = await lockSecret(client, name);
      if (value === null && !before)
        throw new RefusedError([refusal('INVALID', `secret "${name}" is new and needs a value`, ['secretValue'])]);
      // A value that was given for one purpose is not handed out for another one.
      if (value === null && before && !isDeepStrictEqual(asNamed(before.use), asNamed(input.use)))
        throw new RefusedError([
          refusal('INVALID', `secret "${name}" gets another use, which takes its value once more`, ['secretValue']),
        ]);
      const use = value === null && before?.use.kind === 'SIGNING' ? before.use : withPublicPart(input.use, publicPart);
      const sealed = value === null ? undefined : seal(app.config.encryptionKeys, name, value);
      // Repositories that nobody could open are looked at again: this may be the login.
      if (use.kind === 'GIT') await retryStopped(client);
      if (use.kind === 'FORGE') await retryRefused(client);
      const after = await saveSecret(client, { name, description, use, sealed, at: app.clock.now(), by: actor });
      await auditChange(tx, { before: before ?? null, after, objects: [{ kind: 'Secret', name }] });
      return after;
    });
  });
}

/** Of a key that is to sign commits: what its host has to know. @throws RefusedError when nothing can be signed with it */
async function tried({ drivers }: Parts, { name, value, use }: SecretInput): Promise<string | undefined> {
  if (use.kind !== 'SIGNING' || value === null) return undefined;
  try {
    return await drivers.publicPartOf({ name, value });
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    throw new RefusedError([refusal('INVALID', error.message, ['secretValue'])]);
  }
}

const withPublicPart = (use: SecretUse, publicPart: string | undefined): SecretUse =>
  use.kind === 'SIGNING' && publicPart !== undefined ? { ...use, publicPart } : use;

/** A use without what Sluice has found out about it: a person who names the same changes nothing. */
function asNamed(use: SecretUse): SecretUse {
  if (use.kind === 'SIGNING') return { kind: 'SIGNING' };
  if (use.kind !== 'REFERENCE') return use;
  const { hosts, products } = use;
  return { kind: 'REFERENCE', hosts, ...(products?.length ? { products } : {}) };
}

function seal(keys: readonly string[], name: string, value: string): ReturnType<Sealing['seal']> {
  try {
    return new Sealing(keys).seal(name, value);
  } catch (error) {
    if (!(error instanceof SealingError)) throw error;
    const fix = 'make one with `openssl rand -base64 32` and give it to every process';
    throw new RefusedError([refusal('NO_ENCRYPTION_KEY', `secrets cannot be stored: ${error.message}; ${fix}`)]);
  }
}
