import type { HealthSourceSpec } from '../../core/definitions.ts';
import type { SecretSource } from '../secret-source.ts';
import type { HealthAnswer, HealthContext } from './source.ts';
import type { HttpClient } from '../http.ts';
import { checkArgoCd } from './argocd.ts';
import { checkHttp } from './http.ts';
import { checkNone } from './none.ts';
import { checkReport } from './report.ts';
import { checkSimulate } from './simulate.ts';

/**
 * How the application is. Throws when `context.signal` is aborted, and a `PermanentError` where a token is no longer accepted: everything else is
 * an answer.
 */
export async function checkHealth(
  source: HealthSourceSpec,
  context: HealthContext,
  http: HttpClient,
  secrets: SecretSource,
): Promise<HealthAnswer> {
  context.signal.throwIfAborted();
  switch (source.type) {
    case 'none':
      return checkNone();
    case 'simulate':
      return checkSimulate(source, context);
    case 'http':
      return checkHttp(source, context, http, secrets);
    case 'argocd':
      return checkArgoCd(source, context, http, secrets);
    case 'report':
      return checkReport(context);
  }
}
