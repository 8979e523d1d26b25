import { GraphQLError } from 'graphql';
import type { GraphQLField, GraphQLObjectType, GraphQLSchema } from 'graphql';
import { audited } from '../../commands/audit.ts';
import { mayDo, mayNot, SOMEWHERE } from '../../core/access/index.ts';
import type { Identity, Permission, Target } from '../../core/access/index.ts';
import type { ApiContext } from '../../schema/context.ts';
import { Lookup } from './lookup.ts';
import { ruleOf } from './rules.ts';
import type { Rule } from './rules.ts';

type Field = GraphQLField<unknown, ApiContext>;

/** Puts its rule in front of every field of Query, Mutation and Subscription. */
export function guardSchema(schema: GraphQLSchema): GraphQLSchema {
  for (const field of rootFields(schema.getQueryType())) field.resolve = guarded(field, field.resolve);
  for (const field of rootFields(schema.getMutationType()))
    field.resolve = recorded(field, guarded(field, field.resolve));
  for (const field of rootFields(schema.getSubscriptionType())) field.subscribe = guarded(field, field.subscribe);
  return schema;
}

export function rootFields(type: GraphQLObjectType | null | undefined): Field[] {
  return Object.values(type?.getFields() ?? {}) as Field[];
}

function guarded(field: Field, resolve: Field['resolve']): Field['resolve'] {
  const rule = ruleOf(field);
  return async (source, args, context, info) => {
    await check(rule, field.name, args, context);
    return resolve?.(source, args, context, info);
  };
}

/** Every command leaves its entry in the audit log, refused ones included; not what nobody in particular tried. */
function recorded({ name }: Field, resolve: Field['resolve']): Field['resolve'] {
  return async (source, args: { input?: unknown }, context, info) => {
    const { app, identity, caller, actor, from } = context;
    if (identity?.anonymous) return resolve?.(source, args, context, info);
    const origin = {
      actor,
      actorKind: caller?.kind ?? null,
      credential: identity?.credential ?? null,
      action: name,
      ...from,
      input: args.input ?? args,
    };
    return audited(app.pool, origin, async () => resolve?.(source, args, context, info), refusalsOf);
  };
}

function refusalsOf(payload: unknown): string[] {
  const { userErrors } = (payload ?? {}) as { userErrors?: { message: string }[] };
  return (userErrors ?? []).map(({ message }) => message);
}

/** @throws GraphQLError UNAUTHENTICATED or FORBIDDEN */
async function check(rule: Rule | undefined, field: string, args: unknown, context: ApiContext): Promise<void> {
  const { identity } = context;
  // Without authentication the server is for this machine alone, and whoever is there may do everything.
  if (identity === null) return;
  if (rule?.kind === 'anyone') return;
  if (identity.anonymous) throw unauthenticated(`${field} needs to know who is calling`);
  if (!rule) throw new GraphQLError(`${field} has no rule of access yet`, { extensions: { code: 'FORBIDDEN' } });
  if (rule.kind === 'signed-in') return;
  if (rule.kind === 'sees') return demand(identity, 'VIEW', SOMEWHERE);
  const targets = await rule.on(args, await Lookup.of(context));
  if (targets === 'OWN') return;
  if (targets.length === 0) demand(identity, rule.permission, SOMEWHERE);
  for (const target of targets) demand(identity, rule.permission, target);
}

/** @throws GraphQLError FORBIDDEN, with what is missing in words */
export function demand(identity: Identity | null, permission: Permission, target: Target): void {
  if (identity === null || mayDo(identity.grants, permission, target)) return;
  const { scoped = false, caller } = identity;
  const { name, kind } = caller;
  throw new GraphQLError(mayNot(name, permission, target, scoped ? kind : undefined), {
    extensions: { code: 'FORBIDDEN', permission },
  });
}

export function unauthenticated(message: string): GraphQLError {
  // `http` is for Apollo, which takes it out; so does Masking on the other transports.
  const http = { status: 401, headers: new Map([['www-authenticate', 'Bearer']]) };
  return new GraphQLError(`${message}: ${HOW_TO_SIGN_IN}`, { extensions: { code: 'UNAUTHENTICATED', http } });
}

const HOW_TO_SIGN_IN = 'send `Authorization: Bearer` with an API token or a token of your identity provider';
