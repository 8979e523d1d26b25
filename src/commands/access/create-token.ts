import type { PoolClient } from 'pg';
import type { Parts } from '../../parts.ts';
import {
  callerName,
  covers,
  EVERYTHING,
  isReservedAccount,
  isReservedName,
  makersOf,
  mayDo,
  ROLE_PERMISSIONS,
} from '../../core/access/index.ts';
import type { Grant, HeldGrant, Identity, SubjectKind } from '../../core/access/index.ts';
import { refusal, RefusedError } from '../../core/problems.ts';
import type { Refusal } from '../../core/problems.ts';
import { hasTokens, insertToken, readAccount, readGrants } from '../../store/access.ts';
import type { ApiToken } from '../../store/access.ts';
import { auditChange } from '../audit.ts';
import { clientOf } from '../../entities/data-source.ts';
import { LOCK_TOKENS } from '../../entities/locks.ts';
import { refusable } from '../result.ts';
import type { Result } from '../result.ts';
import { checkScope, lastsLonger } from './check.ts';
import { makeToken } from './token.ts';

/** A token to be made: for whom, with what, until when. */
export interface TokenInput {
  /** What it is for. */
  name: string;
  subjectKind: Exclude<SubjectKind, 'GROUP'>;
  subject: string;
  /** Null: whatever is granted to the subject, as it is at the time. */
  scope: Grant[] | null;
  /** Null: until it is revoked. */
  expiresAt: Date | null;
}

/** A new token; its text is in the answer and nowhere else. A token gets no right that its maker does not have. */
export function createToken(
  app: Parts,
  input: TokenInput,
  by: Identity | null,
): Promise<Result<{ token: string; stored: ApiToken }>> {
  return refusable(() =>
    app.dataSource.transaction(async (tx) => {
      // Two first tokens at once: the second one is none.
      await tx.query(LOCK_TOKENS);
      const now = app.clock.now();
      const groups = by && isForSelf(input, by) ? by.caller.groups : [];
      const wrong = [...checkToken(input, now), ...(by ? checkRights(input, by) : [])];
      if (wrong.length === 0) wrong.push(...(await checkOwner(await clientOf(tx), input, groups)));
      if (wrong.length === 0 && by) wrong.push(...(await checkAccount(await clientOf(tx), input, by)));
      if (!by && !opensTheDoor(input) && !(await hasTokens(tx))) wrong.push(lockedOut());
      if (wrong.length > 0) throw new RefusedError(wrong);
      const made = makeToken();
      const { name, subjectKind, subject, scope, expiresAt } = input;
      const stored: ApiToken = {
        id: made.id,
        hash: made.hash,
        name,
        subjectKind,
        subject,
        groups,
        makers: by ? makersOf(by, callerName(subjectKind, subject)) : [],
        scope,
        expiresAt,
        createdAt: now,
        createdBy: by?.caller.name ?? null,
        revokedAt: null,
        revokedBy: null,
        lastUsedAt: null,
      };
      await insertToken(tx, stored);
      const { hash: _, ...after } = stored;
      await auditChange(tx, { before: null, after, objects: [{ kind: 'Token', name: made.id }] });
      return { token: made.token, stored };
    }),
  );
}

function checkToken({ name, subjectKind, subject, scope, expiresAt }: TokenInput, now: Date): Refusal[] {
  const wrong: Refusal[] = [];
  if (!/^\S.{0,199}$/u.test(name))
    wrong.push(refusal('INVALID', 'a token needs a name of 1 to 200 characters', ['name']));
  if (!/^\S{1,200}$/u.test(subject)) {
    wrong.push(
      refusal('INVALID', `"${subject}" is not a name that a token can speak for: 1 to 200 characters, no spaces`, [
        'subject',
      ]),
    );
  }
  if (subjectKind === 'USER' && isReservedName(subject)) {
    wrong.push(refusal('INVALID', `"${subject}" is not the name of a person`, ['subject']));
  }
  if (expiresAt && expiresAt <= now) {
    wrong.push(refusal('INVALID', `expiresAt is ${expiresAt.toISOString()}: it must lie in the future`, ['expiresAt']));
  }
  if (scope?.length === 0) {
    wrong.push(
      refusal('INVALID', 'a scope without a role allows nothing: give it a role, or leave the scope out', ['scope']),
    );
  }
  scope?.forEach((each, index) => wrong.push(...checkScope(each, ['scope', index])));
  return wrong;
}

function checkRights({ subjectKind, subject, scope, expiresAt }: TokenInput, by: Identity): Refusal[] {
  const { name } = by.caller;
  const forSelf = isForSelf({ subjectKind, subject }, by);
  const own = forSelf ? by.grants : manages(by);
  const later = lastsLonger(by, expiresAt, 'a token', ['expiresAt']);
  if (later) return [later];
  // Whatever the person may is more than what the token in use may.
  if (forSelf && by.scoped === true && scope === null) {
    const message = 'the token that you use has a scope: what is made with it needs a scope as well, within that one';
    return [refusal('FORBIDDEN', message, ['scope'])];
  }
  if (!forSelf && (subjectKind === 'USER' || scope === null) && !mayDo(own, 'MANAGE_ACCESS', EVERYTHING)) {
    const message =
      'a token that speaks for another person, or that may whatever its subject may, takes a grant of ADMIN without limits';
    return [refusal('FORBIDDEN', message, scope === null ? ['scope'] : ['subject'])];
  }
  return (scope ?? []).flatMap((each, index) =>
    covers(own, each)
      ? []
      : [
          refusal(
            'FORBIDDEN',
            `${name} has not all of ${each.role} for these products and environments, and cannot hand it on`,
            ['scope', index],
          ),
        ],
  );
}

const manages = (by: Identity): HeldGrant[] =>
  by.grants.filter(({ role }) => ROLE_PERMISSIONS[role].includes('MANAGE_ACCESS'));

/**
 * Rules of approvals, limits and lists know a service account by its name, and its tokens speak in that name. When it has rights
 * that the caller could not give, or a rule or secret counts on it, only an ADMIN without limits may make a token for it.
 */
async function checkAccount(
  client: Pick<PoolClient, 'query'>,
  { subjectKind, subject }: TokenInput,
  by: Identity,
): Promise<Refusal[]> {
  const own = manages(by);
  if (subjectKind !== 'SERVICE_ACCOUNT' || mayDo(own, 'MANAGE_ACCESS', EVERYTHING)) return [];
  const name = callerName(subjectKind, subject);
  const { grants, scopes, decides, named } = await readAccount(client, subject);
  const mine = [grants, ...scopes].every((each) => each !== null && each.every((grant) => covers(own, grant)));
  if (mine && !decides && !named && !isReservedAccount(name)) return [];
  const message = `${name} is not only yours: others have given it rights, or count on its approval. A token that speaks for it takes a grant of ADMIN without limits; choose another name`;
  return [refusal('FORBIDDEN', message, ['subject'])];
}

function isForSelf(
  { subjectKind, subject }: Pick<TokenInput, 'subjectKind' | 'subject'>,
  { caller }: Identity,
): boolean {
  return subjectKind === 'USER' && caller.kind === 'PERSON' && subject === caller.name;
}

/** A token may no more than the person whom it speaks for, at any time: one that could never do what it is for is not made. */
async function checkOwner(
  client: Pick<PoolClient, 'query'>,
  { subjectKind, subject, scope }: TokenInput,
  groups: string[],
): Promise<Refusal[]> {
  if (subjectKind !== 'USER' || scope === null) return [];
  const granted = await readGrants(client, { kind: 'USER', subject, groups });
  return scope.flatMap((each, index) =>
    covers(granted, each)
      ? []
      : [
          refusal(
            'FORBIDDEN',
            `${subject} has not all of ${each.role} for these products and environments, and a token can do no more than the person it speaks for: grant it to ${subject} first`,
            ['scope', index],
          ),
        ],
  );
}

/** With the first token the server begins to ask who is calling: it must be one that can make the others. */
function opensTheDoor({ scope }: TokenInput): boolean {
  return mayDo(scope ?? [], 'MANAGE_ACCESS', EVERYTHING);
}

function lockedOut(): Refusal {
  const message =
    'from the first token on, this server asks everybody for one: the first must have the role ADMIN without limits, so that it can make the others';
  return refusal('INVALID', message, ['scope']);
}
