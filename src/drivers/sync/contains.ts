import type { DriverSpec } from '../../core/definitions.ts';
import type { PinnedContent } from '../driver.ts';
import type { SyncContext } from './source.ts';
import type { Drivers } from '../index.ts';

/** What a sync source is told about the folder of a change, and what it may ask about it. `content` is read when it is first asked for. */
export function folderOf(
  drivers: Drivers,
  spec: DriverSpec,
  change: { commit?: string; content: () => Promise<PinnedContent> },
  signal: AbortSignal,
): Pick<SyncContext, 'folder' | 'contains'> {
  const { commit } = change;
  return {
    ...(spec.type === 'git' && { folder: { repoURL: spec.repoURL, path: spec.path } }),
    contains: async (revision, other) => {
      if (other !== undefined) return drivers.driver(spec).contains(spec, { commit: other }, revision, signal);
      if (commit === undefined) return undefined;
      const content = await change.content();
      return drivers.driver(spec).contains(spec, { commit, content }, revision, signal);
    },
  };
}
