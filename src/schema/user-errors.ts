import { Field, Int, InterfaceType, ObjectType } from 'type-graphql';
import type { Refusal, RefusalCode } from '../core/problems.ts';
import { enumOf } from './enums.ts';

export const UserErrorCodeEnum = enumOf<RefusalCode>('UserErrorCode', 'Why a mutation was refused.', {
  INVALID: 'A value is not possible here.',
  NOT_FOUND: 'What the input names does not exist.',
  ALREADY_EXISTS: 'There is one of that name already.',
  CONFLICT: 'It was changed since the revision that the input expects.',
  CYCLE: 'Things wait for each other in a circle.',
  UNREACHABLE: 'Nothing leads there from the trigger.',
  DUPLICATE: 'The same thing twice.',
  UNKNOWN_REFERENCE: 'The definition names something that does not exist.',
  IN_USE: 'Something else still needs it.',
  NO_APPLICATION: 'The product has no application in an environment of the flow.',
  SOURCE_UNREACHABLE: 'The version could not be read from its source.',
  AMBIGUOUS_FLOW: 'Several flows fit equally well.',
  NO_FLOW: 'No flow fits.',
  QUEUE_FULL: 'Too many releases are waiting.',
  IDEMPOTENCY_MISMATCH: 'The idempotency key was used with another input.',
  WRONG_STATE: 'Not possible in the state that it is in.',
  NOT_AN_APPROVER: 'The caller is not allowed to decide on this promotion, or not alone.',
  NO_ENCRYPTION_KEY: 'The server has no key that could seal or open secrets.',
  WINDOW_CLOSED: 'A release window holds it at this time.',
  VERSION_MARKED_BAD: 'The version was found bad: take another one, or take the mark back.',
  FORBIDDEN: 'The caller is not allowed to hand on, or take away, so much.',
  READ_ONLY: 'It comes from a git source, and is changed in its repository alone.',
});

@InterfaceType({ description: 'An expected refusal: the mutation changed nothing.' })
export abstract class UserError {
  @Field(() => UserErrorCodeEnum, { description: 'The reason, for programs.' })
  code!: RefusalCode;

  @Field(() => String, {
    description: 'The reason, for people: names the thing and the value, and what would be right.',
  })
  message!: string;

  @Field(() => [String], {
    nullable: true,
    description: 'Where in the arguments, e.g. `["input", "steps", "2", "dependsOn", "0"]`; list places count from 0.',
  })
  path!: string[] | null;
}

@ObjectType({ implements: UserError, description: 'A refusal that its code, message and path say all about.' })
export class BasicUserError extends UserError {}

@ObjectType({
  implements: UserError,
  description: 'Another caller changed it first: read it again and repeat the change.',
})
export class ConflictError extends UserError {
  @Field(() => Int, { description: 'The revision that it has now; 0 when it does not exist.' })
  currentRevision!: number;
}

@ObjectType({ implements: UserError, description: 'Something is wrong in a manifest.' })
export class ManifestError extends UserError {
  @Field(() => String, { nullable: true, description: 'The file, as the input named it.' })
  file!: string | null;

  @Field(() => Int, { description: 'Which document of the input, counted from 1.' })
  document!: number;

  @Field(() => Int, { description: 'The line in the input, counted from 1.' })
  line!: number;

  @Field(() => Int, { description: 'The column in that line, counted from 1.' })
  column!: number;

  @Field(() => [String], {
    description: 'Where in the manifest, e.g. `["spec", "steps", "2"]`; empty when it cannot be read.',
  })
  manifestPath!: string[];
}

@ObjectType({ implements: UserError, description: 'A release window holds it at this time.' })
export class WindowClosedError extends UserError {
  @Field(() => [String], { description: 'The names of the release windows that decide.' })
  windowNames!: string[];

  @Field(() => Date, { nullable: true, description: 'When it opens; null: not within five years.' })
  nextOpen!: Date | null;
}

export function toUserError({ code, message, closed }: Refusal, path: (string | number)[] | null): UserError {
  const basic = { code, message, path: path && path.map(String) };
  if (!closed) return Object.assign(new BasicUserError(), basic);
  const nextOpen = closed.nextOpen === null ? null : new Date(closed.nextOpen);
  return Object.assign(new WindowClosedError(), basic, { windowNames: closed.windows, nextOpen });
}
