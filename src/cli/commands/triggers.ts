import type { Command } from 'commander';
import { all, ask, ERRORS, Most, PAGE } from '../asking.ts';
import type { Client } from '../client.ts';
import { CliError, EXIT } from '../exit.ts';
import { bare, instantOf, type Moment, momentOf, REASON, UNTIL } from '../options.ts';
import { age, render, renderList, shortened, type Style, uncut, type View } from '../output.ts';
import type { Shell } from '../shell.ts';
import { WHY_AND_UNTIL_WHEN } from './controls.ts';

/** What starts releases by itself: candidates, the applications that are looked at, pauses, and whose commits are whose. */

const CANDIDATE =
  'uuid productName flowName environmentName kind status reason commit author message branch createdAt dueAt endedAt by release { shortId }';
const PAUSE = 'id productName reason by since until';
const IDENTITY = 'email user by at';

export const TRIGGER_DOCUMENTS = {
  candidates: `query CliCandidates($first: Int!, $after: String, $filter: CandidateFilterInput) {
    list: candidates(first: $first, after: $after, filter: $filter) { nodes { ${CANDIDATE} } ${PAGE} } }`,
  triggers: `query CliTriggers($product: String) { triggers(product: $product) {
    applicationName productName environmentName repository branch commit version outcome movedAt error pause { reason until } } }`,
  releaseCandidate: `mutation CliCandidateRelease($input: CandidateInput!) { payload: candidateRelease(input: $input) { candidate { ${CANDIDATE} } ${ERRORS} } }`,
  retryCandidate: `mutation CliCandidateRetry($input: CandidateInput!) { payload: candidateRetry(input: $input) { candidate { ${CANDIDATE} } ${ERRORS} } }`,
  dismissCandidate: `mutation CliCandidateDismiss($input: CandidateDismissInput!) { payload: candidateDismiss(input: $input) { candidate { ${CANDIDATE} } ${ERRORS} } }`,
  pauseTriggers: `mutation CliTriggerPause($input: TriggerPauseInput!) { payload: triggerPause(input: $input) { pauses { ${PAUSE} } ${ERRORS} } }`,
  resumeTriggers: `mutation CliTriggerResume($input: TriggerResumeInput!) { payload: triggerResume(input: $input) { pauses { ${PAUSE} } ${ERRORS} } }`,
  explainTrigger: `query CliExplainTrigger($repository: String!, $ref: String, $commit: String) {
    told: explainTrigger(repository: $repository, ref: $ref, commit: $commit) { nothing applications { application product environment outcome } } }`,
  gitIdentities: `query CliGitIdentities { gitIdentities { ${IDENTITY} } }`,
  setGitIdentity: `mutation CliGitIdentitySet($input: GitIdentitySetInput!) { payload: gitIdentitySet(input: $input) { identity { ${IDENTITY} } ${ERRORS} } }`,
  deleteGitIdentity: `mutation CliGitIdentityDelete($input: GitIdentityDeleteInput!) { payload: gitIdentityDelete(input: $input) { ${ERRORS} } }`,
};

interface CandidateShown {
  uuid: string;
  productName: string;
  flowName: string;
  kind: string;
  status: string;
  reason: string;
  commit: string | null;
  createdAt: string;
  release: { shortId: string } | null;
}

const CANDIDATE_VIEW: View<CandidateShown> = {
  columns: [
    ['ID', ({ uuid }) => shortened(uuid), 'whole'],
    ['PRODUCT', ({ productName }) => productName],
    ['FLOW', ({ flowName }) => flowName],
    ['BY', ({ kind }) => kind],
    ['COMMIT', ({ commit }) => commit?.slice(0, 7)],
    ['STATUS', ({ status }) => status],
    ['RELEASE', ({ release }) => release?.shortId, 'whole'],
    ['AGE', ({ createdAt }) => age(createdAt)],
    ['', ({ reason }) => reason],
  ],
  name: ({ uuid }) => `candidate/${uuid}`,
};

interface TriggerShown {
  applicationName: string;
  productName: string;
  branch: string | null;
  commit: string | null;
  version: string | null;
  outcome: string | null;
  movedAt: string | null;
  error: string | null;
  pause: { reason: string; until: string | null } | null;
}

const lastLookOf = ({ error, outcome }: TriggerShown): string => error ?? outcome ?? 'not looked at yet';

const TRIGGER_VIEW: View<TriggerShown> = {
  columns: [
    ['APPLICATION', ({ applicationName }) => applicationName],
    ['PRODUCT', ({ productName }) => productName],
    ['BRANCH', ({ branch }) => branch],
    ['AT', ({ commit, version }) => version ?? commit?.slice(0, 7)],
    ['CHANGED', ({ movedAt }) => age(movedAt)],
    ['PAUSED', ({ pause }) => pause && `${pause.reason}${pause.until === null ? '' : ` (until ${pause.until})`}`],
    ['LAST LOOK', lastLookOf],
  ],
  name: ({ applicationName }) => `trigger/${applicationName}`,
};

interface PauseShown {
  id: string;
  productName: string | null;
  reason: string;
  by: string | null;
  since: string;
  until: string | null;
}

const PAUSE_VIEW: View<PauseShown> = {
  columns: WHY_AND_UNTIL_WHEN,
  name: ({ id }) => `pause/${id}`,
};

interface IdentityShown {
  email: string;
  user: string;
  by: string | null;
  at: string;
}

const IDENTITY_VIEW: View<IdentityShown> = {
  columns: [
    ['EMAIL', ({ email }) => email],
    ['USER', ({ user }) => user],
    ['BY', ({ by }) => by],
    ['SINCE', ({ at }) => age(at)],
  ],
  name: ({ email }) => `git-identity/${email}`,
};

function listCandidates(client: Client, product: string | undefined, limit: Most): Promise<CandidateShown[]> {
  return all(client, TRIGGER_DOCUMENTS.candidates, { filter: { product } }, limit);
}

export async function getCandidates(
  client: Client,
  product: string | undefined,
  limit: Most,
  style: Style,
): Promise<string> {
  const rows = await listCandidates(client, product, limit);
  const none = 'No candidates yet: they come with the next push to a trigger environment.';
  const reasons = uncut(
    rows,
    style,
    ({ uuid }) => shortened(uuid),
    ({ reason }) => reason,
  );
  return renderList(rows, style, CANDIDATE_VIEW, none) + reasons;
}

export async function getTriggers(client: Client, product: string | undefined, style: Style): Promise<string> {
  const { triggers } = await client.ask<{ triggers: TriggerShown[] }>(TRIGGER_DOCUMENTS.triggers, { product });
  const list = renderList(triggers, style, TRIGGER_VIEW, 'No application starts releases by itself.');
  return list + uncut(triggers, style, (each) => each.applicationName, lastLookOf);
}

export async function getGitIdentities(client: Client, style: Style): Promise<string> {
  const { gitIdentities } = await client.ask<{ gitIdentities: IdentityShown[] }>(TRIGGER_DOCUMENTS.gitIdentities, {});
  return renderList(gitIdentities, style, IDENTITY_VIEW, 'No git identity is mapped.');
}

/** By its id, the beginning of it, or its product for the newest one; also as `-o name` prints it. */
async function candidateIdOf(client: Client, typed: string): Promise<string> {
  const named = typed.replace(/^candidate\//, '');
  if (UUID.test(named)) return named;
  if (/^[0-9a-f]{8}/.test(named)) {
    const newest = await listCandidates(client, undefined, new Most(NEWEST));
    const fitting = newest.filter(({ uuid }) => uuid.startsWith(named));
    if (fitting.length === 1) return fitting[0]!.uuid;
    if (fitting.length > 1)
      throw new CliError(EXIT.REFUSED, `${fitting.length} candidates begin with '${named}': name more of it`);
  }
  const [ofProduct] = await listCandidates(client, named, new Most(1));
  if (ofProduct) return ofProduct.uuid;
  throw new CliError(EXIT.REFUSED, `There is no candidate '${typed}'. See: sluice get candidates`);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** The beginning of an id is looked for among so many. */
const NEWEST = 500;

const CANDIDATE_ARGUMENT = [
  '<candidate>',
  'its id, the first 8 characters of it, or a product for its newest one',
] as const;

/** `sluice candidate …`, `sluice trigger …`, `sluice git-identity …` */
export function addTriggers({ program, clientOf, styleOf, print }: Shell): void {
  const act = async (command: Command, document: string, named: string, more: object = {}): Promise<void> => {
    const client = clientOf(command);
    const input = { candidateId: await candidateIdOf(client, named), ...more };
    const { candidate } = await ask<{ candidate: CandidateShown }>(client, document, input);
    print(render(candidate, styleOf(command), CANDIDATE_VIEW));
  };
  const candidate = program
    .command('candidate')
    .description('what may become a release by itself: release, retry, dismiss');
  candidate
    .command('release')
    .description('make a release of it now, whatever it waits for')
    .argument(...CANDIDATE_ARGUMENT)
    .action((named: string, _flags: object, command: Command) =>
      act(command, TRIGGER_DOCUMENTS.releaseCandidate, named),
    );
  candidate
    .command('retry')
    .description('look at it once more after it was refused, dismissed or given up')
    .argument(...CANDIDATE_ARGUMENT)
    .action((named: string, _flags: object, command: Command) => act(command, TRIGGER_DOCUMENTS.retryCandidate, named));
  candidate
    .command('dismiss')
    .description('it is not to become a release')
    .argument(...CANDIDATE_ARGUMENT)
    .requiredOption(REASON, 'why; kept with it')
    .action((named: string, { reason }: { reason: string }, command: Command) =>
      act(command, TRIGGER_DOCUMENTS.dismissCandidate, named, { reason }),
    );

  const trigger = program.command('trigger').description('what starts releases by itself: pause, resume, explain');
  trigger
    .command('pause')
    .description('nothing becomes a release by itself until it is over: candidates wait')
    .argument('[product]', 'its name; every product when left out', bare('product'))
    .requiredOption(REASON, 'why; shown with what waits')
    .option('--until <when>', `when it ends by itself: ${UNTIL}`, momentOf)
    .action(async (product: string | undefined, flags: { reason: string; until?: Moment }, command: Command) => {
      const client = clientOf(command);
      const input = { product, ...flags, until: await instantOf(client, flags.until) };
      const { pauses } = await ask<{ pauses: PauseShown[] }>(client, TRIGGER_DOCUMENTS.pauseTriggers, input);
      print(render(pauses, styleOf(command), PAUSE_VIEW));
    });
  trigger
    .command('resume')
    .description('end the pauses: what waited goes on at once')
    .argument('[product]', 'its own pauses; those of all products when left out', bare('product'))
    .action(async (product: string | undefined, _flags: object, command: Command) => {
      const input = { product };
      const { pauses } = await ask<{ pauses: PauseShown[] }>(
        clientOf(command),
        TRIGGER_DOCUMENTS.resumeTriggers,
        input,
      );
      print(render(pauses, styleOf(command), PAUSE_VIEW));
    });
  trigger
    .command('explain')
    .description('what a push leads to, application by application')
    .argument('<repository>', 'the address of the repository')
    .argument('[ref]', 'the branch, or a full ref; every branch when left out')
    .option('--commit <id>', 'the full id of a commit of it (default: the head)')
    .action(async (repository: string, ref: string | undefined, flags: { commit?: string }, command: Command) => {
      const asked = { repository, ref, ...flags };
      const { told } = await clientOf(command).ask<{ told: Explained }>(TRIGGER_DOCUMENTS.explainTrigger, asked);
      print(renderList(told.applications, styleOf(command), OUTCOME_VIEW, `Nothing: ${told.nothing}.`));
    });

  const identity = program.command('git-identity').description('whose commits those of an address are: set, delete');
  identity
    .command('set')
    .description('commits of this address are those of this user')
    .argument('<email>', 'the address, as commits have it', bare('git-identity'))
    .argument('<user>', 'the name of the user, as grants have it')
    .action(async (email: string, user: string, _flags: object, command: Command) => {
      const document = TRIGGER_DOCUMENTS.setGitIdentity;
      const { identity: set } = await ask<{ identity: IdentityShown }>(clientOf(command), document, { email, user });
      print(render(set, styleOf(command), IDENTITY_VIEW));
    });
  identity
    .command('delete')
    .description('commits of this address are known as nobody’s again')
    .argument('<email>', 'the address', bare('git-identity'))
    .action(async (email: string, _flags: object, command: Command) => {
      await ask(clientOf(command), TRIGGER_DOCUMENTS.deleteGitIdentity, { email });
      print(`Commits of ${email} are known as nobody's.`);
    });
}

interface Outcome {
  application: string;
  product: string;
  environment: string;
  outcome: string;
}

interface Explained {
  nothing: string | null;
  applications: Outcome[];
}

const OUTCOME_VIEW: View<Outcome> = {
  columns: [
    ['APPLICATION', ({ application }) => application],
    ['PRODUCT', ({ product }) => product],
    ['', ({ outcome }) => outcome],
  ],
  name: ({ application }) => `application/${application}`,
};
