import { pullRequestNews, pushed, refNews, texts } from '../news.ts';
import type { Body, Projection } from '../news.ts';

/** GitHub and GitHub Enterprise Server: `X-GitHub-Event` and the bodies that its documentation describes. */
export function readGithub(event: string, body: Body): Projection {
  const repository = body.at('repository');
  const repositories = texts([repository.at('clone_url'), repository.at('ssh_url'), repository.at('html_url')]);
  const action = body.at('action').text();
  const nothing = (why: string): Projection => ({ event, repositories, news: [], nothing: why });
  switch (event) {
    case 'ping':
      return nothing('a ping: the webhook works');
    case 'push': {
      // The list of commits may be cut (2,048) and may lose its files: how many there are is all that is kept.
      const moved = refNews(body.at('ref').text(), body.at('after').text(), body.at('deleted').is(true));
      return pushed(event, repositories, [moved], body.at('commits').size);
    }
    case 'pull_request':
      return pullRequestNews(event, repositories, body);
    case 'merge_group': {
      const group = body.at('merge_group');
      const [commit, base] = [
        group.at('head_sha').text(),
        group
          .at('base_ref')
          .text()
          ?.replace(/^refs\/heads\//, ''),
      ];
      if (action !== 'checks_requested') return nothing(`merge_group ${action ?? ''}: only checks_requested counts`);
      if (commit === undefined || base === undefined) return nothing('it names no merge group');
      return { event, repositories, news: [{ kind: 'MERGE_GROUP', commit, base }] };
    }
    default:
      return nothing(`event ${event}: pushes, pull requests and merge groups count`);
  }
}
