import type { Call, StatusState, WantedStatus } from './forge.ts';
import type { OpenForge } from './open.ts';
import { cut, MOST } from './text.ts';

/** As GitHub and Gitea tell of a repository. */
export interface RepositoryRights {
  archived?: boolean;
  permissions?: { push?: boolean; admin?: boolean };
}

/** Why the secret cannot write to the repository at all; undefined: it can. */
export function whyNoPush(
  { archived, permissions }: RepositoryRights,
  { name, secret }: Pick<OpenForge, 'name' | 'secret'>,
): string | undefined {
  if (archived === true) return `the repository ${name} is archived`;
  return permissions?.push === false ? `secret "${secret}" may not push to ${name}` : undefined;
}

/** A reviewer as GitHub and Gitea are asked for one. */
export function reviewRequest(reviewer: string): { reviewers: string[] } | { team_reviewers: string[] } {
  const [, team] = /^team\/(.+)$/.exec(reviewer) ?? [];
  return team === undefined ? { reviewers: [reviewer] } : { team_reviewers: [team] };
}

/** A status as GitHub and Gitea are told of one. */
export function statusBody({ context, state, description, url }: WantedStatus): StatusBody {
  return {
    state: state.toLowerCase(),
    context,
    description: cut(description, MOST.description),
    ...(url !== undefined && { target_url: url }),
  };
}

interface StatusBody {
  state: string;
  context: string;
  description: string;
  target_url?: string;
}

/** A red status has a lane of its own. */
export const laneOf = (state: StatusState, call: Call): Call => ({
  ...call,
  urgent: call.urgent === true || state === 'FAILURE' || state === 'ERROR',
});

/** `1 approving review`. */
export const needsReviews = (base: string, count: number): string =>
  `${base} takes a pull request only after ${count} approving review${count === 1 ? '' : 's'}`;
