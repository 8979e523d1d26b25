import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { markVersionBad, unmarkVersionBad } from '../commands/mark-version.ts';
import {
  BadVersion,
  BadVersionConnection,
  BadVersionFilterInput,
  BadVersionPayload,
  VersionMarkBadInput,
  VersionUnmarkBadInput,
} from '../schema/bad-version.ts';
import { sees } from '../core/access/index.ts';
import { PageArgs, toConnection } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { UUID } from '../schema/node.ts';
import { Release } from '../schema/release.ts';
import { WaitingForVersion } from '../schema/waiting.ts';
import { listBadVersions, readBadVersions } from '../store/bad-versions.ts';
import type { KeptBadVersion } from '../store/bad-versions.ts';
import { visibilityOf } from './access/visible.ts';
import { Guarded, SEES, may } from './access/rules.ts';
import type { Lookup } from './access/lookup.ts';
import type { Named } from './access/named.ts';
import { checkStorable, ifStorable, refused } from './answers.ts';
import { cutSince, pageOf, writeSince } from './newest-first.ts';
import { readRelease } from './release-parts.ts';
import { readsOf } from './reads.ts';

/** For a group, and for the whole product, it concerns environments that may still come. */
function marked(
  { input }: { input: { product: string; environment?: string | null } },
  lookup: Lookup,
): Promise<Named> {
  const { product, environment } = input;
  return lookup.place(product, environment ? [{ name: environment, path: ['environment'] }] : []);
}

@Resolver(() => BadVersion)
export class BadVersionResolver {
  @Guarded(SEES)
  @Query(() => BadVersionConnection, {
    description: 'The ledger of versions that were found bad, newest first; marks that are over, too.',
  })
  async badVersions(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => BadVersionFilterInput, { nullable: true, description: 'Which ones; all when left out.' })
    filter?: BadVersionFilterInput,
  ): Promise<Connection<BadVersion>> {
    const read = pageOf(context, page);
    checkStorable({ filter });
    const { app } = context;
    const now = app.clock.now().getTime();
    const { rows, cut } = await listBadVersions(readsOf(context), {
      ...read,
      filter: {
        product: filter?.product ?? undefined,
        digest: filter?.digest ?? undefined,
        activeAt: filter?.active === true ? now : undefined,
        visible: await visibilityOf(context),
      },
    });
    const shown = new Map((await shownMarks(context, rows)).map((each) => [each.fields.id, each]));
    return toConnection(rows, page, writeSince, ({ id }) => shown.get(id) as BadVersion, cutSince(cut));
  }

  @Guarded(may('MARK_BAD', marked))
  @Mutation(() => BadVersionPayload, {
    description:
      'Marks a version bad: once this has answered, no promotion of it starts in the scope until the mark is over. What runs goes on.',
  })
  async versionMarkBad(
    @Ctx() { app, actor }: ApiContext,
    @Arg('input', () => VersionMarkBadInput, { description: 'Which version, where and why.' })
    input: VersionMarkBadInput,
  ): Promise<BadVersionPayload> {
    const { product, version, environment, group, reason, expiresAt, idempotencyKey } = input;
    const given = {
      product,
      version,
      environment: environment ?? undefined,
      group: group ?? undefined,
      reason,
      expiresAt: expiresAt ?? undefined,
      idempotencyKey: idempotencyKey ?? undefined,
    };
    const result = await ifStorable(input, () => markVersionBad(app, given, actor));
    if (result.refusals) return { badVersions: [], userErrors: refused(result.refusals) };
    return { badVersions: [new BadVersion(result.value, app.clock.now().getTime())], userErrors: [] };
  }

  @Guarded(may('MARK_BAD', marked))
  @Mutation(() => BadVersionPayload, {
    description: 'Takes marks on a version back: what waited for them is put to its gates at once.',
  })
  async versionUnmarkBad(
    @Ctx() context: ApiContext,
    @Arg('input', () => VersionUnmarkBadInput, { description: 'Which ones, and why.' }) input: VersionUnmarkBadInput,
  ): Promise<BadVersionPayload> {
    const { product, version, environment, group, reason } = input;
    const given = { product, version, environment: environment ?? undefined, group: group ?? undefined, reason };
    const visible = await visibilityOf(context);
    const result = await ifStorable(input, () => unmarkVersionBad(context.app, given, context.actor, visible));
    if (result.refusals) return { badVersions: [], userErrors: refused(result.refusals) };
    return { badVersions: await shownMarks(context, result.value), userErrors: [] };
  }

  @FieldResolver(() => Release, { nullable: true, description: 'The rollback that marked it; null: a person did.' })
  async rollback(@Ctx() context: ApiContext, @Root() { fields }: BadVersion): Promise<Release | null> {
    return fields.rollback === null ? null : readRelease(context, fields.rollback);
  }
}

@Resolver(() => WaitingForVersion)
export class WaitingForVersionResolver {
  @FieldResolver(() => [BadVersion], { description: 'The marks that decide.' })
  badVersions(@Ctx() context: ApiContext, @Root() { badVersionIds }: WaitingForVersion): Promise<BadVersion[]> {
    return readMarks(context, badVersionIds);
  }
}

export async function readBadVersion(context: ApiContext, id: string): Promise<BadVersion | null> {
  const [found = null] = UUID.test(id) ? await readMarks(context, [id]) : [];
  return found;
}

/** Those that the caller sees. */
async function readMarks(context: ApiContext, ids: readonly string[]): Promise<BadVersion[]> {
  const found = await readBadVersions(context.app.pool, ids);
  return shownMarks(context, [...found.values()]);
}

/**
 * A mark is shown to callers who see its product and one of its environments; a mark of a whole product to all who see the product.
 * The names of other environments are left out.
 */
async function shownMarks(context: ApiContext, marks: KeptBadVersion[]): Promise<BadVersion[]> {
  const visibility = await visibilityOf(context);
  const now = context.app.clock.now().getTime();
  return marks.flatMap((mark) => {
    const environments = mark.environments.filter((each) => sees(visibility, mark.product, each));
    const seen = sees(visibility, mark.product, null) && (mark.environments.length === 0 || environments.length > 0);
    return seen ? [new BadVersion({ ...mark, environments }, now)] : [];
  });
}
