import type { App } from '../app.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import { Sealing, SealingError } from '../store/sealing.ts';
import { saveSealed, sealedOtherwise } from '../store/secrets.ts';
import { clientOf } from './hold-environment.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';

const BATCH = 100;

/**
 * Seals with the key of now what an earlier key sealed; afterwards the earlier key is needed no more. Asked again after a
 * crash it goes on where it was. `name`: that one alone. @returns how many.
 */
export function resealSecrets(
  app: Pick<App, 'dataSource' | 'config'>,
  name: string | null = null,
): Promise<Result<number>> {
  return refusable(async () => {
    const sealing = new Sealing(app.config.encryptionKeys);
    const { keyId } = sealing;
    if (keyId === undefined) throw new RefusedError([refusal('NO_ENCRYPTION_KEY', 'SLUICE_ENCRYPTION_KEY is not set')]);
    for (let done = 0; ;) {
      const count = await app.dataSource.transaction(async (tx) => {
        const client = await clientOf(tx);
        const rows = await sealedOtherwise(client, keyId, name, BATCH);
        for (const row of rows) await saveSealed(client, row.name, sealing.seal(row.name, opened(sealing, row)));
        return rows.length;
      });
      done += count;
      if (count < BATCH) return done;
    }
  });
}

function opened(sealing: Sealing, row: Parameters<Sealing['open']>[1] & { name: string }): string {
  try {
    return sealing.open(row.name, row);
  } catch (error) {
    if (error instanceof SealingError) throw new RefusedError([refusal('NO_ENCRYPTION_KEY', error.message)]);
    throw error;
  }
}
