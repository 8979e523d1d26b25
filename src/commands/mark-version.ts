import type { Parts } from '../parts.ts';
import { sees } from '../core/access/index.ts';
import type { Visibility } from '../core/access/index.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import {
  findVersions,
  activeBadVersions,
  markVersionBad as keepMark,
  readBadVersions,
  unmarkVersions,
} from '../store/bad-versions.ts';
import type { KeptBadVersion, NewBadVersion } from '../store/bad-versions.ts';
import { clientOf } from '../entities/data-source.ts';
import { pages } from '../store/pages.ts';
import { checkEnd, checkReason } from './hold-environment.ts';
import { auditChange } from './audit.ts';
import { once } from './idempotency.ts';
import { wakeWaiting } from './reconsider.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';

interface VersionInput {
  product: string;
  /** Label or digest. */
  version: string;
  /** At most one of the two; the whole product when both are left out. */
  environment?: string;
  group?: string;
}

/** A version to be marked bad, with the reason that everybody is shown. */
export interface MarkInput extends VersionInput {
  reason: string;
  expiresAt?: Date;
  idempotencyKey?: string;
}

/** Once it has answered, no promotion of the version starts in the scope until the mark is over. What runs goes on. */
export function markVersionBad(app: Parts, input: MarkInput, actor: string | null): Promise<Result<KeptBadVersion>> {
  return refusable(async () => {
    const { product } = input;
    const keyed = { by: actor, operation: 'versionMarkBad', key: input.idempotencyKey, input };
    const id = await once(app, keyed, {
      before: () => markOf(app, input, actor),
      async inside(tx, mark) {
        const made = await keepMark(await clientOf(tx), mark);
        const objects = [
          { kind: 'BadVersion', name: made },
          { kind: 'Product', name: product },
        ];
        await auditChange(tx, { before: null, after: mark, objects });
        return made;
      },
    });
    wakeWaiting(app, { product });
    return (await readBadVersions(app.pool, [id])).get(id) as KeptBadVersion;
  });
}

/** The mark that is asked for. @throws RefusedError */
async function markOf(app: Parts, input: MarkInput, by: string | null): Promise<NewBadVersion> {
  const now = app.clock.now().getTime();
  const { product, environment, group, reason, expiresAt } = input;
  const definitions = await app.definitions.current();
  const wrong = [...checkReason(reason), ...checkEnd(expiresAt, now, 'expiresAt')];
  if (environment !== undefined && group !== undefined) {
    wrong.push(refusal('INVALID', 'name an environment or a group, not both', ['group']));
  }
  if (environment !== undefined && !definitions.known.environments.has(environment)) {
    wrong.push(refusal('NOT_FOUND', `there is no environment "${environment}"`, ['environment']));
  }
  const members = group === undefined ? [] : definitions.known.groups.get(group);
  if (members === undefined) wrong.push(refusal('NOT_FOUND', `there is no environment group "${group}"`, ['group']));
  if (wrong.length > 0) throw new RefusedError(wrong);
  return {
    product,
    ...(await only(app, input)),
    scope: scopeOf(input),
    group: group ?? null,
    environments: environment === undefined ? [...(members ?? [])] : [environment],
    reason,
    by,
    since: now,
    expiresAt: expiresAt?.getTime() ?? null,
    rollback: null,
  };
}

/** Marks of a version to be taken back, with the reason that is kept. */
export interface UnmarkInput extends VersionInput {
  reason: string;
}

/**
 * Takes the marks back that count now, all of them or those of one environment or group; what waited goes on at once.
 * @param visible a refusal names marks elsewhere that are seen, and no others
 */
export function unmarkVersionBad(
  app: Parts,
  input: UnmarkInput,
  actor: string | null,
  visible: Visibility | null = null,
): Promise<Result<KeptBadVersion[]>> {
  return refusable(async () => {
    const now = app.clock.now().getTime();
    const wrong = checkReason(input.reason);
    if (wrong.length > 0) throw new RefusedError(wrong);
    const { digest, label } = await only(app, input);
    const marked = { product: input.product, digest, at: now };
    const unmarked = await app.dataSource.transaction(async (tx) => {
      const client = await clientOf(tx);
      const limit = app.limits.lifted;
      const active: KeptBadVersion[] = [];
      for await (const page of pages<KeptBadVersion>(limit, (before) =>
        activeBadVersions(client, { limit, before, ...marked }),
      ))
        active.push(...page);
      const meant = active.filter((each) => isMeant(each, input));
      const wanted = meant.map(({ id }) => id);
      const ids = await unmarkVersions(client, wanted, { at: now, by: actor, reason: input.reason });
      // `ids` is empty also when another caller has just taken these marks back.
      if (ids.length === 0) {
        const elsewhere = active.filter(({ environments }) =>
          environments.every((each) => sees(visible, input.product, each)),
        );
        throw new RefusedError([notMarked(input, label, meant.length > 0 ? [] : elsewhere)]);
      }
      const kept = await readBadVersions(client, ids);
      const after = ids.map((id) => kept.get(id) as KeptBadVersion);
      const objects = [...ids.map((name) => ({ kind: 'BadVersion', name })), { kind: 'Product', name: input.product }];
      await auditChange(tx, { before: meant.filter(({ id }) => kept.has(id)), after, objects });
      return after;
    });
    wakeWaiting(app, { product: input.product });
    return unmarked;
  });
}

const isEverywhere = ({ environment, group }: VersionInput): boolean =>
  environment === undefined && group === undefined;

function isMeant({ scope, environments, group }: KeptBadVersion, input: UnmarkInput): boolean {
  if (isEverywhere(input)) return true;
  if (scope !== scopeOf(input)) return false;
  return input.group === undefined ? environments.includes(input.environment ?? '') : group === input.group;
}

function notMarked(input: UnmarkInput, label: string, active: KeptBadVersion[]): Refusal {
  const there = active.length > 0 ? `: it is marked for ${active.map(placeOf).join(', ')}` : '';
  const where = isEverywhere(input) ? 'now' : 'there';
  const message = `version "${label}" of product "${input.product}" is not marked bad ${where}${there}`;
  return refusal('NOT_FOUND', message, ['version']);
}

/**
 * The refusal to release a version that is marked bad; the caller can acknowledge the mark instead.
 * @param visible places that are not seen are not named, and neither is why it is bad there
 */
export function markedBad(marks: KeptBadVersion[], label: string, visible: Visibility | null): Refusal {
  const seen = marks.flatMap((each) => {
    const environments = each.environments.filter((name) => sees(visible, each.product, name));
    return environments.length > 0 || each.environments.length === 0 ? [{ ...each, environments }] : [];
  });
  const told = seen.map((each) => `for ${placeOf(each)}: ${each.reason}`);
  const where = told.length > 0 ? told.join('; ') : 'for an environment that is not seen with these rights';
  return refusal(
    'VERSION_MARKED_BAD',
    `version "${label}" is marked bad ${where}. Take the mark back first, or acknowledge it: the release then waits where the mark counts`,
    ['acknowledgeBadVersion'],
  );
}

function placeOf({ scope, environments, group, product }: KeptBadVersion): string {
  if (scope === 'PRODUCT') return `all of "${product}"`;
  return scope === 'GROUP' ? `group "${group}"` : `environment "${environments.join(', ')}"`;
}

function scopeOf({ environment, group }: VersionInput): 'ENVIRONMENT' | 'GROUP' | 'PRODUCT' {
  return environment !== undefined ? 'ENVIRONMENT' : group !== undefined ? 'GROUP' : 'PRODUCT';
}

/** The version that is meant; a label that several share is refused, never picked from. */
async function only(app: Parts, { product, version }: VersionInput): Promise<{ digest: string; label: string }> {
  const found = await findVersions(app.pool, product, version);
  const [first] = found;
  if (first && found.length === 1) return first;
  const message =
    found.length === 0
      ? `product "${product}" has no release of version "${version}"`
      : `several versions of product "${product}" are called "${version}": name one of the digests ${found.map(({ digest }) => digest).join(', ')}`;
  throw new RefusedError([refusal(found.length === 0 ? 'NOT_FOUND' : 'INVALID', message, ['version'])]);
}
