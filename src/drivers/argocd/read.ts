/**
 * What decides of an Argo CD application, read from its answers by a reader process: they are foreign text, of some megabytes where an
 * application has thousands of resources. Texts are cut, lists are bounded, and a part of another shape counts as absent.
 */

/** Times are as Argo CD writes them: RFC 3339, UTC, whole seconds. */
export interface ArgoApplication {
  /** Another one of the same name, made after it was deleted, has another. */
  uid: string;
  /** In the order of the application; one where it has a single source. */
  sources: ArgoSource[];
  /** Revisions stand by source, in lists. */
  several: boolean;
  /** What is committed is hydrated into another branch first, and that is synced. */
  hydrator?: ArgoHydrator;
  autoSync: boolean;
  /** Synced, OutOfSync, Unknown. `revisions`: what was compared, by source. */
  sync: { status: string; revisions: string[] };
  /** Healthy, Progressing, Degraded, Suspended, Missing, Unknown. */
  health: { status: string; message: string };
  /** Asked for and not begun. */
  asked?: ArgoOperation;
  /** Begun; the last one where none goes on. */
  operation?: ArgoOperation & { phase: string; message: string; finishedAt?: string; revisions: string[] };
  /** When it was compared and its health was judged the last time. */
  reconciledAt?: string;
  /** Errors that keep Argo CD from comparing. */
  errors: string[];
}

/** One of the places that an application is made from. */
export interface ArgoSource {
  repoURL: string;
  /** Empty for sources that are only referred to. */
  path: string;
  /** It is a chart of a Helm repository: its revisions are versions. */
  chart: boolean;
  targetRevision: string;
}

/** What is committed, and how far its hydration is. */
export interface ArgoHydrator {
  dry: ArgoSource;
  /** Hydrating, Hydrated, Failed. */
  phase: string;
  message: string;
  /** The commit that was hydrated last without an error, and the commit that came of it, where there was anything to change. */
  last?: { dry: string; hydrated: string; finishedAt?: string };
}

/** `key`: the one under which Sluice asked for it. */
export interface ArgoOperation {
  key?: string;
  by: string;
}

/** A resource of the tree that decides, or explains. */
export interface ArgoResource {
  kind: string;
  namespace: string;
  name: string;
  health: string;
  message: string;
}

/** `canSync`: people and tokens may. `auto`: auto-sync may. */
export interface ArgoWindows {
  canSync: boolean;
  auto: boolean;
  /** In words, those that decide. */
  about: string;
}

/** The name under which Sluice's key stands among the infos of an operation. */
export const KEY_INFO = 'sluice-key';

const LONGEST_TEXT = 500;
const MOST_SOURCES = 100;
const MOST_RESOURCES = 50;

type Part = Record<string, unknown>;

/** Of the answer to `GET /api/v1/applications/NAME`. */
export function readApplication(answer: unknown): ArgoApplication {
  const root = partOf(answer);
  const spec = partOf(root['spec']);
  const status = partOf(root['status']);
  const several = Array.isArray(spec['sources']) && spec['sources'].length > 0;
  const sources = several ? listOf(spec['sources']).slice(0, MOST_SOURCES) : [spec['source']];
  const sync = partOf(status['sync']);
  const health = partOf(status['health']);
  const begun = partOf(status['operationState']);
  const automated = partOf(spec['syncPolicy'])['automated'];
  const conditions = listOf(status['conditions']).map(partOf);
  return {
    uid: textOf(partOf(root['metadata'])['uid']),
    sources: sources.map(sourceOf),
    several,
    ...(isPart(spec['sourceHydrator']) && {
      hydrator: hydratorOf(spec['sourceHydrator'], partOf(status['sourceHydrator'])),
    }),
    autoSync: isPart(automated) && automated['enabled'] !== false,
    sync: { status: textOf(sync['status']), revisions: revisionsOf(sync, several) },
    health: { status: textOf(health['status']), message: textOf(health['message']) },
    ...(isPart(root['operation']) && { asked: operationOf(root['operation']) }),
    ...(isPart(status['operationState']) && {
      operation: {
        ...operationOf(partOf(begun['operation'])),
        phase: textOf(begun['phase']),
        message: textOf(begun['message']),
        finishedAt: timeOf(begun['finishedAt']),
        revisions: revisionsOf(partOf(begun['syncResult']), several),
      },
    }),
    reconciledAt: timeOf(status['reconciledAt']),
    errors: conditions.flatMap(({ type, message }) =>
      /^(Comparison|InvalidSpec|Unknown)Error$/.test(textOf(type)) ? [`${textOf(type)}: ${textOf(message)}`] : [],
    ),
  };
}

/** The Rollouts of an application, and whatever is not healthy; of the answer to `…/resource-tree`. */
export function readTree(answer: unknown): ArgoResource[] {
  return listOf(partOf(answer)['nodes'])
    .map(partOf)
    .map((node): ArgoResource & { group: string } => ({
      group: textOf(node['group']),
      kind: textOf(node['kind']),
      namespace: textOf(node['namespace']),
      name: textOf(node['name']),
      health: textOf(partOf(node['health'])['status']),
      message: textOf(partOf(node['health'])['message']),
    }))
    .filter((each) => isRollout(each) || !['', 'Healthy'].includes(each.health))
    .toSorted((a, b) => Number(isRollout(b)) - Number(isRollout(a)))
    .slice(0, MOST_RESOURCES)
    .map(({ group: _, ...each }) => each);
}

const isRollout = ({ group, kind }: { group: string; kind: string }): boolean =>
  kind === 'Rollout' && group === 'argoproj.io';

/** Of the answer to `…/syncwindows`. */
export function readWindows(answer: unknown): ArgoWindows {
  const { activeWindows, assignedWindows, canSync } = partOf(answer);
  const active = listOf(activeWindows).map(partOf);
  const assigned = listOf(assignedWindows).map(partOf);
  const isKind =
    (kind: string) =>
    (each: Part): boolean =>
      each['kind'] === kind;
  const denied = active.filter(isKind('deny'));
  const allowed = assigned.filter(isKind('allow'));
  const isOutside = denied.length === 0 && allowed.length > 0 && !active.some(isKind('allow'));
  const deciding = denied.length > 0 ? denied : isOutside ? allowed : [];
  return {
    canSync: canSync !== false,
    auto: deciding.length === 0,
    about: deciding
      .slice(0, 5)
      .map((each) => `${textOf(each['kind'])} "${textOf(each['schedule'])}" for ${textOf(each['duration'])}`)
      .join(', '),
  };
}

/** What an answer that is an error says. */
export function readError(answer: unknown): string {
  const { message, error } = partOf(answer);
  return textOf(message) || textOf(error);
}

function sourceOf(value: unknown): ArgoSource {
  const { repoURL, path, chart, targetRevision } = partOf(value);
  return {
    repoURL: textOf(repoURL),
    path: textOf(path),
    chart: textOf(chart) !== '',
    targetRevision: textOf(targetRevision),
  };
}

function hydratorOf(spec: Part, status: Part): ArgoHydrator {
  const current = partOf(status['currentOperation']);
  const last = partOf(status['lastSuccessfulOperation']);
  const dry = textOf(last['drySHA']);
  return {
    dry: sourceOf(spec['drySource']),
    phase: textOf(current['phase']),
    message: textOf(current['message']),
    ...(dry !== '' && {
      last: {
        dry,
        hydrated: textOf(last['hydratedSHA']),
        // The last one that went well keeps no times of its own.
        finishedAt: current['drySHA'] === dry ? timeOf(current['finishedAt']) : undefined,
      },
    }),
  };
}

function operationOf({ info, initiatedBy }: Part): ArgoOperation {
  const { username, automated } = partOf(initiatedBy);
  const key = listOf(info)
    .map(partOf)
    .find(({ name }) => name === KEY_INFO)?.['value'];
  return {
    ...(typeof key === 'string' && { key }),
    by: automated === true ? 'auto-sync' : textOf(username) || 'somebody',
  };
}

function revisionsOf({ revision, revisions }: Part, several: boolean): string[] {
  return several ? listOf(revisions).slice(0, MOST_SOURCES).map(textOf) : [textOf(revision)];
}

const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null && !Array.isArray(value);
const partOf = (value: unknown): Part => (isPart(value) ? value : {});
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const textOf = (value: unknown): string => (typeof value === 'string' ? value.slice(0, LONGEST_TEXT) : '');
const timeOf = (value: unknown): string | undefined =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : undefined;
