import { createHmac, randomUUID } from 'node:crypto';
import { EXAMPLES } from '../core/receiver/examples.ts';
import { readNews } from '../core/receiver/read-news.ts';
import { proofOf, SCHEMES } from '../core/receiver/scheme.ts';
import type { Headers } from '../core/receiver/scheme.ts';
import { refusal } from '../core/problems.ts';
import { signingKey } from '../core/secrets.ts';
import type { Parts } from '../parts.ts';
import type { WebhookKey } from '../store/secrets.ts';
import { judgeNews, whatIsKnown } from './judge-news.ts';
import type { Result } from './result.ts';
import { isIn } from './sync-sources.ts';
import { explainTrigger } from './trigger/explain.ts';
import { verifiedBy } from './verify-message.ts';
import { doneBy } from '../core/done-by.ts';

/** A push that did not happen. */
export interface WebhookTest {
  source: string;
  repository: string;
  /** Every branch of a trigger application there when left out. */
  branch?: string;
  /** The branch's head when left out. */
  commit?: string;
}

/** What would come of it. */
export interface WebhookTested {
  /** The secret that verified it. */
  verifiedBy: string;
  /** Whether a look would be due. */
  matches: boolean;
  /** In words, as the list of deliveries would have it. */
  outcome: string;
  applications: { application: string; outcome: string }[];
}

/**
 * Makes the push that a source would tell of, signs it with each of its secrets, and takes it in as if it had come: verified, read, matched. Then
 * it is explained, not looked at. Nothing is written.
 */
export async function testWebhook(app: Parts, given: WebhookTest): Promise<Result<WebhookTested>> {
  const { source, repository, branch, commit } = given;
  const { keys, broken } = await app.secrets.webhookSecrets(source, 'git');
  const others = await app.secrets.webhookSecrets(source, 'generic');
  const key = [...keys, ...others.keys].at(-1);
  if (!key && broken) throw broken;
  if (!key) {
    const how = doneBy('secretSet', `secret set NAME --webhook-source ${source} --webhook-scheme SCHEME`);
    const message = `no secret of source "${source}" tells of pushes: ${how} makes one`;
    return { refusals: [refusal('NOT_FOUND', message, ['source'])] };
  }
  const scheme = key.use.scheme!;
  const purpose = keys.length > 0 ? 'git' : 'generic';
  const body = Buffer.from(JSON.stringify(EXAMPLES[scheme]({ repository, branch: branch ?? 'main', commit })));
  const headers = signed(key, body, app.clock.now());
  const verified = verifiedBy([...keys, ...others.keys], headers, body, app.clock.now().getTime());
  if (!verified) throw new Error(`a message that was signed with secret "${key.name}" is not verified by it`);
  const projection = readNews(purpose, scheme, headers, body.toString());
  const news = projection.news.map((each) =>
    each.kind === 'PUSH' && branch === undefined ? { ...each, branch: '*' } : each,
  );
  const told = {
    purpose,
    source,
    secret: verified.name,
    use: verified.use,
    projection: { ...projection, news },
  } as const;
  const { status, outcome } = await judgeNews(app, await whatIsKnown(app), told);
  const matches = status === 'PENDING';
  const asked = { repository, ...(branch !== undefined && { ref: branch }), ...(commit !== undefined && { commit }) };
  const { nothing, applications } = matches ? await explainTrigger(app, asked) : { nothing: null, applications: [] };
  const synced = matches ? await syncedFrom(app, repository, branch) : [];
  // Where the push is about definitions alone, it is no news that no application is there.
  const more = synced.length > 0 ? synced : nothing === null ? [] : [nothing];
  return {
    value: {
      verifiedBy: verified.name,
      matches,
      outcome: [outcome, ...more].join('; '),
      applications: applications.map(({ application, outcome: would }) => ({ application, outcome: would })),
    },
  };
}

/** The git sources that the look would sync, in words. */
async function syncedFrom(app: Parts, repository: string, branch: string | undefined): Promise<string[]> {
  const { sources } = await app.definitions.current();
  return sources
    .filter((each) => isIn(each, repository) && (branch === undefined || each.spec.branch === branch))
    .map(({ metadata }) => `git source "${metadata.name}" would be synced`);
}

/** The headers with which the source would send it. */
function signed({ value, use }: WebhookKey, body: Buffer, now: Date): Headers {
  const scheme = use.scheme!;
  const id = randomUUID();
  const [event] = SCHEMES[scheme].events;
  const named = event === undefined ? {} : { [event]: scheme === 'BITBUCKET' ? 'repo:push' : 'push' };
  const proof = proofOf(scheme, use.header);
  if (proof.kind === 'TOKEN') return { ...named, [proof.headers[0]!]: value };
  if (proof.kind === 'HMAC')
    return { ...named, [proof.headers[0]!]: proof.prefix + createHmac('sha256', value).update(body).digest('hex') };
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  const secret = Buffer.from(signingKey(value)!, 'base64');
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return { ...named, 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
