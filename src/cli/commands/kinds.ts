import { manyOf } from '../../core/kinds/index.ts';
import { age, type Column } from '../output.ts';

/** What `get` can show of definitions: how the API calls it, and which columns a list has. */

export interface DefinitionKind {
  /** What people type: the first is the name, the others are taken as well. */
  names: string[];
  one: string;
  many: string;
  /** The columns' fields besides those that every definition has. */
  fields: string;
  columns: Column<DefinitionRow>[];
  /** Whether its list can be that of one product. */
  ofProduct: boolean;
}

export interface DefinitionRow {
  name: string;
  revision: number;
  updatedAt: string;
  manifest: string;
  [field: string]: unknown;
}

const text =
  (field: string): ((row: DefinitionRow) => string | null) =>
  (row) =>
    row[field] as string | null;
const count =
  (field: string): ((row: DefinitionRow) => string) =>
  (row) =>
    String((row[field] as unknown[] | null)?.length ?? 0);
const named =
  (field: string): ((row: DefinitionRow) => string) =>
  (row) =>
    (row[field] as { name: string }[]).map(({ name }) => name).join(',');

const set =
  (setting: string): ((row: DefinitionRow) => string | null) =>
  (row) =>
    (row['policy'] as Record<string, string | null>)[setting] ?? null;

const kind = (
  names: string[],
  one: string,
  fields: string,
  columns: Column<DefinitionRow>[],
  last: Column<DefinitionRow>[] = [],
): DefinitionKind => ({
  names,
  ofProduct: one === 'application',
  one,
  many: manyOf(one),
  fields,
  columns: [
    ['NAME', text('name')],
    ...columns,
    ['REVISION', ({ revision }) => String(revision)],
    ['CHANGED', (row) => age(row.updatedAt)],
    ...last,
  ],
});

/** The last look at the repository of an application; null where changes there start no release by themselves. */
interface Look {
  lookedAt: string | null;
  error: string | null;
  pullRequestError: string | null;
}
const lookOf = (row: DefinitionRow): Look | null => row['look'] as Look | null;

export const DEFINITION_KINDS: DefinitionKind[] = [
  kind(['products', 'product'], 'product', 'concurrency description promotionFlows { name }', [
    ['FLOWS', named('promotionFlows')],
    ['CONCURRENCY', text('concurrency')],
  ]),
  kind(
    ['applications', 'application', 'apps', 'app'],
    'application',
    'productName environmentName driver { type } health { type } look { lookedAt nextAt commit failure error failures pullRequestError }',
    [
      ['PRODUCT', text('productName')],
      ['ENVIRONMENT', text('environmentName')],
      ['DRIVER', ({ driver }) => (driver as { type: string }).type],
      ['HEALTH', ({ health }) => (health as { type: string }).type],
    ],
    [
      ['LOOKED AT', (row) => age(lookOf(row)?.lookedAt)],
      ['', (row) => lookOf(row)?.error ?? lookOf(row)?.pullRequestError ?? ' '],
    ],
  ),
  kind(['environments', 'environment', 'envs', 'env'], 'environment', 'kind description', [['KIND', text('kind')]]),
  kind(
    ['groups', 'group', 'environmentgroups', 'environmentgroup'],
    'environmentGroup',
    'description gate { policy count percent }',
    [['GATE', ({ gate }) => gateWords(gate as Parameters<typeof gateWords>[0])]],
  ),
  kind(
    ['flows', 'flow', 'promotionflows', 'promotionflow'],
    'promotionFlow',
    'description version triggerEnvironment steps { name }',
    [
      ['TRIGGER', text('triggerEnvironment')],
      ['STEPS', count('steps')],
      ['VERSION', text('version')],
    ],
  ),
  kind(
    ['workflows', 'workflow', 'promotionworkflows', 'promotionworkflow'],
    'promotionWorkflow',
    'description actions { name }',
    [['ACTIONS', named('actions')]],
  ),
  kind(
    ['policies', 'policy', 'promotionpolicies', 'promotionpolicy'],
    'promotionPolicy',
    `priority locked policy { preAction action postAction }
      selector { product { names } targetEnvironment { names kinds } }`,
    [
      ['PRIORITY', ({ priority }) => String(priority)],
      ['PRE-ACTION', set('preAction')],
      ['ACTION', set('action')],
      ['POST-ACTION', set('postAction')],
      ['LOCKED', (row) => (row['locked'] as string[]).join(',')],
      ['PRODUCTS', (row) => selected(row, 'product')],
      ['ENVIRONMENTS', (row) => selected(row, 'targetEnvironment')],
    ],
  ),
  kind(
    ['templates', 'template', 'promotiontemplates', 'promotiontemplate'],
    'promotionTemplate',
    'promotion { file }',
    [['FILES', (row) => (row['promotion'] as { file: string }[] | null)?.map(({ file }) => file).join(',')]],
  ),
  kind(
    ['windows', 'window', 'releasewindows', 'releasewindow'],
    'releaseWindow',
    `kind description timeZone holds onClose
      times { cron { expression duration end } rrule { rule start duration end } once { from to } }`,
    [
      ['KIND', text('kind')],
      ['TIMES', ({ times }) => timesWords(times as WindowTimes)],
      ['TIME ZONE', text('timeZone')],
      ['HOLDS', ({ holds }) => (holds as string[]).join(',')],
    ],
  ),
  kind(
    ['sources', 'source', 'gitsources', 'gitsource'],
    'gitSource',
    `repoURL branch path description look { lookedAt nextAt error }
      status { state syncedCommit syncedAt seenCommit drift { kind name how } driftAt errors { file line column message } }`,
    [
      ['STATE', (row) => standing(row).state],
      ['COMMIT', (row) => standing(row).syncedCommit?.slice(0, 9) ?? null],
      ['REPOSITORY', text('repoURL')],
      ['BRANCH', text('branch')],
      ['PATH', text('path')],
    ],
    [
      ['LOOKED AT', (row) => age(lookOf(row)?.lookedAt)],
      ['', (row) => firstOf(standing(row).errors) ?? lookOf(row)?.error ?? ' '],
    ],
  ),
];

/** How a git source stands. */
interface Standing {
  state: string;
  syncedCommit: string | null;
  errors: SourceErrorShown[];
}
const standing = (row: DefinitionRow): Standing => row['status'] as Standing;

/** What keeps a commit of a git source from being applied. */
export interface SourceErrorShown {
  file: string | null;
  line: number | null;
  column: number | null;
  message: string;
}

/** `file:line:column: message`, as compilers print it. */
export const placed = ({ file, line, column, message }: SourceErrorShown): string =>
  file === null ? message : `${file}:${line ?? 1}:${column ?? 1}: ${message}`;

const firstOf = (errors: SourceErrorShown[]): string | null => {
  const [first] = errors;
  if (!first) return null;
  return errors.length === 1 ? placed(first) : `${placed(first)} and ${errors.length - 1} more`;
};

/** Names and kinds; labels are in the manifest. */
function selected(row: DefinitionRow, what: 'product' | 'targetEnvironment'): string | null {
  const { names, kinds } = (row['selector'] as Record<string, { names: string[] | null; kinds?: string[] | null }>)[
    what
  ]!;
  return [...(names ?? []), ...(kinds ?? [])].join(',') || null;
}

interface Lasting {
  duration: string | null;
  end: string | null;
}

interface WindowTimes {
  cron: (Lasting & { expression: string }) | null;
  rrule: (Lasting & { rule: string; start: string }) | null;
  once: { from: string; to: string } | null;
}

function timesWords({ cron, rrule, once }: WindowTimes): string | null {
  const lasting = ({ duration, end }: Lasting): string => (duration === null ? `to ${end}` : `for ${duration}`);
  if (cron) return `${cron.expression} ${lasting(cron)}`;
  if (rrule) return `${rrule.rule} from ${rrule.start} ${lasting(rrule)}`;
  return once && `${once.from} to ${once.to}`;
}

function gateWords({
  policy,
  count: least,
  percent,
}: {
  policy: string;
  count: number | null;
  percent: number | null;
}): string {
  if (policy !== 'AT_LEAST') return policy;
  return percent === null ? `AT_LEAST ${least}` : `AT_LEAST ${percent}%`;
}
