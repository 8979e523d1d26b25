import { useQuery } from 'urql';
import { type Permission, ViewerDocument } from '../generated/documents.ts';

/** Whose drafts are kept in this browser: where nobody signs in, it is everybody. Undefined while it is not known. */
export function usePerson(): string | undefined {
  const [{ data }] = useQuery({ query: ViewerDocument });
  return data?.viewer.name ?? data?.viewer.kind;
}

/**
 * Whether the viewer may do something somewhere.
 * @param unknown what is answered until that is known: true for a button, so that nothing is refused which is not; false for what is hidden
 */
export function useMay(unknown = true): (permission: Permission) => boolean {
  const [{ data }] = useQuery({ query: ViewerDocument });
  return (permission) => (data === undefined ? unknown : data.viewer.permissions.includes(permission));
}
