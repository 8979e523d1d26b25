import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { SessionOrigin, SubjectKind } from '../core/access/index.ts';
import { SubjectKindEnum } from './access.ts';
import { connectionOf } from './connection.ts';
import { enumOf } from './enums.ts';
import { UserError } from './user-errors.ts';

export const SessionOriginEnum = enumOf<SessionOrigin>('SessionOrigin', 'How a session came about.', {
  IDENTITY_PROVIDER: 'A person signed in at the identity provider.',
  TOKEN: 'A token was swapped for it: it can do what the token can, and ends with it.',
});

@ObjectType({ description: 'A session of the web app, without its cookie.' })
export class Session {
  @Field(() => ID, { description: 'Its id; the audit log writes `session/` in front of it.' })
  id!: string;

  @Field(() => SubjectKindEnum, { description: 'Whether it is that of a person or of a service account.' })
  subjectKind!: SubjectKind;

  @Field(() => String, { description: 'Whose it is.' })
  subject!: string;

  @Field(() => SessionOriginEnum, { description: 'How it came about.' })
  origin!: SessionOrigin;

  @Field(() => Boolean, { description: 'Whether it is the one with which this is asked.' })
  current!: boolean;

  @Field(() => Date, { description: 'When the sign-in was.' })
  createdAt!: Date;

  @Field(() => Date, { description: 'When it was last used, to the minute.' })
  lastUsedAt!: Date;

  @Field(() => Date, { description: 'When it ends at the latest.' })
  expiresAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When it ended; null: it goes on.' })
  endedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'Who ended it; null: it goes on, or ended by itself.' })
  endedBy!: string | null;

  @Field(() => String, { nullable: true, description: 'Why it ended; null: it goes on.' })
  endReason!: string | null;

  @Field(() => String, { nullable: true, description: 'The network address that the sign-in came from.' })
  address!: string | null;

  @Field(() => String, { nullable: true, description: 'The browser of the sign-in, in its own words.' })
  userAgent!: string | null;
}

@InputType({ description: 'Which session to end.' })
export class SessionEndInput {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;
}

@ObjectType({ description: 'What became of a session.' })
export class SessionPayload {
  @Field(() => Session, { nullable: true, description: 'The session as it is now; null when refused.' })
  session!: Session | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const SessionConnection = connectionOf('Session', Session);
