import type { Parts } from '../parts.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import { Sealing, SealingError } from '../store/sealing.ts';
import { saveSealed, sealedOtherwise } from '../store/secrets.ts';
import { auditChange } from './audit.ts';
import { clientOf } from '../entities/data-source.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';

/**
 * Seals with the key of now what an earlier key sealed, all of it or none; afterwards the earlier key is needed no more.
 * `name`: that one alone. @returns how many.
 */
export function resealSecrets(app: Parts, name: string | null = null): Promise<Result<number>> {
  return refusable(() =>
    app.dataSource.transaction(async (tx) => {
      const sealing = new Sealing(app.config.encryptionKeys);
      const { keyId } = sealing;
      if (keyId === undefined)
        throw new RefusedError([refusal('NO_ENCRYPTION_KEY', 'SLUICE_ENCRYPTION_KEY is not set')]);
      const client = await clientOf(tx);
      const rows = await sealedOtherwise(client, keyId, name);
      for (const row of rows) await saveSealed(client, row.name, sealing.seal(row.name, opened(sealing, row)));
      if (rows.length > 0) {
        await auditChange(tx, {
          before: rows.map((row) => ({ name: row.name, keyId: row.keyId })),
          after: rows.map((row) => ({ name: row.name, keyId })),
          objects: rows.map((row) => ({ kind: 'Secret', name: row.name })),
        });
      }
      return rows.length;
    }),
  );
}

function opened(sealing: Sealing, row: Parameters<Sealing['open']>[1] & { name: string }): string {
  try {
    return sealing.open(row.name, row);
  } catch (error) {
    if (error instanceof SealingError) throw new RefusedError([refusal('NO_ENCRYPTION_KEY', error.message)]);
    throw error;
  }
}
