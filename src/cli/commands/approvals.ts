import type { Command } from 'commander';
import { byRelease } from '../../core/in-order.ts';
import { all, ask, ERRORS, Most, PAGE } from '../asking.ts';
import type { Client } from '../client.ts';
import { idOf } from '../operations.ts';
import { bare, formerly, REASON, RELEASE, wholeNumber } from '../options.ts';
import { age, render, renderList, type Style, type View, when } from '../output.ts';
import type { Shell } from '../shell.ts';

/** What waits for the approval of people, and what a person says to it. */

const ASKED = `{
    step question status requestedAt expiresAt initiator missing viewerCanApprove
    rules { rule { name count users groups roles } missing approvals { by } }
    decisions { kind by at comment }
  }`;

const PROMOTION = `id name group { name } status attempt problem { message } waitingFor { message }
  release { uuid shortId kind productName version { label } }
  approval ${ASKED} steps { approval ${ASKED} }`;

export const APPROVALS = {
  approve: `mutation CliApprove($input: PromotionDecisionInput!) {
    payload: promotionApprove(input: $input) { promotion { ${PROMOTION} } ${ERRORS} } }`,
  reject: `mutation CliReject($input: PromotionDecisionInput!) {
    payload: promotionReject(input: $input) { promotion { ${PROMOTION} } ${ERRORS} } }`,
  approvals: `query CliApprovals($first: Int!, $after: String, $filter: ApprovalFilterInput) {
    list: approvals(first: $first, after: $after, filter: $filter) { nodes { ${PROMOTION} } ${PAGE} } }`,
};

export interface Decided {
  id: string;
  name: string;
  group: { name: string } | null;
  status: string;
  problem: { message: string } | null;
  waitingFor: { message: string }[];
  release: { uuid: string; shortId: string; kind: string; productName: string; version: { label: string } };
  approval: Asked;
}

interface Asked {
  step: string | null;
  question: string | null;
  status: string;
  requestedAt: string | null;
  expiresAt: string | null;
  initiator: string | null;
  missing: number;
  viewerCanApprove: boolean;
  decisions: { kind: string; by: string | null }[];
}

interface Answer extends Omit<Decided, 'approval'> {
  approval: Asked | null;
  steps: { approval: Asked | null }[];
}

/** One for each approval of a promotion: of its start, and of each step that asks. */
function approvalsOf({ steps, ...promotion }: Answer): Decided[] {
  return [promotion, ...steps].flatMap(({ approval }) => (approval === null ? [] : [{ ...promotion, approval }]));
}

const isOpen = ({ approval: { status } }: Decided): boolean => status === 'OPEN' || status === 'EXPIRED';

const VIEW: View<Decided> = {
  columns: [
    ['RELEASE', ({ release }) => release.shortId, 'whole'],
    ['VERSION', ({ release }) => release.version.label],
    ['ENVIRONMENT', ({ name }) => name],
    ['STEP', ({ approval }) => approval.step ?? ''],
    ['ASKED', ({ approval }) => age(approval.requestedAt)],
    ['EXPIRES', ({ approval }) => when(approval.expiresAt)],
    ['MISSING', ({ approval }) => String(approval.missing)],
    ['APPROVED BY', ({ approval }) => approval.decisions.map(({ by }) => by ?? '?').join(',')],
    ['FOR YOU', ({ approval }) => (approval.viewerCanApprove ? 'yes' : 'no')],
  ],
  name: ({ name, release, approval: { step } }) => `approval/${release.uuid}/${name}${step === null ? '' : `/${step}`}`,
};

export async function getApprovals(client: Client, filter: { product?: string }, limit: Most, style: Style) {
  const rows = await all<Answer>(client, APPROVALS.approvals, { filter }, limit);
  return renderList(byRelease(rows).flatMap(approvalsOf).filter(isOpen), style, VIEW, 'Nothing waits for an approval.');
}

export function addApprovals({ program, clientOf, styleOf, print }: Shell): void {
  const verb = (name: 'approve' | 'reject', about: string): void => {
    const command = program
      .command(name)
      .description(about)
      .argument(...RELEASE)
      .argument('<environment>', 'the environment, or the workflow step', bare('environment'))
      .option('--step <name>', 'of a step that asks while it is under way: its name, or that of its action')
      .option(REASON, 'kept with the decision')
      .option('--attempt <n>', 'refuse when this is not the attempt that asks now', wholeNumber)
      .action(async (release: string, environment: string, flags: DecisionFlags, own: Command) => {
        const { reason: comment, attempt, step } = flags;
        const input = { releaseId: idOf(release), environment, step, comment, attempt };
        const { promotion } = await ask<{ promotion: Answer }>(clientOf(own), APPROVALS[name], input);
        const all = approvalsOf(promotion);
        const decided = all.find(({ approval }) => isOf(approval, step)) as Decided;
        const style = styleOf(own);
        print(style.format === 'table' ? told(decided, name) : render(decided, style, VIEW));
      });
    formerly(command, '--comment <text>', 'reason');
  };
  verb('approve', 'agree that a release is promoted into an environment, or goes back there');
  verb('reject', 'say no: final for this attempt, which fails with the reason');
}

/** Named by its step's name, or by that of its action, which the name ends with. */
const isOf = ({ step }: Asked, named: string | undefined): boolean =>
  named === undefined ? step === null : step === named || step?.endsWith(`/${named}`) === true;

interface DecisionFlags {
  step?: string;
  reason?: string;
  attempt?: number;
}

function told({ name, status, release, waitingFor, approval }: Decided, verb: 'approve' | 'reject'): string {
  const what = `${release.productName} ${release.version.label} in ${name}${approval.step === null ? '' : `, ${approval.step}`}`;
  const taken = release.kind === 'ROLLBACK' ? 'the rollback of ' : '';
  if (verb === 'reject') return `Rejected ${taken}${what}: it is ${status}`;
  const waits = waitingFor.map(({ message }) => `it waits: ${message}`);
  return [`Approved ${taken}${what}${waits.length === 0 ? `: it is ${status}` : ''}`, ...waits].join('\n');
}
