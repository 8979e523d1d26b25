import { SECRETS, secretsIn, whyNotSent } from '../core/secrets.ts';
import { PermanentError } from './driver.ts';
import { type OpenedSecret, type SecretSource } from './secret-source.ts';

/** Secrets that were opened for one action, by name. */
export type Opened = Map<string, OpenedSecret>;

/** Opens every secret that a text in `value` refers to as `${secrets.NAME}`; no other one. */
export async function openReferenced(value: unknown, source: SecretSource): Promise<Opened> {
  const names = secretsIn(value);
  return names.length === 0 ? new Map() : source.open(names);
}

/** As parameters of `interpolate`. */
export function valuesOf(opened: Opened): Record<string, string> {
  return Object.fromEntries([...opened].map(([name, { value }]) => [SECRETS + name, value]));
}

/** @throws PermanentError when one of the secrets must not be sent to the host of this address, or not for this product. */
export function checkSending(opened: Opened, { hostname: host }: URL, product: string): void {
  for (const [name, use] of opened) {
    const why = whyNotSent(name, use, { host, product });
    if (why !== undefined) throw new PermanentError(why);
  }
}
