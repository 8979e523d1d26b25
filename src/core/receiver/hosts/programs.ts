import { refNews, texts } from '../news.ts';
import type { Body, Projection } from '../news.ts';

/**
 * A notification of Argo CD. Its body is a template of the user's: `app` names the application, or the application itself stands there
 * as Argo CD has it.
 */
export function readArgocd(_event: string, body: Body): Projection {
  const first = (paths: string[][]): string | undefined =>
    paths.map((path) => body.at(...path).text()).find((each) => each !== undefined);
  const application = first([['app'], ['application'], ['app', 'metadata', 'name'], ['metadata', 'name']]);
  if (application === undefined)
    return { event: 'notification', repositories: [], news: [], nothing: 'it names no application: `app` does' };
  const project = first([['project'], ['app', 'spec', 'project'], ['spec', 'project']]);
  const name = application.includes('/') ? application.slice(application.lastIndexOf('/') + 1) : application;
  return {
    event: 'notification',
    repositories: [],
    news: [{ kind: 'ARGO_CD', application: name, ...(project && { project }) }],
  };
}

/**
 * A program of the user's: `{"repository": URL, "branch": NAME, "commit": SHA}`, of which the repository is needed. An event of Flux,
 * which names none, is news of the products that its secret names.
 */
export function readGeneric(_event: string, body: Body): Projection {
  if (body.at('involvedObject').isObject) {
    const event = body.at('reason').text() ?? 'event of Flux';
    return { event, repositories: [], news: [{ kind: 'PRODUCTS' }] };
  }
  const event = body.at('type').text() ?? 'change';
  const data = body.at('data').isObject ? body.at('data') : body;
  const repositories = texts([data.at('repository')]);
  if (repositories.length === 0) {
    const why = 'it names no repository: `repository` has its address';
    return { event, repositories, news: [], nothing: why };
  }
  const ref = data.at('ref').text() ?? data.at('branch').text();
  // Without a branch every branch that matters may have moved.
  if (ref === undefined) return { event, repositories, news: [{ kind: 'PUSH', branch: '*' }] };
  const moved = refNews(ref, data.at('commit').text(), false);
  return { event, repositories, ...('kind' in moved ? { news: [moved] } : { news: [], nothing: moved.nothing }) };
}
