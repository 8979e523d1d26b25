import type { Parts } from '../parts.ts';
import { callerName, mayDo, mayNot, rolesOf } from '../core/access/index.ts';
import { permissionToDecide } from '../core/approvals/may-decide.ts';
import type { Caller, Maker } from '../core/caller.ts';
import { environmentAt } from '../core/own-steps.ts';
import { refusal } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import type { DecisionMessage } from '../core/receiver/decision.ts';
import type { Delivery } from '../core/receiver/delivery.ts';
import type { RolloutMessage } from '../core/receiver/rollout.ts';
import type { WebhookUse } from '../core/secrets.ts';
import { parseShortId } from '../core/short-id.ts';
import { matchesGlob } from '../core/selectors.ts';
import { readGrants } from '../store/access.ts';
import { releaseOfNumber } from '../store/release-reads.ts';
import { lastSetBy } from '../store/secrets.ts';
import type { AuditOrigin } from '../store/audit-log.ts';
import { audited } from './audit.ts';
import { decideOnPromotion, findPromotion } from './decide-promotion.ts';
import { reportRollout } from './report-rollout.ts';
import type { Result } from './result.ts';

/** A report of a rollout, as the doing of its source. @returns what came of it, in words. */
export async function reportByDelivery(
  app: Parts,
  delivery: Delivery,
  use: WebhookUse,
  message: RolloutMessage,
): Promise<Result<string>> {
  const actor = `webhook/${delivery.source}`;
  const origin = { ...originOf(delivery, actor), action: 'rolloutReport', input: message };
  const done = await audit(app, origin, async () => {
    const why = whyNotProduct(delivery, use, message.product);
    return why ? { refusals: [why] } : reportRollout(app, { ...message, idempotencyKey: keyOf(delivery) }, actor);
  });
  return done.refusals ? done : { value: done.value.outcome };
}

/**
 * A decision on an approval, in the name of a service account: it counts for the rules that this one fits, and takes the grants
 * that it has now.
 */
export async function decideByDelivery(
  app: Parts,
  delivery: Delivery,
  use: WebhookUse & { decidesAs: string },
  { decision, release, environment, step, attempt, comment }: DecisionMessage,
): Promise<Result<string>> {
  const name = callerName('SERVICE_ACCOUNT', use.decidesAs);
  const short = parseShortId(release);
  const known = short && !whyNotProduct(delivery, use, short.product) ? await releaseOfNumber(app.pool, short) : null;
  const wanted = { releaseId: known ?? release, environment, step, attempt, comment };
  const action = decision === 'approve' ? 'promotionApprove' : 'promotionReject';
  const origin = { ...originOf(delivery, name), action, input: wanted };
  const done = await audit(app, origin, async () => {
    const found = await findPromotion(app, wanted);
    if (found.refusals) return found;
    const { seen, position } = found.value;
    const { product, plan } = seen.release;
    const why = whyNotProduct(delivery, use, product);
    if (why) return { refusals: [why] };
    const grants = await readGrants(app.pool, { kind: 'SERVICE_ACCOUNT', subject: use.decidesAs, groups: [] });
    const place = environmentAt(plan, position);
    const targets = (await app.definitions.current()).places(product, place === null ? [] : [place]);
    const permission = permissionToDecide(plan);
    const forbidden = targets.find((each) => !mayDo(grants, permission, each));
    if (forbidden) return { refusals: [refusal('FORBIDDEN', mayNot(name, permission, forbidden))] };
    const makers = await makersOfSecret(app, delivery.verifiedBy);
    const caller: Caller = { name, kind: 'SERVICE_ACCOUNT', groups: [], roles: rolesOf(grants), makers };
    return decideOnPromotion(app, decision, { ...wanted, idempotencyKey: keyOf(delivery) }, caller, 'WEBHOOK');
  });
  return done.refusals ? done : { value: `${decision === 'approve' ? 'approved' : 'rejected'} by ${name}` };
}

/** The person who set the secret knows it, and could sign. Only ADMINs without limits set secrets. */
async function makersOfSecret({ pool }: Parts, secret: string): Promise<Maker[]> {
  const by = await lastSetBy(pool, secret);
  return by === null ? [] : [{ name: by, unlimited: true }];
}

/** One key for a delivery and one for each replay of it; what an earlier attempt has done is found under it. */
const keyOf = ({ source, webhookId, replays }: Delivery): string => `webhook/${source}/${webhookId}/${replays}`;

function whyNotProduct({ verifiedBy }: Delivery, { products }: WebhookUse, product: string): Refusal | null {
  if (products.length === 0 || products.some((each) => matchesGlob(each, product))) return null;
  return refusal(
    'FORBIDDEN',
    `messages signed with "${verifiedBy}" report on ${products.join(', ')} only, not on ${product}`,
  );
}

/** In the audit log it is a command like others: of the source, or of whom it speaks for, from where its message came. */
function originOf({ verifiedBy, headers, address }: Delivery, actor: string): Omit<AuditOrigin, 'action' | 'input'> {
  return {
    actor,
    actorKind: 'SERVICE_ACCOUNT',
    credential: `webhook secret ${verifiedBy}`,
    transport: 'WEBHOOK',
    address,
    userAgent: headers['user-agent']?.slice(0, 300) ?? null,
  };
}

function audit<T>(app: Parts, origin: AuditOrigin, command: () => Promise<Result<T>>): Promise<Result<T>> {
  return audited(app.pool, origin, command, ({ refusals }) => (refusals ?? []).map(({ message }) => message));
}
