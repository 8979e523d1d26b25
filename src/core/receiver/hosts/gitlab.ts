import { pushed, refNews, texts } from '../news.ts';
import type { Body, Projection } from '../news.ts';

/** GitLab: `X-Gitlab-Event`, and `object_kind` in the body; a system hook says the latter alone. */
export function readGitlab(event: string, body: Body): Projection {
  const project = body.at('project');
  const repositories = texts([
    project.at('git_http_url'),
    project.at('git_ssh_url'),
    project.at('web_url'),
    body.at('repository', 'git_http_url'),
  ]);
  const kind = body.at('object_kind').text() ?? body.at('event_name').text() ?? event;
  const nothing = (why: string): Projection => ({ event: kind, repositories, news: [], nothing: why });
  switch (kind) {
    case 'push': {
      // Of the commits the last 20 come along.
      const moved = refNews(body.at('ref').text(), body.at('after').text(), false);
      return pushed(kind, repositories, [moved], body.at('total_commits_count').count());
    }
    case 'tag_push':
      return nothing('a tag: tags start no release');
    case 'merge_request': {
      const request = body.at('object_attributes');
      const number = request.at('iid').count();
      const [head, base] = [request.at('source_branch').text(), request.at('target_branch').text()];
      if (number === undefined || head === undefined || base === undefined) return nothing('it names no merge request');
      const action = request.at('action').text();
      const merged = request.at('state').text() === 'merged';
      return {
        event: kind,
        repositories,
        news: [{ kind: 'PULL_REQUEST', number, head, base, merged, ...(action && { action }) }],
      };
    }
    case 'pipeline': {
      // A merge train has begun, or begun anew, on a commit of its own: the merge request is asked for it.
      const request = body.at('merge_request');
      const number = request.at('iid').count();
      const [head, base] = [request.at('source_branch').text(), request.at('target_branch').text()];
      if (number === undefined || head === undefined || base === undefined)
        return nothing('a pipeline of no merge request');
      const merged = request.at('state').text() === 'merged';
      return { event: kind, repositories, news: [{ kind: 'PULL_REQUEST', number, head, base, merged }] };
    }
    default:
      return nothing(`event ${kind}: pushes, merge requests and their pipelines count`);
  }
}
