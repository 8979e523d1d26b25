import { WebSocket } from 'ws';

// The other end of subscriptions, in a process of its own: as many sockets as are ordered, with as many subscriptions on each. It tells when
// all of them stand, and, when it is asked, how late each message was.

export interface SubscribersOrder {
  /** The sockets are spread over them. */
  urls: string[];
  sockets: number;
  /** On each socket. */
  subscriptions: number;
  query: string;
  /** What each follows, in turn; empty: everything. */
  releaseIds: string[];
  /** Sockets beside them, with one subscription each, that never read what comes. */
  deaf: number;
}

export interface Received {
  messages: number;
  /** From the moment that the event names to its arrival, in milliseconds; of everything that was read where that is read. */
  delays: number[];
  /** What came in place of an event. */
  surprises: string[];
}

/** Where every subscription gets every event, a look into each would be what is measured: one socket in ten looks, the others count. */
const LOOKS_ONE_IN = 10;

const received: Received = { messages: 0, delays: [], surprises: [] };

process.on('message', (message: SubscribersOrder | 'begin' | 'end') => {
  if (message === 'begin') Object.assign(received, { messages: 0, delays: [] });
  else if (message === 'end') process.send?.(received);
  else void open(message).then(() => process.send?.('open'));
});
process.once('disconnect', () => process.exit(0));

async function open(order: SubscribersOrder): Promise<void> {
  const all = Array.from({ length: order.sockets }, (_, index) => index);
  const looks = (index: number): boolean => order.releaseIds.length > 0 || index % LOOKS_ONE_IN === 0;
  await Promise.all(all.map((index) => subscribe(order, index, order.subscriptions, looks(index))));
  for (let index = 0; index < order.deaf; index += 1) (await subscribe(order, order.sockets + index, 1, true)).pause();
}

async function subscribe(
  { urls, subscriptions, query, releaseIds }: SubscribersOrder,
  index: number,
  count: number,
  looks: boolean,
): Promise<WebSocket> {
  const url = urls[index % urls.length] as string;
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    perMessageDeflate: false,
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const answered = new Promise((resolve) => socket.once('message', resolve));
  socket.send('{"type":"connection_init"}');
  await answered;
  socket.on('message', (data: Buffer) => {
    received.messages += 1;
    if (looks) look(data);
  });
  for (let id = 0; id < count; id += 1) {
    const releaseId = releaseIds[(index * subscriptions + id) % releaseIds.length];
    const variables = releaseId === undefined ? {} : { filter: { releaseId } };
    socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload: { query, variables } }));
  }
  // Messages are handled in order: the pong tells that the subscriptions stand, or nearly so.
  const pong = new Promise((resolve) => socket.once('pong', resolve));
  socket.ping();
  await pong;
  return socket;
}

function look(data: Buffer): void {
  const { type, payload } = JSON.parse(data.toString()) as {
    type: string;
    payload?: { data?: { releaseEvents: { node: { reason?: string } } } };
  };
  const sentAt = Number(payload?.data?.releaseEvents.node.reason);
  if (type !== 'next' || Number.isNaN(sentAt)) received.surprises.push(data.toString().slice(0, 300));
  else received.delays.push(performance.timeOrigin + performance.now() - sentAt);
}
