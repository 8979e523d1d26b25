import type { App } from '../app.ts';
import { refusal } from '../core/problems.ts';
import { deleteSecret as forget } from '../store/secrets.ts';
import type { Result } from './result.ts';

/** For good. Whatever refers to it fails from now on, and says so. */
export async function deleteSecret(app: Pick<App, 'pool'>, name: string): Promise<Result<string>> {
  if (await forget(app.pool, name)) return { value: name };
  return { refusals: [refusal('NOT_FOUND', `there is no secret "${name}"`, ['name'])] };
}
