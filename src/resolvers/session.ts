import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver } from 'type-graphql';
import { endSession } from '../commands/access/end-session.ts';
import { EVERYTHING, holderOf, mayDo, sessionCredential, SOMEWHERE } from '../core/access/index.ts';
import type { Identity } from '../core/access/index.ts';
import { askedOf, PageArgs, toConnection } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { Session, SessionConnection, SessionEndInput, SessionPayload } from '../schema/session.ts';
import { Viewer } from '../schema/viewer.ts';
import { getSession, listSessions, MOST_SESSIONS } from '../store/web-sessions.ts';
import type { SessionList, WebSession } from '../store/web-sessions.ts';
import { Guarded, may, SIGNED_IN } from './access/rules.ts';
import { checkStorable, isStorable, refused, unstorable } from './answers.ts';

@Resolver()
export class SessionResolver {
  @Guarded(SIGNED_IN)
  @Query(() => SessionConnection, {
    description:
      "Sessions of the web app, the newest first: all of them for an ADMIN without limits, the caller's own for others.",
  })
  async sessions(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('subject', () => String, { nullable: true, description: 'Only those of this one.' }) subject?: string | null,
    @Arg('ended', () => Boolean, {
      defaultValue: false,
      description: 'Those that have ended as well, which are kept for 30 days.',
    })
    ended?: boolean,
  ): Promise<Connection<Session>> {
    const { limit, key, backwards } = askedOf(page);
    checkStorable({ subject });
    const { identity } = context;
    const isAdmin = !identity || mayDo(identity.grants, 'MANAGE_ACCESS', EVERYTHING);
    const whose = isAdmin ? {} : ownOf(identity);
    const rows = await listSessions(context.app.dataSource.manager, {
      limit,
      key,
      backwards,
      subject: subject ?? undefined,
      open: ended !== true,
      ...whose,
    });
    return toConnection(
      rows,
      page,
      ({ id }) => id,
      (row) => toSession(context, row),
    );
  }

  /** One's own always; of others the command looks. */
  @Guarded(
    may('MANAGE_ACCESS', async ({ input }: { input: SessionEndInput }, { context: { app, identity } }) => {
      const session = isStorable(input.id) ? await getSession(app.dataSource.manager, input.id) : null;
      return session && identity && isOwn(session, identity) ? 'OWN' : [SOMEWHERE];
    }),
  )
  @Mutation(() => SessionPayload, {
    description: 'Ends a session of the web app: its cookie is good for nothing from now on, and what it opened ends.',
  })
  async sessionEnd(
    @Ctx() context: ApiContext,
    @Arg('input', () => SessionEndInput, { description: 'Which one.' }) input: SessionEndInput,
  ): Promise<SessionPayload> {
    const wrong = unstorable(input);
    const done = wrong.length > 0 ? { refusals: wrong } : await endSession(context.app, input, context.identity);
    if (done.refusals) return { session: null, userErrors: refused(done.refusals) };
    return { session: toSession(context, done.value), userErrors: [] };
  }
}

@Resolver(() => Viewer)
export class ViewerSessionResolver {
  @FieldResolver(() => [Session], {
    description: `The caller's sessions of the web app that go on, the newest first; at most ${MOST_SESSIONS}. Of a program the one in use alone, since its name is shared.`,
  })
  async sessions(@Ctx() context: ApiContext): Promise<Session[]> {
    const { identity, app } = context;
    if (!identity) return [];
    const list = { limit: MOST_SESSIONS, open: true, ...ownOf(identity) };
    return (await listSessions(app.dataSource.manager, list)).map((row) => toSession(context, row));
  }
}

const isCurrent = ({ id }: Pick<WebSession, 'id'>, identity: Identity | null): boolean =>
  identity?.credential === sessionCredential(id);

function isOwn(session: WebSession, identity: Identity): boolean {
  const { kind, name } = identity.caller;
  const isPersons = kind === 'PERSON' && session.subjectKind === 'USER' && session.subject === name;
  return isPersons || isCurrent(session, identity);
}

/** Of a person all, of a program the one in use. */
function ownOf({ caller, credential }: Identity): Pick<SessionList, 'of' | 'id'> {
  const { kind, subject } = holderOf(caller);
  const of = { kind, subject };
  return kind === 'USER' ? { of } : { of, id: credential?.replace(sessionCredential(''), '') ?? '' };
}

function toSession({ identity }: ApiContext, row: WebSession): Session {
  const { id, subjectKind, subject, origin, createdAt, lastUsedAt, expiresAt, endedAt, endedBy, endReason } = row;
  const { address, userAgent } = row;
  const ends = { endedAt, endedBy, endReason };
  const current = isCurrent(row, identity);
  const said = {
    id,
    subjectKind,
    subject,
    origin,
    current,
    createdAt,
    lastUsedAt,
    expiresAt,
    ...ends,
    address,
    userAgent,
  };
  return Object.assign(new Session(), said);
}
