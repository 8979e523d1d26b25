import type { App } from '../app.ts';
import type { DecisionChannel } from '../core/approvals/approval.ts';
import { refusal } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import { readToken } from '../store/access.ts';
import { markUsed, readApprovalLink } from '../store/approval-links.ts';
import type { ApprovalLink } from '../store/approval-links.ts';
import type { AuditOrigin } from '../store/audit-log.ts';
import { idOfToken, isSigned } from './approval-link-token.ts';
import { audited } from './audit.ts';
import { decideOnPromotion } from './decide-promotion.ts';
import type { DecidedPromotion } from './decide-promotion.ts';
import type { Result } from './result.ts';

type Parts = Pick<App, 'mover' | 'pool' | 'config' | 'clock' | 'dataSource'>;

/** What a link is for, when it can still be used; looking changes nothing. */
export async function findApprovalLink(app: Parts, token: string): Promise<Result<ApprovalLink>> {
  const link = await signedLink(app, token);
  const why = link ? await whyNot(app, link) : INVALID;
  return link && !why ? { value: link } : { refusals: [why ?? INVALID] };
}

/**
 * Decides by a link. It is marked as used after the decision was saved: a crash between the two leaves a link that can only
 * repeat what was decided, which changes nothing. One that was refused (a closed window) can be tried again. Whatever comes of
 * it is in the audit log, unless nobody signed the link: then nobody is known.
 */
export async function useApprovalLink(
  app: Parts,
  token: string,
  comment: string | undefined,
  via: DecisionChannel,
  from: Pick<AuditOrigin, 'transport' | 'address' | 'userAgent'>,
): Promise<Result<DecidedPromotion & { link: ApprovalLink }>> {
  const link = await signedLink(app, token);
  if (!link) return { refusals: [INVALID] };
  const { releaseId, environment, attempt, decision, approver } = link;
  const origin: AuditOrigin = {
    actor: approver.name,
    actorKind: approver.kind,
    credential: `approval link ${link.id}`,
    action: decision === 'approve' ? 'promotionApprove' : 'promotionReject',
    ...from,
    input: { releaseId, environment, attempt, comment },
  };
  const decide = async (): Promise<Result<DecidedPromotion>> => {
    const why = await whyNot(app, link);
    if (why) return { refusals: [why] };
    const done = await decideOnPromotion(app, decision, { releaseId, environment, attempt, comment }, approver, via);
    if (done.refusals) return done;
    return (await markUsed(app.pool, link.id, app.clock.now())) ? done : { refusals: [used(link)] };
  };
  const result = await audited(app.pool, origin, decide, ({ refusals = [] }) => refusals.map(({ message }) => message));
  return result.refusals ? result : { value: { ...result.value, link } };
}

async function signedLink(app: Parts, token: string): Promise<ApprovalLink | null> {
  const id = idOfToken(token);
  const link = id === null ? null : await readApprovalLink(app.pool, id);
  return link && (await isSigned(app, token, link)) ? link : null;
}

// One answer for all that is not right about it: nothing is learned by trying.
const INVALID = refusal('NOT_FOUND', 'this link is not valid: it was not made here, or is not complete');

async function whyNot(app: Parts, link: ApprovalLink): Promise<Refusal | null> {
  if (await isRevoked(app, link)) {
    return refusal('WRONG_STATE', 'this link ended: the token that it was made with was revoked');
  }
  if (link.usedAt !== null) return used(link);
  if (link.expiresAt.getTime() > app.clock.now().getTime()) return null;
  return refusal('WRONG_STATE', `this link expired at ${link.expiresAt.toISOString()}`);
}

/** Whoever revokes a token takes back what it could still do. */
async function isRevoked(app: Parts, { credential }: ApprovalLink): Promise<boolean> {
  const [, token] = /^token (.+)$/.exec(credential ?? '') ?? [];
  if (token === undefined) return false;
  const found = await readToken(app.pool, token);
  return found === null || found.revokedAt !== null;
}

function used({ decision, environment }: ApprovalLink): Refusal {
  return refusal('WRONG_STATE', `this link was used already, to ${decision} ${environment}: it works once`);
}
