import { sign } from '@octokit/webhooks-methods';
import type { Delivery } from './deliveries.ts';
import { ZERO } from './git.ts';
import { checked, hooks, rest, seconds, sent, shapes } from './github-shapes.ts';
import { DOCS } from './github-words.ts';
import type { HostParts } from './host.ts';
import type { ForgeEvent, PullRequests } from './pull-requests.ts';
import { No } from './rest.ts';
import type { Asked, Reply, Routes } from './rest.ts';

const R = '/repos/{owner}/{repo}';

/** The webhooks that GitHub sends about what happened. */
export async function tell(
  { forges, deliveries }: Pick<HostParts, 'forges' | 'deliveries'>,
  event: ForgeEvent,
): Promise<void> {
  if (event.kind === 'push') {
    const { moved } = event;
    const { repository } = moved;
    deliveries.send(
      repository.name,
      'push',
      null,
      checked('push', await shapes.push(forges.find(repository.name)!, moved)),
    );
    const [, refType = '', ref = ''] = /^refs\/(head|tag)s\/(.*)$/.exec(moved.ref) ?? [];
    const made = moved.before === ZERO ? 'create' : moved.after === ZERO ? 'delete' : undefined;
    if (made === undefined || refType === '') return;
    const all = forges.find(repository.name)!;
    const body = {
      ...hooks.leastEvent(made),
      ref,
      ref_type: refType === 'head' ? 'branch' : 'tag',
      pusher_type: 'user',
      ...sent(all, moved.by),
    };
    if (made === 'create') Object.assign(body, { master_branch: repository.branch });
    return deliveries.send(repository.name, made, null, checked(made, body));
  }
  if (event.kind === 'status') {
    const all = forges.find(event.repository.name)!;
    const { status } = event;
    const least = hooks.leastEvent('status') as { commit: { commit: object } };
    const person = { name: status.by, email: 'ci@example.com', date: seconds(status.at) };
    const commit = { ...least.commit.commit, author: person, committer: person };
    const body = {
      ...least,
      sha: status.sha,
      name: all.repository.name,
      context: status.context,
      state: status.state,
      description: status.description,
      target_url: status.url,
      commit: { ...least.commit, sha: status.sha, commit },
      ...sent(all, status.by),
    };
    return deliveries.send(all.repository.name, 'status', null, checked('status', body));
  }
  if (event.kind === 'group') {
    const all = forges.find(event.repository.name)!;
    const name = `merge-group-${event.action.replaceAll('_', '-')}`;
    const { ref, headSha, base, baseSha } = event.group;
    const least = hooks.leastEvent(name) as { merge_group: { head_commit: object } };
    const group = {
      ...least.merge_group,
      head_ref: ref,
      head_sha: headSha,
      base_ref: `refs/heads/${base}`,
      base_sha: baseSha,
      head_commit: { ...least.merge_group.head_commit, id: headSha },
    };
    const reason =
      event.action === 'destroyed' ? { reason: event.group.pull.state === 'merged' ? 'merged' : 'dequeued' } : {};
    const body = { ...least, action: event.action, ...reason, merge_group: group, ...sent(all, 'merge-queue') };
    return deliveries.send(all.repository.name, 'merge_group', event.action, checked(name, body));
  }
  const all = forges.find(event.pull.repository)!;
  const action = event.action === 'merged' ? 'closed' : event.action;
  const name = `pull-request-${action.replaceAll('_', '-')}`;
  const body = {
    ...hooks.leastEvent(name),
    ...sent(all, event.by),
    ...(await shapes.pullEvent(all, event, name)),
    action,
  };
  deliveries.send(all.repository.name, 'pull_request', action, checked(name, body));
}

/** As GitHub signs them. */
export const signed = async (delivery: Delivery): Promise<Record<string, string>> => ({
  'user-agent': 'GitHub-Hookshot/stand-in',
  'x-github-event': delivery.event,
  'x-github-delivery': delivery.guid,
  'x-github-hook-id': String(delivery.hook.id),
  'x-hub-signature-256': await sign(delivery.hook.secret, delivery.body),
});

/** Webhooks, and what became of each delivery. */
export function hookRoutes({
  deliveries,
  at,
  needs,
}: Pick<HostParts, 'deliveries'> & {
  at: (asked: Asked) => Promise<PullRequests>;
  needs: (asked: Asked, permission: string, level: 'read' | 'write') => void;
}): Routes {
  const delivered = (asked: Asked, wanted: (delivery: Delivery) => boolean): Reply => {
    const cursor = Number(asked.query.get('cursor') ?? Number.MAX_SAFE_INTEGER);
    const size = Number(asked.query.get('per_page') ?? 30);
    const failed = asked.query.get('status') === 'failure';
    const found = deliveries.list
      .filter((each) => each.id < cursor && wanted(each) && !(failed && each.status >= 200 && each.status < 400))
      .toReversed();
    const page = found.slice(0, size);
    const next = new URL(`${asked.base}${asked.path}`);
    next.search = new URLSearchParams({ per_page: String(size), cursor: String(page.at(-1)?.id ?? 0) }).toString();
    const headers = found.length > size ? { link: `<${next.href}>; rel="next"` } : undefined;
    return { status: 200, headers, body: page.map(deliveryItem) };
  };
  const again = (asked: Asked): Reply => {
    if (deliveries.redeliver(Number(asked.params['delivery_id']))) return { status: 202, body: {} };
    throw new No(404, { message: 'Not Found', documentation_url: DOCS, status: '404' });
  };

  return {
    [`GET ${R}/hooks`]: async (asked) => {
      needs(asked, 'repository_hooks', 'read');
      const all = await at(asked);
      const own = deliveries.hooks.filter(
        ({ repository }) => (repository ?? all.repository.name) === all.repository.name,
      );
      const body = own.map(({ id, url }) => ({
        ...rest.least('hook'),
        id,
        active: true,
        name: 'web',
        config: { url, content_type: 'json', insecure_ssl: '0' },
      }));
      return { status: 200, body };
    },
    [`GET ${R}/hooks/{hook_id}/deliveries`]: async (asked) => {
      needs(asked, 'repository_hooks', 'read');
      await at(asked);
      return delivered(asked, (each) => each.hook.id === Number(asked.params['hook_id']));
    },
    'GET /app/hook/deliveries': (asked) => {
      if (asked.account !== 'app')
        throw new No(401, { message: 'A JSON web token could not be decoded', documentation_url: DOCS });
      return delivered(asked, () => true);
    },
    'POST /app/hook/deliveries/{delivery_id}/attempts': (asked) => {
      if (asked.account !== 'app')
        throw new No(401, { message: 'A JSON web token could not be decoded', documentation_url: DOCS });
      return again(asked);
    },
    [`GET ${R}/hooks/{hook_id}/deliveries/{delivery_id}`]: async (asked) => {
      needs(asked, 'repository_hooks', 'read');
      await at(asked);
      const found = deliveries.list.find(({ id }) => id === Number(asked.params['delivery_id']));
      if (!found) throw new No(404, { message: 'Not Found', documentation_url: DOCS, status: '404' });
      const request = { headers: found.headers, payload: JSON.parse(found.body) as object };
      return { status: 200, body: { ...deliveryItem(found), request, response: { headers: null, payload: null } } };
    },
    [`POST ${R}/hooks/{hook_id}/deliveries/{delivery_id}/attempts`]: async (asked) => {
      needs(asked, 'repository_hooks', 'write');
      await at(asked);
      return again(asked);
    },
  };
}

function deliveryItem(delivery: Delivery): object {
  return {
    ...rest.least('hook-delivery-item'),
    id: delivery.id,
    guid: delivery.guid,
    event: delivery.event,
    action: delivery.action,
    delivered_at: seconds(delivery.at),
    redelivery: delivery.redelivery,
    status:
      delivery.status === 0 ? 'failed to connect to host' : delivery.status < 400 ? 'OK' : 'Invalid HTTP Response',
    status_code: delivery.status,
  };
}
