import { getNamedType, GraphQLError, isListType, isNonNullType, isObjectType } from 'graphql';
import type { GraphQLField, GraphQLObjectType, GraphQLOutputType, GraphQLSchema } from 'graphql';
import { audited } from '../../commands/audit.ts';
import { mayDo, mayNot, SOMEWHERE } from '../../core/access/index.ts';
import type { Identity, Permission, Target, ToldTarget } from '../../core/access/index.ts';
import type { Refusal } from '../../core/problems.ts';
import { badInput } from '../../schema/connection.ts';
import type { ApiContext } from '../../schema/context.ts';
import { refused, unstorable } from '../answers.ts';
import { Lookup } from './lookup.ts';
import { judge } from './named.ts';
import { ruleOf } from './rules.ts';
import type { Rule } from './rules.ts';
import { visibilityOf } from './visible.ts';

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
    const refusals = await check(rule, field.name, args, context);
    if (refusals.length > 0) return refusedPayload(field.type, refusals);
    return resolve?.(source, args, context, info);
  };
}

/** Whether a field can answer with refusals: everything else in its payload can be null, false or an empty list. */
export function takesRefusals(output: GraphQLOutputType): boolean {
  const type = getNamedType(output);
  if (!isObjectType(type) || !('userErrors' in type.getFields())) return false;
  return Object.values(type.getFields()).every(({ type: each }) => !isNonNullType(each) || nothingOf(each) !== null);
}

function nothingOf(type: GraphQLOutputType): [] | false | null {
  if (!isNonNullType(type)) return null;
  if (isListType(type.ofType)) return [];
  return String(type.ofType) === 'Boolean' ? false : null;
}

/** The payload of a command that did nothing. */
function refusedPayload(output: GraphQLOutputType, refusals: Refusal[]): object {
  const fields = Object.values((getNamedType(output) as GraphQLObjectType).getFields());
  const nothing = fields.map(({ name, type }) => [name, nothingOf(type)]);
  return { ...Object.fromEntries(nothing), userErrors: refused(refusals) };
}

/** Every command leaves its entry in the audit log, refused ones included; what an anonymous caller tried leaves none. */
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

/**
 * @returns why the command is not even begun, in its own words; none: it may go on
 * @throws GraphQLError UNAUTHENTICATED or FORBIDDEN
 */
async function check(rule: Rule | undefined, field: string, args: unknown, context: ApiContext): Promise<Refusal[]> {
  const { identity } = context;
  // Without authentication the server is for this machine alone, and every caller may do everything.
  if (identity === null) return [];
  if (rule?.kind === 'anyone') return [];
  if (identity.anonymous) throw unauthenticated(`${field} needs to know who is calling`);
  if (!rule) throw new GraphQLError(`${field} has no rule of access yet`, { extensions: { code: 'FORBIDDEN' } });
  if (rule.kind === 'signed-in') return [];
  if (rule.kind === 'sees') {
    demand(identity, 'VIEW', SOMEWHERE);
    return [];
  }
  // Nothing is called so, and the database could not even be asked for it.
  const [wrong] = unstorable(args);
  if (wrong) return unreadable(wrong, rule.permission, identity, field);
  const found = await rule.on(args, await Lookup.of(context));
  if (found === 'OWN') return [];
  const judgement = judge(identity, rule, found, await visibilityOf(context));
  if (judgement.kind === 'MAY_NOT') throw forbidden(identity, judgement.permission, judgement.target);
  return judgement.kind === 'ABSENT' ? [judgement.refusal] : [];
}

/** Why a mutation with this input would not even begin, in the words in which it would say so; null: it would. Nothing is done or recorded. */
export async function whyNotBegun(
  schema: GraphQLSchema,
  mutation: string,
  input: object,
  context: ApiContext,
): Promise<string | null> {
  const field = rootFields(schema.getMutationType()).find(({ name }) => name === mutation) as Field;
  try {
    const [refused] = await check(ruleOf(field), mutation, { input }, context);
    return refused?.message ?? null;
  } catch (error) {
    if (error instanceof GraphQLError) return error.message;
    throw error;
  }
}

/** The resolver says what is wrong with such a text, to a caller who may do it somewhere. */
function unreadable(wrong: Refusal, permission: Permission, identity: Identity, field: string): Refusal[] {
  demand(identity, permission, SOMEWHERE);
  const [head, ...path] = wrong.path;
  if (head === 'input') return [{ ...wrong, path }];
  throw badInput(`${field}: ${wrong.message}`, wrong.path.join('.'));
}

/** @throws GraphQLError FORBIDDEN, with what is missing in words */
export function demand(identity: Identity | null, permission: Permission, target: Target): void {
  if (identity === null || mayDo(identity.grants, permission, target)) return;
  throw forbidden(identity, permission, target);
}

function forbidden(identity: Identity, permission: Permission, target: ToldTarget): GraphQLError {
  const { scoped = false, caller } = identity;
  const { name, kind } = caller;
  return new GraphQLError(mayNot(name, permission, target, scoped ? kind : undefined), {
    extensions: { code: 'FORBIDDEN', permission },
  });
}

export function unauthenticated(message: string, cure = HOW_TO_SIGN_IN): GraphQLError {
  // `http` is for Apollo, which takes it out; so does Masking on the other transports.
  const http = { status: 401, headers: new Map([['www-authenticate', 'Bearer']]) };
  return new GraphQLError(`${message}: ${cure}`, { extensions: { code: 'UNAUTHENTICATED', http } });
}

const HOW_TO_SIGN_IN = 'send `Authorization: Bearer` with an API token or a token of your identity provider';
