import { mayBeSentTo } from '../core/secrets.ts';
import { REFERENCE } from './actions/interpolate.ts';
import { type OpenedSecret, PermanentError, type SecretSource } from './driver.ts';

export type Opened = Map<string, OpenedSecret>;

const PREFIX = 'secrets.';

/** Opens every secret that a text in `value` refers to as `${secrets.NAME}`; no other one. */
export async function openReferenced(value: unknown, source: SecretSource): Promise<Opened> {
  const names = new Set<string>();
  collect(value, names);
  return names.size === 0 ? new Map() : source.open([...names].sort());
}

/** As parameters of `interpolate`. */
export function valuesOf(opened: Opened): Record<string, string> {
  return Object.fromEntries([...opened].map(([name, { value }]) => [PREFIX + name, value]));
}

/** @throws PermanentError when one of the secrets must not be sent to the host of this address. */
export function checkHosts(opened: Opened, url: URL): void {
  for (const [name, { hosts }] of opened)
    if (!mayBeSentTo(hosts, url.hostname))
      throw new PermanentError(`secret "${name}" may be sent to ${hosts.join(', ')}, and not to ${url.hostname}`);
}

function collect(value: unknown, names: Set<string>): void {
  if (typeof value === 'string') {
    for (const [, escaped, name = ''] of value.matchAll(REFERENCE))
      if (!escaped && name.startsWith(PREFIX)) names.add(name.slice(PREFIX.length));
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      collect(key, names);
      collect(each, names);
    }
  }
}
