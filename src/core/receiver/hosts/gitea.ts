import { pushed, refNews, texts } from '../news.ts';
import type { Body, Projection } from '../news.ts';

/** Gitea and Forgejo: bodies that follow GitHub's in most names. */
export function readGitea(event: string, body: Body): Projection {
  const repository = body.at('repository');
  const repositories = texts([repository.at('clone_url'), repository.at('ssh_url'), repository.at('html_url')]);
  const nothing = (why: string): Projection => ({ event, repositories, news: [], nothing: why });
  if (event === 'push') {
    const count = body.at('total_commits').count() ?? body.at('commits').size;
    return pushed(event, repositories, [refNews(body.at('ref').text(), body.at('after').text(), false)], count);
  }
  if (/^pull_request(_|$)/.test(event)) {
    const request = body.at('pull_request');
    const number = body.at('number').count() ?? request.at('number').count();
    const [head, base] = [request.at('head', 'ref').text(), request.at('base', 'ref').text()];
    if (number === undefined || head === undefined || base === undefined) return nothing('it names no pull request');
    const action = body.at('action').text();
    const merged = request.at('merged').is(true);
    return {
      event,
      repositories,
      news: [{ kind: 'PULL_REQUEST', number, head, base, merged, ...(action && { action }) }],
    };
  }
  return nothing(`event ${event}: pushes and pull requests count`);
}
