import { PermanentError, TransientError } from '../driver.ts';
import type { EffectContext } from '../driver.ts';
import { openUrl, passes, readBody, reasonOf, retryAfterOf } from '../http.ts';
import type { HttpClient, Response } from '../http.ts';
import { ForbiddenTarget } from '../network/guard.ts';
import { checkSending } from '../secret-references.ts';
import type { Opened } from '../secret-references.ts';
import type { At } from './at.ts';
import type { ParametersOf } from './parameters.ts';

/** What Slack makes markup of. https://docs.slack.dev/messaging/formatting-message-text#escaping */
const MARKUP: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** A value that is put into a message says itself: a commit message with `<!channel>` in it calls nobody. */
export const quoteMarkup = (text: string): string => text.replace(/[&<>]/g, (each) => MARKUP[each]!);

/** Bytes of an answer that are read: Slack says `ok`, or why not, in a word. */
const MAX_ANSWER = 2 * 1024;

/**
 * Posts a message to an incoming webhook of Slack, Mattermost or anything that takes `{"text": …}`. Its address is a credential, so only its
 * host is ever named. Webhooks answer no id by which a message could be found again: a worker that dies between the message and
 * its record sends it a second time.
 * @returns `NOTIFIED`, and `NOTIFY_ERROR` where that is false; a message that is not required fails nothing
 */
export async function runNotify(
  parameters: ParametersOf<'notify'>,
  { key, product, tries }: Pick<EffectContext, 'key' | 'product' | 'tries'>,
  { signal, http, opened, lastTry, log }: Pick<At, 'signal' | 'http' | 'opened' | 'lastTry' | 'log'>,
): Promise<Record<string, string>> {
  try {
    const host = await send(parameters, { key, product }, signal, http, opened);
    log.say(`posted to ${host}`);
    return { NOTIFIED: 'true' };
  } catch (error) {
    signal.throwIfAborted();
    const over = error instanceof PermanentError || tries >= lastTry;
    if (parameters.required || !over) throw error;
    const message = error instanceof Error ? error.message : String(error);
    log.say(`not sent, and not required: ${message}`);
    return { NOTIFIED: 'false', NOTIFY_ERROR: message };
  }
}

/** @returns the host that took it */
async function send(
  { url: address, text, channel, username }: ParametersOf<'notify'>,
  { key, product }: Pick<EffectContext, 'key' | 'product'>,
  signal: AbortSignal,
  http: HttpClient,
  opened: Opened,
): Promise<string> {
  const { url, headers } = whereTo(address);
  checkSending(opened, url, product);
  const what = `the webhook at ${url.host}`;
  const body = JSON.stringify({ text, ...(channel && { channel }), ...(username && { username }) });
  const sent = { ...headers, 'content-type': 'application/json', 'idempotency-key': key };
  let response: Response;
  try {
    response = await http.request(url, { method: 'POST', headers: sent, body }, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ForbiddenTarget) throw new PermanentError(`${what} was not called: ${error.message}`);
    throw new TransientError(`${what} gave no answer: ${reasonOf(error)}`);
  }
  const { status } = response;
  const said = await readBody(response, MAX_ANSWER).catch(() => ({ text: '' }));
  if (status >= 200 && status < 300) return url.host;
  const message = `${what} answered ${status}${/^[\w .-]{1,100}$/.test(said.text) ? ` ${said.text}` : ''}`;
  if (!passes(status)) throw new PermanentError(message);
  throw new TransientError(message, { retryAfter: retryAfterOf(response, http.clock.now().getTime()) });
}

function whereTo(address: string): ReturnType<typeof openUrl> {
  try {
    return openUrl(address);
  } catch {
    throw new PermanentError('the address of the webhook is no http or https URL');
  }
}
