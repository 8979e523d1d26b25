import { Arg, Resolver, Root, Subscription } from 'type-graphql';
import { EVERYTHING, mayDo } from '../core/access/index.ts';
import type { Visibility } from '../core/access/index.ts';
import type { Digests, ListName, ListsChanged } from '../events/lists.ts';
import { badInput, readCursor, writeCursor } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { ListChange, WatchedListEnum } from '../schema/list-change.ts';
import { Guarded, SEES } from './access/rules.ts';
import { visibleTo } from './events.ts';

@Resolver()
export class ListChangeResolver {
  @Guarded(SEES)
  @Subscription(() => ListChange, {
    description:
      'Tells that lists have changed, at most once a second: what came close together comes in one. Compared are the newest 200 entries of a list that the caller sees among the newest 1,000, and those that count now; `webhookDeliveries` takes the permission to read it. Subscribe after "", read the lists at the first answer, and nothing is missed. After a broken connection subscribe again with the last `cursor` that you saw.',
    subscribe: ({ args, context }) => {
      const { lists, after } = args as { lists: ListName[]; after?: string | null };
      return follow(context as ApiContext, lists, after) as never;
    },
  })
  listChanged(
    @Root() { lists, digests }: ListsChanged,
    @Arg('lists', () => [WatchedListEnum], { description: 'Which lists.' }) _lists: ListName[],
    @Arg('after', () => String, {
      nullable: true,
      description:
        'A cursor of the same lists: what has changed since is told at once. "": each list is told at once. Without it: from now on.',
    })
    _after?: string | null,
  ): ListChange {
    const pairs = Object.entries(digests).map((pair) => pair.join('='));
    return { cursor: writeCursor(pairs.join(' ')), lists };
  }
}

async function follow(
  context: ApiContext,
  lists: readonly ListName[],
  after: string | null | undefined,
): Promise<AsyncIterableIterator<ListsChanged>> {
  const names = [...new Set(lists)];
  if (names.length === 0) throw badInput('`lists` is empty: name at least one', 'lists');
  const visible = await visibleTo(context);
  const seen = (name: ListName): Visibility | null | undefined =>
    name === 'WEBHOOK_DELIVERIES' && !readsDeliveries(context) ? undefined : visible();
  return context.log.followLists(names, after === null || after === undefined ? null : digestsIn(after), seen);
}

function readsDeliveries({ live, identity }: ApiContext): boolean {
  const now = live?.identity ?? identity;
  return now === null || mayDo(now.grants, 'REPORT', EVERYTHING);
}

function digestsIn(cursor: string): Digests {
  if (cursor === '') return {};
  const pairs = (readCursor(cursor) ?? '').split(' ').map((each) => each.split('='));
  if (pairs.some((pair) => pair.length !== 2)) throw badInput('`after` is not a cursor of `listChanged`', 'after');
  return Object.fromEntries(pairs) as Digests;
}
