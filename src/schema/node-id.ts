/**
 * Relay's global ids: opaque to clients, unique over all types. `what` is the id within the type: a release's uuid, a
 * definition's name, a release's uuid and the promotion's position.
 */
export function toNodeId(type: string, what: string): string {
  return Buffer.from(`${type}:${what}`).toString('base64url');
}

/** @returns null for text that is not a global id: one in a thousand bare ids reads as a type and rubbish, and is none. */
export function fromNodeId(id: string): { type: string; what: string } | null {
  if (id.length > 1_000) return null;
  const [, type, what] = /^([A-Za-z]+):(.+)$/s.exec(Buffer.from(id, 'base64url').toString('utf8')) ?? [];
  return type !== undefined && what !== undefined && toNodeId(type, what) === id ? { type, what } : null;
}

/** The uuid in the global id of a release; null when it is not one. */
export function releaseIdOf(id: string): string | null {
  const node = fromNodeId(id);
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(node?.what ?? '');
  return node?.type === 'Release' && isUuid ? node.what : null;
}
