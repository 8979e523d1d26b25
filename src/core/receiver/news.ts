import type { NewsKind } from '../trigger/change.ts';

/** What a hint is about: a branch that may have moved, or a pull request that may have changed. */
export type HintKind = 'PUSH' | 'PULL_REQUEST';

const TELLING: readonly NewsKind[] = ['MERGE', 'PUSH', 'ARGO_CD', 'DEPLOYMENT', 'POLL'];

/** Of several reasons for one look the one that says most; without any it is a poll. */
export const mostTelling = (vias: Iterable<NewsKind>): NewsKind => {
  const given = new Set(vias);
  return TELLING.find((each) => given.has(each)) ?? 'POLL';
};

/**
 * What is taken from a message. A hint, and nothing more: where to look. What is there is asked of git and of the forge; nothing of
 * a message is shown as a fact, executed or used as content.
 */
export type News =
  /** A branch moved. `commit`: as the sender says. */
  | { kind: 'PUSH'; branch: string; commit?: string }
  | { kind: 'PULL_REQUEST'; number: number; head: string; base: string; merged: boolean; action?: string }
  /** A merge queue asks for checks on a commit. */
  | { kind: 'MERGE_GROUP'; commit: string; base: string }
  /** Argo CD tells of an application of its own. */
  | { kind: 'ARGO_CD'; application: string; project?: string }
  /** A program tells that something moved, without saying in which repository: those of the secret's products count. */
  | { kind: 'PRODUCTS' };

/** A message as it is kept: bounded, whatever came. */
export interface Projection {
  /** As the host calls it. */
  event: string;
  /** Addresses of one repository, as the sender spells them. */
  repositories: string[];
  news: News[];
  /** Why nothing, or not everything, in it is news. */
  nothing?: string;
  /** Of the commits or changes that it tells of, as the sender counts. */
  count?: number;
}

/** A body that was parsed, and what its host calls it. */
export type Reader = (event: string, body: Body) => Projection;

/** JSON as it came: nothing in it has the type that it should have. */
export class Body {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  /** What is at a path of names; of nothing there is nothing. */
  at(...path: string[]): Body {
    let value = this.#value;
    for (const name of path) {
      const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
      value = isObject ? (value as Record<string, unknown>)[name] : undefined;
    }
    return new Body(value);
  }

  /** On one line and bounded; undefined when it is no text, or an empty one. */
  text(max = 300): string | undefined {
    if (typeof this.#value !== 'string') return undefined;
    const line = this.#value
      .slice(0, max * 2)
      .replace(/[\p{Cc}\p{Cs}\p{Cf}\u2028\u2029]/gu, ' ')
      .slice(0, max)
      .trim();
    // A surrogate pair may have been cut in two.
    return line.replace(/[\ud800-\udbff]$/, '') || undefined;
  }

  count(): number | undefined {
    return Number.isSafeInteger(this.#value) && (this.#value as number) >= 0 ? (this.#value as number) : undefined;
  }

  is(wanted: boolean): boolean {
    return this.#value === wanted;
  }

  get isThere(): boolean {
    return this.#value !== undefined && this.#value !== null;
  }

  get isObject(): boolean {
    return typeof this.#value === 'object' && this.#value !== null && !Array.isArray(this.#value);
  }

  /** At most so many of its entries; none when it is no list. */
  list(max: number): Body[] {
    return Array.isArray(this.#value) ? this.#value.slice(0, max).map((each: unknown) => new Body(each)) : [];
  }

  get size(): number | undefined {
    return Array.isArray(this.#value) ? this.#value.length : undefined;
  }
}

/** Each text once. */
export const texts = (bodies: readonly Body[]): string[] => [
  ...new Set(bodies.flatMap((each) => each.text(MAX_ADDRESS) ?? [])),
];

const MAX_ADDRESS = 500;

/** Branches of merge queues, which hosts make and delete by themselves. */
const OF_QUEUES = /^gh-readonly-queue\//;
const ZEROS = /^0+$/;

/**
 * Whether a ref that moved is news. Not: tags, deleted branches, branches of merge queues. One of Sluice's own (`ownPrefix` says how
 * they begin) is news of its pull request, and never of a change.
 */
export function refNews(
  ref: string | undefined,
  commit: string | undefined,
  deleted: boolean,
): News | { nothing: string } {
  if (ref === undefined) return { nothing: 'it names no ref' };
  if (ref.startsWith('refs/tags/')) return { nothing: `tag ${ref.slice(10)}: tags start no release` };
  const branch = ref.startsWith('refs/heads/') ? ref.slice(11) : ref;
  if (branch.startsWith('refs/')) return { nothing: `${ref} is no branch` };
  if (OF_QUEUES.test(branch)) return { nothing: `branch ${branch} is one of a merge queue` };
  if (deleted || (commit !== undefined && ZEROS.test(commit))) return { nothing: `branch ${branch} was deleted` };
  return { kind: 'PUSH', branch, ...(commit !== undefined && { commit }) };
}

/** A projection of one ref that moved. */
export function pushed(
  event: string,
  repositories: string[],
  moved: readonly (News | { nothing: string })[],
  count?: number,
): Projection {
  const news = moved.filter((each) => 'kind' in each);
  const why = moved.flatMap((each) => ('nothing' in each ? [each.nothing] : []));
  return {
    event,
    repositories,
    news,
    ...(why.length > 0 && { nothing: why.slice(0, 5).join('; ') }),
    ...(count !== undefined && { count }),
  };
}

/** Of GitHub, and of those that follow it: which pull request a message is about. */
export function pullRequestNews(event: string, repositories: string[], body: Body): Projection {
  const request = body.at('pull_request');
  const number = body.at('number').count() ?? request.at('number').count();
  const [head, base] = [request.at('head', 'ref').text(), request.at('base', 'ref').text()];
  if (number === undefined || head === undefined || base === undefined)
    return { event, repositories, news: [], nothing: 'it names no pull request' };
  const action = body.at('action').text();
  const merged = request.at('merged').is(true);
  return {
    event,
    repositories,
    news: [{ kind: 'PULL_REQUEST', number, head, base, merged, ...(action && { action }) }],
  };
}
