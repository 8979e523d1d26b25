import type { Parts } from '../parts.ts';
import { EVERYTHING, grantsOfToken, mayDo } from '../core/access/index.ts';
import type { Permission, Target } from '../core/access/index.ts';
import type { DecisionChannel } from '../core/approvals/approval.ts';
import { environmentAt } from '../core/own-steps.ts';
import { permissionToDecide } from '../core/approvals/may-decide.ts';
import type { Maker } from '../core/caller.ts';
import { refusal } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import { readGrants, readToken } from '../store/access.ts';
import type { ApiToken } from '../store/access.ts';
import { markUsed, readApprovalLink } from '../store/approval-links.ts';
import type { ApprovalLink } from '../store/approval-links.ts';
import type { AuditOrigin } from '../store/audit-log.ts';
import { idOfToken, isSigned } from './approval-link-token.ts';
import { audited } from './audit.ts';
import { decideOnPromotion } from './decide-promotion.ts';
import type { DecidedPromotion } from './decide-promotion.ts';
import type { Result } from './result.ts';

/** What a link is for, when it can still be used; looking changes nothing. */
export async function findApprovalLink(app: Parts, token: string): Promise<Result<ApprovalLink>> {
  const link = await signedLink(app, token);
  const why = link ? await whyNot(app, link) : INVALID;
  return link && !why ? { value: link } : { refusals: [why ?? INVALID] };
}

/**
 * Decides by a link. It is marked as used after the decision was saved: a crash between the two leaves a link that can only
 * repeat what was decided, which changes nothing. When a decision is refused (a closed window), the link can be tried again. Every
 * use is in the audit log, except with a token that is not a signed link: then the approver is unknown.
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
  const step = link.step ?? undefined;
  const origin: AuditOrigin = {
    actor: approver.name,
    actorKind: approver.kind,
    credential: `approval link ${link.id}`,
    action: decision === 'approve' ? 'promotionApprove' : 'promotionReject',
    ...from,
    input: { releaseId, environment, step, attempt, comment },
  };
  const decide = async (): Promise<Result<DecidedPromotion>> => {
    const why = await whyNot(app, link);
    if (why) return { refusals: [why] };
    const by = { ...approver, makers: await makersOfLink(app, link) };
    const done = await decideOnPromotion(app, decision, { releaseId, environment, step, attempt, comment }, by, via);
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
  const ended = await whyEnded(app, link);
  if (ended !== null) return refusal('WRONG_STATE', `this link ended: ${ended}`);
  if (link.usedAt !== null) return used(link);
  if (link.expiresAt.getTime() > app.clock.now().getTime()) return null;
  return refusal('WRONG_STATE', `this link expired at ${link.expiresAt.toISOString()}`);
}

/** Who stands behind a link. One of an older version does not say so itself. */
async function makersOfLink(app: Parts, { approver, createdBy, credential }: ApprovalLink): Promise<readonly Maker[]> {
  if (approver.makers) return approver.makers;
  const token = await tokenOf(app, credential);
  const behind = token?.makers ?? [];
  if (createdBy === approver.name) return behind;
  return createdBy === null ? [{ name: null, unlimited: false }] : [{ name: createdBy, unlimited: true }, ...behind];
}

async function tokenOf(app: Parts, credential: string | null): Promise<ApiToken | null> {
  const [, id] = /^token (.+)$/.exec(credential ?? '') ?? [];
  return id === undefined ? null : readToken(app.pool, id);
}

/** Why a link has ended: its token ended, or its maker lost the permission. Null: it has not ended. */
async function whyEnded(app: Parts, { credential, createdBy, ...link }: ApprovalLink): Promise<string | null> {
  // Made without authentication, or by the operator's own token.
  if (createdBy === null || credential === null || credential === 'SLUICE_ADMIN_TOKEN') return null;
  const token = await tokenOf(app, credential);
  if (credential.startsWith('token ') && (!token || token.revokedAt !== null))
    return 'the token that it was made with was revoked';
  if (token?.expiresAt && token.expiresAt <= app.clock.now()) return 'the token that it was made with has expired';
  // Without a token a person made the link for themselves: the groups of the approver are the maker's, as they were then.
  const holder = token
    ? { kind: token.subjectKind, subject: token.subject, groups: token.groups }
    : { kind: 'USER' as const, subject: createdBy, groups: link.approver.groups };
  const granted = await readGrants(app.pool, holder);
  const grants = token ? grantsOfToken(token, granted) : granted;
  const { targets, deciding } = await placeOf(app, link);
  const permission = createdBy === link.approver.name ? deciding : 'BRING_APPROVALS';
  const may = targets.every((each) => mayDo(grants, permission, each));
  return may ? null : `its maker, ${createdBy}, is no longer allowed to approve there`;
}

async function placeOf(
  app: Parts,
  { releaseId, environment }: Pick<ApprovalLink, 'releaseId' | 'environment'>,
): Promise<{ targets: Target[]; deciding: Permission }> {
  const plan = (await app.releaseEngine.look(releaseId, { fresh: false }))?.release.plan;
  if (!plan) return { targets: [EVERYTHING], deciding: 'APPROVE' };
  const place = environmentAt(
    plan,
    plan.promotions.findIndex(({ name }) => name === environment),
  );
  const targets = (await app.definitions.current()).places(plan.product, place === null ? [] : [place]);
  return { targets, deciding: permissionToDecide(plan) };
}

function used({ decision, environment, step }: ApprovalLink): Refusal {
  const what = step === null ? environment : `${environment}, step ${step}`;
  return refusal('WRONG_STATE', `this link was used already, to ${decision} ${what}: it works once`);
}
