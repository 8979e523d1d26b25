import type { Config } from '../config.ts';

/** Where people look at a release; null: the server has no public address. */
export function releaseLink({ publicUrl }: Pick<Config, 'publicUrl'>, release: string): string | null {
  return publicUrl === undefined ? null : `${publicUrl.replace(/\/+$/, '')}/releases/${release}`;
}
