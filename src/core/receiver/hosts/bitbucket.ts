import { pushed, refNews, texts } from '../news.ts';
import type { Body, Projection } from '../news.ts';

/** Refs of one push that are looked at; more than these are not told one by one. */
const MOST_CHANGES = 20;

/** Bitbucket Cloud: `X-Event-Key`. A push may tell of several branches, whose names come without `refs/heads/`. */
export function readBitbucket(event: string, body: Body): Projection {
  const repository = body.at('repository');
  const page = repository.at('links', 'html', 'href');
  const repositories = texts([page]);
  const name = repository.at('full_name').text(500);
  if (repositories.length === 0 && name !== undefined) repositories.push(`https://bitbucket.org/${name}`);
  const nothing = (why: string): Projection => ({ event, repositories, news: [], nothing: why });
  if (event === 'repo:push') {
    const changes = body.at('push', 'changes');
    const moved = changes.list(MOST_CHANGES).map((change) => {
      const [now, before] = [change.at('new'), change.at('old')];
      const ref = now.isThere ? now : before;
      const isTag = ref.at('type').text() === 'tag';
      const called = ref.at('name').text();
      const full = called === undefined ? undefined : `${isTag ? 'refs/tags/' : 'refs/heads/'}${called}`;
      return refNews(full, now.at('target', 'hash').text(), !now.isThere);
    });
    return pushed(event, repositories, moved.length > 0 ? moved : [{ nothing: 'it names no change' }], changes.size);
  }
  if (event.startsWith('pullrequest:')) {
    const request = body.at('pullrequest');
    const number = request.at('id').count();
    const branch = (side: string): string | undefined => request.at(side, 'branch', 'name').text();
    const [head, base] = [branch('source'), branch('destination')];
    if (number === undefined || head === undefined || base === undefined) return nothing('it names no pull request');
    const action = event.slice('pullrequest:'.length);
    const merged = action === 'fulfilled' || request.at('state').text() === 'MERGED';
    return { event, repositories, news: [{ kind: 'PULL_REQUEST', number, head, base, merged, action }] };
  }
  return nothing(`event ${event}: pushes and pull requests count`);
}
