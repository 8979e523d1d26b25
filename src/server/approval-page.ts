import express, { type Request, type Response, Router } from 'express';
import type { Parts } from '../parts.ts';
import type { Refusal } from '../core/problems.ts';
import { findApprovalLink, useApprovalLink } from '../commands/use-approval-link.ts';
import { unstorable } from '../resolvers/answers.ts';
import type { ApprovalLink } from '../store/approval-links.ts';
import type { AuditOrigin } from '../store/audit-log.ts';
import { escape, SMALL_PAGE_POLICY, smallPage } from './small-page.ts';

/**
 * `/approvals/TOKEN`: GET shows what is asked, and a button; it never decides, because mail scanners and previews open links.
 * POST decides: a form of that page, or JSON `{"comment": "…"}` of another system. The link is the credential, so nothing
 * here may carry it further: no referrer, no cache, no other address in the page.
 *
 * @param doors.admit throws what the client is answered when it asks too often
 */
export function approvalPages(
  app: Parts,
  doors: { originOf: (request: Request) => Origin; admit: (request: Request) => Promise<void> },
): Router {
  const router = Router();
  router.use(async (request, response, next) => {
    await doors.admit(request);
    response.set({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex, nofollow',
      'content-security-policy': SMALL_PAGE_POLICY,
    });
    next();
  });
  router.get('/:token', async (request, response) => {
    const found = await findApprovalLink(app, request.params.token);
    if (found.refusals) return refuse(response, found.refusals);
    const asked = await described(app, found.value);
    response.send(smallPage(titleOf(found.value), ask(found.value, asked)));
  });
  router.post(
    '/:token',
    express.json({ limit: MAX_BODY }),
    express.urlencoded({ limit: MAX_BODY, extended: false }),
    async (request, response) => {
      const { comment } = (request.body ?? {}) as { comment?: unknown };
      const isForm = request.is('urlencoded') !== false;
      const said = typeof comment === 'string' ? comment : undefined;
      const wrong = unstorable({ comment: said });
      if (wrong.length > 0) return refuse(response, wrong, !isForm);
      const via = isForm ? 'LINK' : 'WEBHOOK';
      const result = await useApprovalLink(app, request.params.token, said, via, doors.originOf(request));
      if (result.refusals) return refuse(response, result.refusals, !isForm);
      const { link } = result.value;
      const asked = await described(app, link);
      if (!isForm) return void response.json({ decision: link.decision, ...asked });
      const done = link.decision === 'approve' ? 'Approved' : 'Rejected';
      response.send(smallPage(`${done}: ${link.environment}`, `<p>You can close this page.</p>${facts(asked)}`));
    },
  );
  return router;
}

export type Origin = Pick<AuditOrigin, 'transport' | 'address' | 'userAgent'>;

const MAX_BODY = 16_384;

interface Asked {
  release: string;
  product: string;
  version: string;
  environment: string;
  /** The step that asks, and its words; left out where the start of the promotion does. */
  step?: string;
  question?: string;
  status: string;
  approver: string;
}

async function described(app: Parts, link: ApprovalLink): Promise<Asked> {
  const seen = await app.releaseEngine.look(link.releaseId, { fresh: true });
  const position = seen?.release.plan.promotions.findIndex(({ name }) => name === link.environment) ?? -1;
  const promotion = seen?.state.promotions[position];
  const step = seen?.release.plan.promotions[position]?.steps.findIndex(({ id }) => id === link.step) ?? -1;
  const question = promotion?.steps[step]?.asked?.question ?? null;
  return {
    release: link.releaseId,
    product: seen?.release.product ?? '',
    version: seen?.release.version ?? '',
    environment: link.environment,
    ...(link.step !== null && { step: link.step }),
    ...(question !== null && { question }),
    status: promotion?.status ?? 'PENDING',
    approver: link.approver.name,
  };
}

/** Words for people in a browser; for programs the shape that all errors have here. */
function refuse(response: Response, refusals: Refusal[], json = false): void {
  const [first] = refusals as [Refusal];
  response.status(STATUS[first.code] ?? 409);
  if (json) {
    response.json({ errors: refusals.map(({ code, message }) => ({ message, extensions: { code } })) });
    return;
  }
  response.send(
    smallPage('This cannot be decided here', refusals.map(({ message }) => `<p>${escape(message)}</p>`).join('')),
  );
}

const STATUS: Partial<Record<Refusal['code'], number>> = { NOT_FOUND: 404, INVALID: 400, NOT_AN_APPROVER: 403 };

const titleOf = ({ decision, environment, step }: ApprovalLink): string =>
  `${decision === 'approve' ? 'Approve' : 'Reject'} ${step === null ? `the promotion into ${environment}` : `what ${environment} asks`}?`;

function ask(link: ApprovalLink, asked: Asked): string {
  return `${facts(asked)}
<form method="post">
<label for="comment">Comment</label>
<textarea id="comment" name="comment" maxlength="2000" rows="3"></textarea>
<button>${link.decision === 'approve' ? 'Approve' : 'Reject'}</button>
</form>
<p>This link works once, until ${escape(link.expiresAt.toISOString())}.</p>`;
}

function facts({ release, product, version, environment, step, question, approver }: Asked): string {
  const rows = Object.entries({
    ...(question !== undefined && { Question: question }),
    Product: product,
    Version: version,
    Environment: environment,
    ...(step !== undefined && { Step: step }),
    Release: release,
    As: approver,
  });
  return `<dl>${rows.map(([name, value]) => `<dt>${name}</dt><dd>${escape(value)}</dd>`).join('')}</dl>`;
}
