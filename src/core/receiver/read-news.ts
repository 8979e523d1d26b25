import type { Purpose } from './delivery.ts';
import { readBitbucket } from './hosts/bitbucket.ts';
import { readGitea } from './hosts/gitea.ts';
import { readGithub } from './hosts/github.ts';
import { readGitlab } from './hosts/gitlab.ts';
import { readArgocd, readGeneric } from './hosts/programs.ts';
import { Body } from './news.ts';
import type { Projection, Reader } from './news.ts';
import { headerOf, SCHEMES } from './scheme.ts';
import type { Headers, Scheme } from './scheme.ts';

const READERS: Partial<Record<Scheme, Reader>> = {
  GITHUB: readGithub,
  GITLAB_TOKEN: readGitlab,
  GITLAB_SIGNING: readGitlab,
  GITEA: readGitea,
  BITBUCKET: readBitbucket,
};

/** What is kept of a message that was verified; it never fails: a body that is none is a projection that says so. */
export function readNews(purpose: Purpose, scheme: Scheme, headers: Headers, text: string | undefined): Projection {
  const named = headerOf(headers, SCHEMES[scheme].events) ?? '';
  const event = new Body(named).text(100) ?? 'message';
  const nothing = (why: string): Projection => ({ event, repositories: [], news: [], nothing: why });
  if (text === undefined) return nothing('the body is not UTF-8 text');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return nothing('the body is not JSON');
  }
  const body = new Body(parsed);
  if (!body.isObject) return nothing('the body is not a JSON object');
  if (purpose === 'argocd') return readArgocd(event, body);
  return (READERS[scheme] ?? readGeneric)(event, body);
}
