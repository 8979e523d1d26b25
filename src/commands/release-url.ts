import type { Parts } from '../parts.ts';

type Reached = Pick<Parts['config'], 'publicUrl' | 'host' | 'port'>;

/** Where people find this server, without a slash at the end. */
export function serverUrl({ publicUrl, host, port }: Reached): string {
  return publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The page of a release, for links in places that outlive this process. */
export function releaseUrl(config: Reached, releaseId: string): string {
  return `${serverUrl(config)}/releases/${releaseId}`;
}
