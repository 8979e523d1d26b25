import type { Request, Response } from 'express';
import type { App } from '../app.ts';
import { whatIsKnown } from '../commands/judge-news.ts';
import type { Known } from '../commands/judge-news.ts';
import { APART, newsKeeper, receiveNews } from '../commands/receive-news.ts';
import type { NewsPurpose } from '../commands/receive-news.ts';
import { SharedReads } from '../store/shared-reads.ts';
import type { Limits } from './limits.ts';

/** GitHub sends up to 25 MiB, and larger ones not at all. */
const MAX_BYTES = 25 * 1024 * 1024;
/** From a sender that was refused too often lately. */
const MAX_BYTES_OF_STRANGERS = 256 * 1024;
/** Of all bodies that are read at one time: more wait outside, in the sockets. */
const MAX_BYTES_AT_ONCE = 4 * MAX_BYTES;
/** Bodies that wait for a place; hosts wait ten seconds for an answer. */
const MAX_WAITING = 1_000;
/** In milliseconds. */
const READING_LIMIT = 30_000;

const FORM =
  'the body is form-encoded: set the content type of the webhook to application/json in the settings of its host';
const COMPRESSED = 'the body is compressed: the signature is over other bytes then; send it as it is';

/** An answer that is no success. */
interface Refused {
  status: number;
  code: string;
  message: string;
}

/**
 * News of git hosts and of programs. Hosts switch a webhook off when its answers are not good: whatever is verified is taken, however much
 * it is. The limits of callers are for those who do not prove who they are.
 */
export class NewsReceiver {
  readonly #app: App;
  readonly #limits: Limits;
  #reading = 0;
  /** Hosts send many messages at once: what each is held against is read for all of them, and they are kept together. */
  readonly #known: SharedReads<Known>;
  readonly #secrets: SharedReads<Awaited<ReturnType<App['secrets']['webhookSecrets']>>>;
  readonly #kept: ReturnType<typeof newsKeeper>;
  readonly #line: { bytes: number; begin: () => void }[] = [];

  constructor(app: App, limits: Limits) {
    this.#app = app;
    this.#limits = limits;
    const pace = { clock: app.clock, apart: APART };
    this.#known = new SharedReads(() => whatIsKnown(app), pace);
    this.#kept = newsKeeper(app);
    this.#secrets = new SharedReads((about) => {
      const [purpose, source] = JSON.parse(about) as [NewsPurpose, string];
      return app.secrets.webhookSecrets(source, purpose);
    }, pace);
  }

  /** @throws RateLimitedError for one more message that nobody has signed */
  async receive(purpose: NewsPurpose, request: Request): Promise<Awaited<ReturnType<typeof receiveNews>> | Refused> {
    const source = String(request.params['source']).slice(0, 100);
    const { headers } = request;
    if (/^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? ''))
      return { status: 415, code: 'UNSUPPORTED', message: FORM };
    if (![undefined, '', 'identity'].includes(headers['content-encoding']?.toLowerCase()))
      return { status: 415, code: 'UNSUPPORTED', message: COMPRESSED };
    const caller = this.#limits.callerOf(request);
    const isStranger = await this.#limits.isUsedUp(caller);
    const most = isStranger ? MAX_BYTES_OF_STRANGERS : MAX_BYTES;
    // Nothing is read for a source that there is none of: the answer is the same as for a wrong signature.
    const secrets = await this.#secrets.read(JSON.stringify([purpose, source]));
    const body = secrets.keys.length === 0 && !secrets.broken ? Buffer.alloc(0) : await this.#read(request, most);
    if (!Buffer.isBuffer(body)) return body;
    const address = this.#limits.addressOf(request) || null;
    const arrived = { purpose, source, address, headers, body };
    const received = await receiveNews(this.#app, arrived, secrets, () => this.#known.read(''), this.#kept);
    if (received.kind === 'UNVERIFIED') await this.#limits.operation(caller);
    return received;
  }

  /** The body as it came, once there is room for it. */
  async #read(request: Request, most: number): Promise<Buffer | Refused> {
    const tooLarge = { status: 413, code: 'TOO_LARGE', message: `the body has more than ${most} bytes` };
    const said = Number(request.headers['content-length'] ?? Number.NaN);
    if (said > most) return tooLarge;
    const bytes = Number.isSafeInteger(said) ? said : most;
    if (!(await this.#room(bytes)))
      return { status: 503, code: 'BUSY', message: 'too many messages at once: send it again' };
    const late = this.#app.clock.after('webhook', READING_LIMIT, () => request.destroy(new Error('it took too long')));
    try {
      return (await bytesOf(request, most)) ?? tooLarge;
    } catch {
      return { status: 400, code: 'INCOMPLETE', message: 'the body did not come whole' };
    } finally {
      late.cancel();
      this.#reading -= bytes;
      this.#admit();
    }
  }

  #room(bytes: number): Promise<boolean> {
    if (this.#line.length >= MAX_WAITING) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#line.push({ bytes, begin: () => resolve(true) });
      this.#admit();
    });
  }

  #admit(): void {
    for (let next = this.#line[0]; next && this.#reading + next.bytes <= MAX_BYTES_AT_ONCE; next = this.#line[0]) {
      this.#line.shift();
      this.#reading += next.bytes;
      next.begin();
    }
  }
}

/** Undefined: it is larger. @throws what the connection says, or that it took too long */
async function bytesOf(request: Request, most: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** Ends the answer of what was not taken. */
export function refuse(response: Response, { status, code, message }: Refused): void {
  // What is left of the body is not read.
  if (status === 413) response.setHeader('connection', 'close');
  if (status === 503) response.setHeader('retry-after', '10');
  response.status(status).json({ errors: [{ message, extensions: { code } }] });
}
