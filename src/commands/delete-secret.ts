import type { Parts } from '../parts.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import { deleteSecret as forget, lockSecret } from '../store/secrets.ts';
import { auditChange } from './audit.ts';
import { clientOf } from '../entities/data-source.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';

/** For good. Whatever refers to it fails from now on, and says so. */
export function deleteSecret(app: Parts, name: string): Promise<Result<string>> {
  return refusable(() =>
    app.dataSource.transaction(async (tx) => {
      const client = await clientOf(tx);
      const before = await lockSecret(client, name);
      if (!before) throw new RefusedError([refusal('NOT_FOUND', `there is no secret "${name}"`, ['name'])]);
      await forget(client, name);
      await auditChange(tx, { before, after: null, objects: [{ kind: 'Secret', name }] });
      return name;
    }),
  );
}
