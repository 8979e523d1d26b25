import { randomUUID } from 'node:crypto';
import type { Parts } from '../parts.ts';
import { isReservedName } from '../core/access/index.ts';
import type { Identity } from '../core/access/index.ts';
import { askedFor, whyNot } from '../core/approvals/may-decide.ts';
import type { Asked } from '../core/approvals/may-decide.ts';
import type { ApprovalState } from '../core/approvals/approval.ts';
import type { Caller } from '../core/caller.ts';
import { DAY } from '../core/definitions.ts';
import type { PlannedPromotion, PlannedStep } from '../core/plan.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import type { OtherRelease, PromotionState, ReleaseState } from '../core/release.ts';
import { insertApprovalLink, readApprovalLink } from '../store/approval-links.ts';
import type { ApprovalLink } from '../store/approval-links.ts';
import { readFacts } from '../store/release-reads.ts';
import { signLink } from './approval-link-token.ts';
import { auditChange } from './audit.ts';
import { findPromotion, findStep } from './decide-promotion.ts';
import { once } from './idempotency.ts';
import { serverUrl } from './release-url.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';

/** A link to be made: whose decision it brings, on what, and for how long. */
export interface NewApprovalLink {
  releaseId: string;
  environment: string;
  /** The step that asks, as a decision names it; the start of the promotion is decided on when left out. */
  step?: string;
  decision: 'approve' | 'reject';
  /** Whose decision it will be; the caller's when left out. */
  approver?: string;
  /** In milliseconds from now; 24 hours when left out. Never longer than the approval may take, or the token that makes it. */
  expiresIn?: number;
  idempotencyKey?: string;
}

const LONGEST = 30 * DAY;

/** A link with which one person decides once, without signing in. Any holder can use it: it is a secret. */
export async function createApprovalLink(
  app: Parts,
  input: NewApprovalLink,
  caller: Caller | null,
  made: Pick<Identity, 'credential' | 'restsOn' | 'lasts'> | null = null,
): Promise<Result<{ url: string; link: Omit<ApprovalLink, 'usedAt'>; position: number }>> {
  const { expiresIn = DAY, decision } = input;
  if (!(Number.isSafeInteger(expiresIn) && expiresIn > 0 && expiresIn <= LONGEST)) {
    return { refusals: [refusal('INVALID', 'a link lasts more than 0 and at most 30 days', ['expiresIn'])] };
  }
  const found = await findPromotion(app, input);
  if (found.refusals) return found;
  const approver = approverOf(input.approver, caller);
  if ('code' in approver) return { refusals: [approver] };
  const { seen, position } = found.value;
  const { plan } = seen.release;
  const named = findStep(seen, position, input.step);
  if (named.refusals) return named;
  const step = named.value;
  const planned = plan.promotions[position] as PlannedPromotion;
  const promotion = seen.state.promotions[position] as PromotionState;
  const { attempt } = promotion;
  const { idempotencyKey: key, ...rest } = input;
  const createdBy = caller?.name ?? null;
  const keyed = { by: createdBy, operation: 'approvalLinkCreate', key, input: { ...rest, by: createdBy } };
  const kept = await refusable(() =>
    once(app, keyed, {
      async before() {
        const now = app.clock.now();
        const wish = { kind: decision, promotion: position, step, attempt, by: approver };
        const why = whyNot(plan, seen.state, wish, now.getTime(), await releaseBefore(app, seen.state));
        if (why) throw new RefusedError([why]);
        const { spec, approval } = askedFor(planned, promotion, step) as Asked;
        const last = Math.min(
          spec.onExpiry === 'FAIL' ? (approval as ApprovalState).expiresAt : Infinity,
          made?.lasts ?? Infinity,
        );
        return {
          id: randomUUID(),
          releaseId: seen.release.id,
          environment: input.environment,
          attempt,
          step: step === undefined ? null : (planned.steps[step] as PlannedStep).id,
          decision,
          approver,
          createdBy,
          credential: made?.restsOn ?? made?.credential ?? null,
          createdAt: now,
          expiresAt: new Date(Math.min(now.getTime() + expiresIn, last)),
        };
      },
      async inside(tx, link) {
        await insertApprovalLink(tx, link);
        const objects = [
          { kind: 'ApprovalLink', name: link.id },
          { kind: 'Release', name: link.releaseId },
        ];
        await auditChange(tx, { before: null, after: link, objects });
        return link.id;
      },
    }),
  );
  if (kept.refusals) return kept;
  const link = (await readApprovalLink(app.pool, kept.value)) as ApprovalLink;
  return { value: { url: `${serverUrl(app.config)}/approvals/${await signLink(app, link)}`, link, position } };
}

/**
 * A person makes links for themselves. A service account brings them to others: it vouches for the name, and for nothing that
 * it does not know, so for no groups and roles. Without authentication any caller vouches.
 */
function approverOf(name: string | undefined, caller: Caller | null): Caller | Refusal {
  if (name === undefined || name === caller?.name) {
    return caller ?? refusal('INVALID', 'the caller is not signed in: say whose link it is', ['approver']);
  }
  if (name.trim() === '' || name.length > 200) {
    return refusal('INVALID', 'the name of the approver must have 1 to 200 characters', ['approver']);
  }
  if (isReservedName(name)) {
    return refusal('INVALID', `"${name}" is not a person: a service account decides with a token of its own`, [
      'approver',
    ]);
  }
  if (caller?.kind === 'PERSON') {
    const message = `${caller.name} can make links for no other person: that takes a service account, which brings them`;
    return refusal('NOT_AN_APPROVER', message, ['approver']);
  }
  // Who may bring decisions was trusted with that by an ADMIN without limits.
  const makers = caller
    ? [{ name: caller.name, unlimited: true }, ...(caller.makers ?? [])]
    : [{ name: null, unlimited: false }];
  return { name, kind: 'PERSON', groups: [], roles: [], makers };
}

/** What goes before a release that waits for its turn. */
async function releaseBefore(
  { pool, definitions }: Parts,
  { id, startedAt }: ReleaseState,
): Promise<OtherRelease | null> {
  if (startedAt !== null) return null;
  return (await readFacts(pool, [{ id }], definitions)).get(id)?.behind ?? null;
}
