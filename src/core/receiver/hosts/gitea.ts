import { pullRequestNews, pushed, refNews, texts } from '../news.ts';
import type { Body, Projection } from '../news.ts';

/** Gitea and Forgejo: bodies that follow GitHub's in most names. */
export function readGitea(event: string, body: Body): Projection {
  const repository = body.at('repository');
  const repositories = texts([repository.at('clone_url'), repository.at('ssh_url'), repository.at('html_url')]);
  if (event === 'push') {
    const count = body.at('total_commits').count() ?? body.at('commits').size;
    return pushed(event, repositories, [refNews(body.at('ref').text(), body.at('after').text(), false)], count);
  }
  if (/^pull_request(_|$)/.test(event)) return pullRequestNews(event, repositories, body);
  return { event, repositories, news: [], nothing: `event ${event}: pushes and pull requests count` };
}
