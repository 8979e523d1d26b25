import { Blocked } from './pull-requests.ts';
import type { Obstacle } from './pull-requests.ts';
import { No } from './rest.ts';

// What GitHub says when it does not do what it is asked for, in its own words.

export const DOCS = 'https://docs.github.com/rest';

export const custom = (message: string): No =>
  invalid('Validation Failed', { resource: 'PullRequest', code: 'custom', message });

export function invalid(message: string, ...errors: object[]): No {
  return new No(422, { message, ...(errors.length > 0 && { errors }), documentation_url: DOCS });
}

/** In GitHub's words. */
function wordsFor(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case 'draft':
      return 'Pull Request is still a draft';
    case 'moved':
      return 'Base branch was modified. Review and try the merge again.';
    case 'approvals':
      return `At least ${obstacle.missing} approving review is required by reviewers with write access.`;
    case 'context':
      return `Required status check "${obstacle.context}" is ${obstacle.state}.`;
    case 'queue':
      return 'Changes must be made through the merge queue';
    case 'method':
      return {
        merge: 'Merge commits',
        squash: 'Squash merges',
        rebase: 'Rebase merges',
        'fast-forward': 'Fast-forwards',
      }[obstacle.method].concat(' are not allowed on this repository.');
    default:
      return 'Pull Request is not mergeable';
  }
}

export function refusedMerge(error: unknown): No {
  if (!(error instanceof Blocked)) throw error;
  const [first] = error.obstacles;
  if (first!.kind === 'permission')
    return new No(403, {
      message: 'Resource not accessible by personal access token',
      documentation_url: DOCS,
      status: '403',
    });
  return new No(405, { message: wordsFor(first!), documentation_url: DOCS });
}
