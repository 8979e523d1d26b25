import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { createGrant, deleteGrant } from '../commands/access/change-grants.ts';
import { createToken } from '../commands/access/create-token.ts';
import { revokeToken } from '../commands/access/revoke-token.ts';
import { EVERYTHING, holderOf, mayDo, SOMEWHERE } from '../core/access/index.ts';
import type { Grant, SubjectKind } from '../core/access/index.ts';
import type { EnvironmentSelector, Selector } from '../core/definitions.ts';
import { refusal } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import {
  ApiToken,
  ApiTokenConnection,
  ApiTokenCreateInput,
  ApiTokenCreatePayload,
  ApiTokenPayload,
  ApiTokenRevokeInput,
  RoleGrant,
  RoleGrantConnection,
  RoleGrantCreateInput,
  RoleGrantDeleteInput,
  RoleGrantPayload,
  Scope,
} from '../schema/access.ts';
import type { ScopeInput } from '../schema/access.ts';
import { askedOf, foreignKey, PageArgs, toConnection } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { UUID } from '../schema/node.ts';
import { environmentSelector, selector } from '../core/kinds/common.ts';
import { toSpec } from '../schema/spec-input.ts';
import { toShape } from '../schema/spec-shape.ts';
import { getToken, listGrants, listTokens } from '../store/access.ts';
import type { ApiToken as StoredToken, Holder, RoleGrant as StoredGrant } from '../store/access.ts';
import { Guarded, may, SIGNED_IN } from './access/rules.ts';
import { checkStorable, isStorable, refused, unstorable } from './answers.ts';

@Resolver()
export class ApiTokenResolver {
  @Guarded(SIGNED_IN)
  @Query(() => ApiTokenConnection, {
    description: "API tokens: all of them for an ADMIN without limits, the caller's own for others.",
  })
  async apiTokens(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('subject', () => String, { nullable: true, description: 'Only those that speak for this one.' })
    subject?: string | null,
  ): Promise<Connection<ApiToken>> {
    const { limit, key, backwards } = askedOf(page);
    checkStorable({ subject });
    const rows = await listTokens(context.app.dataSource.manager, {
      limit,
      key,
      backwards,
      subject: subject ?? undefined,
      only: ownOnly(context),
    });
    return toConnection(rows, page, ({ id }) => id, toApiToken);
  }

  /** For oneself with what one may do oneself; the command looks at each scope. */
  @Guarded(
    may('MANAGE_ACCESS', ({ input }: { input: ApiTokenCreateInput }, { context }) =>
      isOwn(context, input) ? 'OWN' : [SOMEWHERE],
    ),
  )
  @Mutation(() => ApiTokenCreatePayload, { description: 'Makes an API token; it is shown once.' })
  async apiTokenCreate(
    @Ctx() { app, identity }: ApiContext,
    @Arg('input', () => ApiTokenCreateInput, { description: 'The new one.' }) input: ApiTokenCreateInput,
  ): Promise<ApiTokenCreatePayload> {
    const wrong = unstorable(input);
    const scope = input.scope ? input.scope.map((each, index) => toGrant(each, ['scope', index], wrong)) : null;
    const kind = input.subjectKind ?? 'SERVICE_ACCOUNT';
    if (kind === 'GROUP')
      wrong.push(
        refusal('INVALID', 'a token speaks for one person or service account, not for a group', ['subjectKind']),
      );
    const { name, subject, expiresAt = null } = input;
    const made =
      wrong.length > 0 || kind === 'GROUP'
        ? { refusals: wrong }
        : await createToken(app, { name, subjectKind: kind, subject, scope, expiresAt }, identity);
    if (made.refusals) return { secret: null, apiToken: null, userErrors: refused(made.refusals) };
    return { secret: made.value.token, apiToken: toApiToken(made.value.stored), userErrors: [] };
  }

  /** Of oneself always; of others the command looks whether all that the token may do is one's own to manage. */
  @Guarded(
    may('MANAGE_ACCESS', async ({ input }: { input: ApiTokenRevokeInput }, { context }) => {
      const token = isStorable(input.id) ? await getToken(context.app.dataSource.manager, input.id) : null;
      return token && isOwn(context, token) ? 'OWN' : [SOMEWHERE];
    }),
  )
  @Mutation(() => ApiTokenPayload, {
    description: 'Revokes a token: it is good for nothing from now on, and subscriptions that it opened end.',
  })
  async apiTokenRevoke(
    @Ctx() { app, identity }: ApiContext,
    @Arg('input', () => ApiTokenRevokeInput, { description: 'Which one.' }) input: ApiTokenRevokeInput,
  ): Promise<ApiTokenPayload> {
    const wrong = unstorable(input);
    const done = wrong.length > 0 ? { refusals: wrong } : await revokeToken(app, input, identity);
    if (done.refusals) return { apiToken: null, userErrors: refused(done.refusals) };
    return { apiToken: toApiToken(done.value), userErrors: [] };
  }
}

@Resolver()
export class RoleGrantResolver {
  @Guarded(SIGNED_IN)
  @Query(() => RoleGrantConnection, {
    description: "Granted roles: all of them for an ADMIN without limits, the caller's own for others.",
  })
  async roleGrants(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('subject', () => String, { nullable: true, description: 'Only those of this one.' }) subject?: string | null,
  ): Promise<Connection<RoleGrant>> {
    const { limit, key, backwards } = askedOf(page);
    checkStorable({ subject });
    if (key !== undefined && !UUID.test(key)) throw foreignKey({ backwards });
    const rows = await listGrants(context.app.dataSource.manager, {
      limit,
      key,
      backwards,
      subject: subject ?? undefined,
      only: ownOnly(context),
    });
    return toConnection(rows, page, ({ id }) => id, toRoleGrant);
  }

  @Guarded(may('MANAGE_ACCESS', () => [SOMEWHERE]))
  @Mutation(() => RoleGrantPayload, { description: 'Grants a role: at most what one may manage oneself.' })
  async roleGrantCreate(
    @Ctx() { app, identity }: ApiContext,
    @Arg('input', () => RoleGrantCreateInput, { description: 'The new one.' }) input: RoleGrantCreateInput,
  ): Promise<RoleGrantPayload> {
    const wrong = unstorable(input);
    const { subjectKind, subject } = input;
    const grant = { ...toGrant(input, [], wrong), subjectKind, subject };
    const made = wrong.length > 0 ? { refusals: wrong } : await createGrant(app, grant, identity);
    if (made.refusals) return { roleGrant: null, userErrors: refused(made.refusals) };
    return { roleGrant: toRoleGrant(made.value), userErrors: [] };
  }

  @Guarded(may('MANAGE_ACCESS', () => [SOMEWHERE]))
  @Mutation(() => RoleGrantPayload, { description: 'Takes a granted role away.' })
  async roleGrantDelete(
    @Ctx() { app, identity }: ApiContext,
    @Arg('input', () => RoleGrantDeleteInput, { description: 'Which one.' }) input: RoleGrantDeleteInput,
  ): Promise<RoleGrantPayload> {
    const wrong = unstorable(input);
    if (wrong.length === 0 && !UUID.test(input.id))
      wrong.push(refusal('NOT_FOUND', `there is no grant "${input.id}" that you may take away`, ['id']));
    const done = wrong.length > 0 ? { refusals: wrong } : await deleteGrant(app, input, identity);
    if (done.refusals) return { roleGrant: null, userErrors: refused(done.refusals) };
    return { roleGrant: toRoleGrant(done.value), userErrors: [] };
  }
}

function isOwn({ caller }: ApiContext, token: { subjectKind?: SubjectKind; subject: string }): boolean {
  return token.subjectKind === 'USER' && caller?.kind === 'PERSON' && token.subject === caller.name;
}

/** Whose entries a list is limited to; undefined: everybody's. */
function ownOnly({ identity }: ApiContext): Holder | undefined {
  if (!identity || mayDo(identity.grants, 'MANAGE_ACCESS', EVERYTHING)) return undefined;
  const { caller } = identity;
  const limited = (caller.makers ?? []).flatMap(({ name, unlimited }) => (unlimited || name === null ? [] : [name]));
  return { ...holderOf(caller), ...(caller.kind === 'SERVICE_ACCOUNT' && limited.length > 0 && { givenBy: limited }) };
}

function toGrant({ role, products, environments }: ScopeInput, path: (string | number)[], wrong: Refusal[]): Grant {
  return {
    role,
    products: toSpec(selector, products ?? {}, [...path, 'products'], wrong) as Selector,
    environments: toSpec(
      environmentSelector,
      environments ?? {},
      [...path, 'environments'],
      wrong,
    ) as EnvironmentSelector,
  };
}

export function toScope({ role, products, environments }: Grant): Scope {
  return Object.assign(new Scope(), {
    role,
    products: toShape(selector, products),
    environments: toShape(environmentSelector, environments),
  });
}

function toApiToken({ hash: _, scope, ...token }: StoredToken): ApiToken {
  return Object.assign(new ApiToken(), token, { scope: scope && scope.map(toScope) });
}

function toRoleGrant(grant: StoredGrant): RoleGrant {
  return Object.assign(new RoleGrant(), grant, toScope(grant));
}
