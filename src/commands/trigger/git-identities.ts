import { refusal, RefusedError } from '../../core/problems.ts';
import { clientOf } from '../../entities/data-source.ts';
import type { Parts } from '../../parts.ts';
import { deleteGitIdentity, gitIdentity, setGitIdentity } from '../../store/triggers.ts';
import type { GitIdentity } from '../../store/triggers.ts';
import { auditChange } from '../audit.ts';
import { refusable } from '../result.ts';
import type { Result } from '../result.ts';

/** Commits of this address are this user's from now on: who is the author of a change may not approve it where that is forbidden. */
export function setIdentity(
  app: Parts,
  { email, user }: { email: string; user: string },
  by: string | null,
): Promise<Result<GitIdentity>> {
  return refusable(async () => {
    const address = email.trim().toLowerCase();
    if (!/^[^\s<>@]{1,200}@[^\s<>@]{1,200}$/.test(address))
      throw new RefusedError([refusal('INVALID', `"${email.slice(0, 200)}" is no e-mail address`, ['email'])]);
    if (user.trim() === '' || user.length > 200)
      throw new RefusedError([refusal('INVALID', 'the name of the user must have 1 to 200 characters', ['user'])]);
    return app.dataSource.transaction(async (tx) => {
      const client = await clientOf(tx);
      const before = (await gitIdentity(client, address)) ?? null;
      const after = { email: address, user: user.trim(), by, at: app.clock.now() };
      await setGitIdentity(client, after);
      await auditChange(tx, {
        before: before && { user: before.user },
        after: { email: address, user },
        objects: objectsOf(address),
      });
      return after;
    });
  });
}

/** The address is nobody's again. */
export function deleteIdentity(app: Parts, email: string): Promise<Result<string>> {
  return refusable(() =>
    app.dataSource.transaction(async (tx) => {
      const address = email.trim().toLowerCase();
      if (!(await deleteGitIdentity(await clientOf(tx), address)))
        throw new RefusedError([refusal('NOT_FOUND', `no user is known for "${email.slice(0, 200)}"`, ['email'])]);
      await auditChange(tx, { before: { email: address }, after: null, objects: objectsOf(address) });
      return address;
    }),
  );
}

const objectsOf = (email: string): { kind: string; name: string }[] => [{ kind: 'GitIdentity', name: email }];
