import type { Command } from 'commander';
import { all, ask, ERRORS, PAGE } from '../asking.ts';
import type { Client } from '../client.ts';
import { idOf } from '../operations.ts';
import { formerly, REASON, RELEASE } from '../options.ts';
import { age, render, renderList, type Style, type View, when } from '../output.ts';
import type { Shell } from '../shell.ts';

/** What waits for the approval of people, and what a person says to it. */

const PROMOTION = `id name status attempt problem { message } waitingFor { message }
  release { uuid shortId kind productName version { label } }
  approval {
    status requestedAt expiresAt initiator missing viewerCanApprove
    rules { rule { name count users groups roles } missing approvals { by } }
    decisions { kind by at comment }
  }`;

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
  status: string;
  problem: { message: string } | null;
  waitingFor: { message: string }[];
  release: { uuid: string; shortId: string; kind: string; productName: string; version: { label: string } };
  approval: {
    requestedAt: string | null;
    expiresAt: string | null;
    initiator: string | null;
    missing: number;
    viewerCanApprove: boolean;
    decisions: { kind: string; by: string | null }[];
  };
}

const VIEW: View<Decided> = {
  columns: [
    ['RELEASE', ({ release }) => release.shortId, 'whole'],
    ['VERSION', ({ release }) => release.version.label],
    ['ENVIRONMENT', ({ name }) => name],
    ['ASKED', ({ approval }) => age(approval.requestedAt)],
    ['EXPIRES', ({ approval }) => when(approval.expiresAt)],
    ['MISSING', ({ approval }) => String(approval.missing)],
    ['APPROVED BY', ({ approval }) => approval.decisions.map(({ by }) => by ?? '?').join(',')],
    ['FOR YOU', ({ approval }) => (approval.viewerCanApprove ? 'yes' : 'no')],
  ],
  name: ({ name, release }) => `approval/${release.uuid}/${name}`,
};

export async function getApprovals(client: Client, filter: { product?: string }, limit: number, style: Style) {
  const rows = await all<Decided>(client, APPROVALS.approvals, { filter }, limit);
  return renderList(rows, style, VIEW, 'Nothing waits for an approval.');
}

export function addApprovals({ program, clientOf, styleOf, print }: Shell): void {
  const verb = (name: 'approve' | 'reject', about: string): void => {
    const command = program
      .command(name)
      .description(about)
      .argument(...RELEASE)
      .argument('<environment>', 'the environment, or the workflow step')
      .option(REASON, 'kept with the decision')
      .option('--attempt <n>', 'refuse when this is not the attempt that asks now', Number)
      .action(async (release: string, environment: string, flags: DecisionFlags, own: Command) => {
        const { reason: comment, attempt } = flags;
        const input = { releaseId: idOf(release), environment, comment, attempt };
        const { promotion } = await ask<{ promotion: Decided }>(clientOf(own), APPROVALS[name], input);
        const style = styleOf(own);
        print(style.format === 'table' ? told(promotion, name) : render(promotion, style, VIEW));
      });
    formerly(command, '--comment <text>', 'reason');
  };
  verb('approve', 'agree that a release is promoted into an environment, or goes back there');
  verb('reject', 'say no: final for this attempt, which fails with the reason');
}

interface DecisionFlags {
  reason?: string;
  attempt?: number;
}

function told({ name, status, release, waitingFor }: Decided, verb: 'approve' | 'reject'): string {
  const what = `${release.productName} ${release.version.label} in ${name}`;
  const taken = release.kind === 'ROLLBACK' ? 'the rollback of ' : '';
  if (verb === 'reject') return `Rejected ${taken}${what}: it is ${status}`;
  const waits = waitingFor.map(({ message }) => `it waits: ${message}`);
  return [`Approved ${taken}${what}${waits.length === 0 ? `: it is ${status}` : ''}`, ...waits].join('\n');
}
