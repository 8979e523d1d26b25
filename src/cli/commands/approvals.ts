import type { Command } from 'commander';
import type { Client, UserError } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { findRelease } from '../operations.ts';
import { age, type Column, type Format, render } from '../output.ts';

/** What waits for the approval of people, and what a person says to it. */

const PROMOTION = `id name status attempt problem { message } waitingFor { message }
  release { uuid productName version { label } }
  approval {
    status requestedAt expiresAt initiator missing viewerCanApprove
    rules { rule { name count users groups roles } missing approvals { by } }
    decisions { kind by at comment }
  }`;
const ERRORS = 'userErrors { code message path }';

export const APPROVALS = {
  approve: `mutation CliApprove($input: PromotionDecisionInput!) {
    payload: promotionApprove(input: $input) { promotion { ${PROMOTION} } ${ERRORS} } }`,
  reject: `mutation CliReject($input: PromotionDecisionInput!) {
    payload: promotionReject(input: $input) { promotion { ${PROMOTION} } ${ERRORS} } }`,
  approvals: `query CliApprovals($first: Int!, $after: String, $filter: ApprovalFilterInput) {
    approvals(first: $first, after: $after, filter: $filter) {
      nodes { ${PROMOTION} } pageInfo { hasNextPage endCursor } } }`,
};

interface Decided {
  id: string;
  name: string;
  status: string;
  problem: { message: string } | null;
  waitingFor: { message: string }[];
  release: { uuid: string; productName: string; version: { label: string } };
  approval: {
    requestedAt: string | null;
    expiresAt: string | null;
    initiator: string | null;
    missing: number;
    viewerCanApprove: boolean;
    decisions: { kind: string; by: string | null }[];
  };
}

interface Page {
  approvals: { nodes: Decided[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

const COLUMNS: Column<Decided>[] = [
  ['RELEASE', ({ release }) => release.uuid],
  ['PRODUCT', ({ release }) => release.productName],
  ['VERSION', ({ release }) => release.version.label],
  ['ENVIRONMENT', ({ name }) => name],
  ['ASKED', ({ approval }) => age(approval.requestedAt)],
  ['EXPIRES', ({ approval }) => approval.expiresAt],
  ['MISSING', ({ approval }) => String(approval.missing)],
  ['APPROVED BY', ({ approval }) => approval.decisions.map(({ by }) => by ?? '?').join(',')],
  ['FOR YOU', ({ approval }) => (approval.viewerCanApprove ? 'yes' : 'no')],
];
const VIEW = { columns: COLUMNS, name: ({ name, release }: Decided) => `approval/${release.uuid}/${name}` };

export async function getApprovals(
  client: Client,
  { product, limit }: { product?: string; limit: number },
  format: Format,
): Promise<string> {
  const rows: Decided[] = [];
  let after: string | null = null;
  do {
    const first = Math.min(limit - rows.length, 100);
    const { approvals }: Page = await client.ask<Page>(APPROVALS.approvals, { first, after, filter: { product } });
    rows.push(...approvals.nodes);
    after = approvals.pageInfo.hasNextPage ? approvals.pageInfo.endCursor : null;
  } while (after !== null && rows.length < limit);
  if (rows.length === 0 && format === 'table') return 'Nothing waits for an approval.';
  return render(rows, format, VIEW);
}

interface Shell {
  program: Command;
  clientOf: (command: Command) => Client;
  print: (text: string) => void;
}

export function addApprovals({ program, clientOf, print }: Shell): void {
  const verb = (name: 'approve' | 'reject', about: string): void => {
    program
      .command(name)
      .description(about)
      .argument('<release>', 'its id, a product for its newest one, or `latest`')
      .argument('<environment>', 'the environment, or the workflow step')
      .option('--comment <text>', 'kept with the decision')
      .option('--attempt <n>', 'refuse when this is not the attempt that asks now', Number)
      .action(
        async (
          release: string,
          environment: string,
          flags: { comment?: string; attempt?: number },
          command: Command,
        ) => {
          const client = clientOf(command);
          const { id: releaseId } = await findRelease(client, release);
          const { payload } = await client.ask<{ payload: { promotion: Decided | null; userErrors: UserError[] } }>(
            APPROVALS[name],
            { input: { releaseId, environment, ...flags } },
          );
          const { promotion, userErrors } = payload;
          if (!promotion) throw new CliError(EXIT.REFUSED, userErrors.map(({ message }) => message).join('\n'));
          const { output } = command.optsWithGlobals<{ output: Format }>();
          print(output === 'table' ? told(promotion, name) : render(promotion, output, VIEW));
        },
      );
  };
  verb('approve', 'agree that a release is promoted into an environment: it starts when nothing else is missing');
  verb('reject', 'say no: final for this attempt, which fails with the comment');
}

function told({ name, status, release, waitingFor }: Decided, verb: 'approve' | 'reject'): string {
  const what = `${release.productName} ${release.version.label} in ${name}`;
  if (verb === 'reject') return `Rejected ${what}: it is ${status}`;
  const waits = waitingFor.map(({ message }) => `it waits: ${message}`);
  return [`Approved ${what}${waits.length === 0 ? `: it is ${status}` : ''}`, ...waits].join('\n');
}
