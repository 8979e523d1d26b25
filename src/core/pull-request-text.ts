import type { FrozenPolicy, SettingOrigin } from './policies.ts';
import type { NotedCommit } from './release-notes.ts';

/** What a pull request is told to be about: names, versions and messages come from outside. */
export interface AboutPullRequest {
  product: string;
  environment: string;
  /** What people call the version that comes. */
  version: string;
  /** `billing#42`. */
  release: string;
  /** Where people look at the release. */
  link: string;
  flow: string;
  /** The environments of the release in their order. */
  way: readonly string[];
  /** Each with what is live there now, as far as that is known. */
  applications: readonly { name: string; from: string | null; to: string }[];
  /** The commit of the source that the version is of. */
  source?: { commit?: string; author?: string; message?: string; date?: string };
  /** What the version brings beside what is live there, newest first; `moreCommits`: how many there are besides those. */
  commits?: readonly Pick<NotedCommit, 'commit' | 'author' | 'subject'>[];
  moreCommits?: number;
  /** What the release froze for this environment. */
  policy?: FrozenPolicy;
  files: readonly { path: string; added: number | null; removed: number | null }[];
  /** How many files there are besides those. */
  more: number;
  /** Of a rollback: what it takes back, and why. */
  rollback?: { takesBack: string; reason: string };
  /** Sluice merges it by itself. */
  merges: boolean;
}

/** GitHub takes 65,536 characters of a body. */
const MOST_BODY = 60_000;
const MOST_TITLE = 200;
const MOST_NAMED = 50;
const MOST_TEXT = 300;

/**
 * Text from outside as a part of Markdown: in one line, bounded, and saying nothing but itself. No `@name` that tells people, no word
 * that closes an issue, no `#12` and no `GH-12`, no HTML, no link and no image, whose address would be asked for by all who look.
 */
export function plainly(text: string, most = MOST_TEXT): string {
  const line = oneLine(text, most);
  return inert(line.replace(/[\\`*_{}[\]()<>|~!&]/g, '\\$&'));
}

/** The same where no Markdown is read: in a title, and in a commit message, which hosts read for the same words. */
export function inertly(text: string, most = MOST_TEXT): string {
  return inert(oneLine(text, most));
}

function oneLine(text: string, most: number): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029\s]+/gu, ' ').trim();
  return line.length > most ? `${line.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…` : line;
}

/** Takes up no room, and is a part of no word. */
const NOTHING = '\u200b';

/** The words with which GitHub, GitLab and Gitea close issues, in any form. */
const CLOSING = /\b(clos|fix|resolv|implement|reopen)(?=(e|es|ed|ing|s)?\b)/gi;

function inert(text: string): string {
  return text
    .replace(/@/g, `@${NOTHING}`)
    .replace(/([#!$%])(?=\w)/g, `$1${NOTHING}`)
    .replace(/\bGH-(?=\d)/gi, (each) => `${each}${NOTHING}`)
    .replace(/:\/\//g, `:${NOTHING}//`)
    .replace(/\bwww\./gi, (each) => `${each.slice(0, 3)}${NOTHING}.`)
    .replace(CLOSING, (each) => `${each[0]}${NOTHING}${each.slice(1)}`);
}

/** The title; `template` may hold `${PRODUCT}`, `${VERSION}` and `${ENVIRONMENT}`. */
export function titleOf(
  about: Pick<AboutPullRequest, 'product' | 'environment' | 'version'> & { rollback?: unknown },
  template?: string,
): string {
  const { product, version, environment, rollback } = about;
  const usual = rollback
    ? 'Roll back ${PRODUCT} in ${ENVIRONMENT} to ${VERSION}'
    : 'Promote ${PRODUCT} ${VERSION} to ${ENVIRONMENT}';
  const values: Record<string, string> = { PRODUCT: product, VERSION: version, ENVIRONMENT: environment };
  const text = (rollback ? usual : (template ?? usual)).replace(
    /\$\{(PRODUCT|VERSION|ENVIRONMENT)\}/g,
    (_, name: string) => values[name] ?? '',
  );
  return inertly(text, MOST_TITLE);
}

/** The body, in Markdown. `key` stands in it where people do not see it. */
export function bodyOf(about: AboutPullRequest, key: string): string {
  const { product, environment, version, release, link, flow, way, applications, source, rollback, merges } = about;
  const what = rollback
    ? `Takes **${plainly(product)}** in **${plainly(environment)}** back from ${plainly(rollback.takesBack)} to **${plainly(version)}**.`
    : `Brings **${plainly(product)} ${plainly(version)}** to **${plainly(environment)}**.`;
  const which = `[${plainly(release)}](${link})`;
  const parts = [
    what,
    ...(rollback && rollback.reason !== '' ? [`Why: ${plainly(rollback.reason)}`] : []),
    `Release ${which} of flow ${plainly(flow)}${way.length > 1 ? `: ${stepsOf(way, environment)}` : ''}.`,
    table(
      ['Application', 'Live now', 'Comes'],
      applications.map(({ name, from, to }) => [name, from ?? 'not known', to]),
    ),
    ...(source ? sourceOf(source) : []),
    ...commitsOf(about),
    ...settingsOf(about),
    ...filesOf(about),
    merges
      ? 'Sluice merges this pull request by itself, as soon as it may.'
      : 'The promotion goes on when this is merged, by any method. Closing it ends the promotion.',
    `Commits of others on this branch make it another content than the one that is to be released: the promotion then fails after the merge.`,
    `<!-- sluice:${key.replace(/[^\w.:/-]/g, '-').replace(/--+/g, '-')} -->`,
  ];
  const body = parts.join('\n\n');
  return body.length > MOST_BODY ? `${body.slice(0, MOST_BODY)}\n\n…` : body;
}

function stepsOf(way: readonly string[], environment: string): string {
  const at = way.indexOf(environment);
  const first = Math.max(0, at - MOST_NAMED / 2);
  const shown = way.slice(first, first + MOST_NAMED);
  const names = shown.map((each) => (each === environment ? `**${plainly(each)}**` : plainly(each)));
  return [...(first > 0 ? ['…'] : []), ...names, ...(first + shown.length < way.length ? ['…'] : [])].join(' → ');
}

function sourceOf({ commit, author, message, date }: NonNullable<AboutPullRequest['source']>): string[] {
  if (commit === undefined) return [];
  const subject = message === undefined ? '' : `: ${plainly(message.split('\n')[0] ?? '')}`;
  const by = author === undefined ? '' : ` by ${plainly(nameOf(author))}`;
  return [
    `Made of commit ${plainly(commit.slice(0, 12))}${by}${date === undefined ? '' : ` of ${plainly(date)}`}${subject}`,
  ];
}

/** Of a name and an address the name is enough. */
const nameOf = (author: string): string => author.replace(/\s*<.*$/, '');

function commitsOf({ commits = [], moreCommits = 0 }: Pick<AboutPullRequest, 'commits' | 'moreCommits'>): string[] {
  if (commits.length === 0) return [];
  const rows = commits.map(({ commit, author, subject }) => [commit.slice(0, 12), nameOf(author), subject]);
  const others = commits.length - Math.min(commits.length, MOST_NAMED) + moreCommits;
  return [table(['Commit', 'Author', 'What it does'], rows), ...(others > 0 ? [`and ${others} more commits`] : [])];
}

/** What is done besides the change, and by whose word; nothing where no policy has a say. */
function settingsOf({ policy }: Pick<AboutPullRequest, 'policy'>): string[] {
  if (!policy) return [];
  const { preActions = [], action, pullRequest, postActions = [] } = policy;
  const all: [string, string, SettingOrigin][] = [
    ...preActions.map(({ value, from }): [string, string, SettingOrigin] => ['before the change', value, from]),
    ...(action ? [['the change', action.value, action.from] as [string, string, SettingOrigin]] : []),
    ...(pullRequest ? [['the pull request', 'as set', pullRequest] as [string, string, SettingOrigin]] : []),
    ...postActions.map(({ value, from }): [string, string, SettingOrigin] => ['after the change', value, from]),
  ];
  if (!all.some(([, , from]) => from.by === 'POLICY')) return [];
  return [
    table(
      ['Done', 'What', 'Said by'],
      all.map(([when, what, from]) => [when, what, saidBy(from)]),
    ),
  ];
}

function saidBy(from: SettingOrigin): string {
  if (from.by !== 'POLICY') return from.by === 'FLOW' ? 'the flow' : 'no policy';
  return `policy ${from.policy}, revision ${from.revision}${from.locked ? ', locked' : ''}`;
}

function filesOf({ files, more }: Pick<AboutPullRequest, 'files' | 'more'>): string[] {
  if (files.length === 0) return [];
  const shown = files.slice(0, MOST_NAMED);
  const others = files.length - shown.length + more;
  const rows = shown.map(({ path, added, removed }) => [
    path,
    added === null || removed === null ? 'not text' : `+${added} −${removed}`,
  ]);
  return [table(['File', 'Lines'], rows), ...(others > 0 ? [`and ${others} more files`] : [])];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const shown = rows.slice(0, MOST_NAMED).map((row) => line(row.map((each) => plainly(each))));
  return [line(head), line(head.map(() => '---')), ...shown].join('\n');
}
