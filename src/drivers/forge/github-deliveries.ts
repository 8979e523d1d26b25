import type { Call, ForgeDeliveries, ForgeDelivery } from './forge.ts';
import { HOOKS, PAGE } from './github-rest.ts';
import type { GitHubRest } from './github-rest.ts';
import { MOST_PAGES } from './pages.ts';

/** The deliveries that GitHub keeps, of the App where there is one, and else of the repository's webhooks. */
export function deliveriesOf(rest: GitHubRest): ForgeDeliveries {
  return {
    async since(_repository, at, receiver, call) {
      if (rest.login.isApp) return listOf(rest, null, at, call);
      const asked = { permissions: HOOKS, what: 'list webhooks' };
      const { data } = await rest.ask('GET /repos/{owner}/{repo}/hooks', { ...rest.at, per_page: PAGE }, asked, call);
      const ours = (data as { id: number; config?: { url?: string } }[]).filter((each) =>
        each.config?.url?.startsWith(receiver),
      );
      const found: ForgeDelivery[] = [];
      for (const { id } of ours) found.push(...(await listOf(rest, String(id), at, call)));
      return found.sort((a, b) => b.at.getTime() - a.at.getTime());
    },
    async redeliver(_repository, { id, hook }, call) {
      const asked = { permissions: HOOKS, what: `ask for delivery ${id} again` };
      if (hook === null)
        await rest.ask(
          'POST /app/hook/deliveries/{delivery_id}/attempts',
          { delivery_id: id },
          { ...asked, login: await rest.login.appLogin() },
          call,
        );
      else
        await rest.ask(
          'POST /repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}/attempts',
          { ...rest.at, hook_id: hook, delivery_id: id },
          asked,
          call,
        );
    },
  };
}

/** Of a webhook, or of the App (null). */
async function listOf(rest: GitHubRest, hook: string | null, since: Date, call: Call): Promise<ForgeDelivery[]> {
  const found: ForgeDelivery[] = [];
  let cursor: string | undefined;
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const asked = { permissions: HOOKS, what: 'list deliveries of webhooks' };
    const paging = { per_page: PAGE, ...(cursor !== undefined && { cursor }) };
    const { data, headers } =
      hook === null
        ? await rest.ask('GET /app/hook/deliveries', paging, { ...asked, login: await rest.login.appLogin() }, call)
        : await rest.ask(
            'GET /repos/{owner}/{repo}/hooks/{hook_id}/deliveries',
            { ...rest.at, hook_id: hook, ...paging },
            asked,
            call,
          );
    const some = (data as DeliveryItem[]).map((each) => ({
      id: String(each.id),
      hook,
      deliveryId: each.guid,
      event: each.event,
      at: new Date(each.delivered_at),
      status: each.status_code,
      redelivery: each.redelivery,
    }));
    found.push(...some.filter(({ at }) => at >= since));
    cursor = /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(String(headers['link'] ?? ''))?.[1];
    if (cursor === undefined || some.some(({ at }) => at < since)) break;
    cursor = decodeURIComponent(cursor);
  }
  return found;
}

interface DeliveryItem {
  id: number | string;
  guid: string;
  event: string;
  delivered_at: string;
  status_code: number;
  redelivery: boolean;
}
