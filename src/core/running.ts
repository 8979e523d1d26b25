/** The change that a target is to run. `commit`: the one that made it, or the one at which the content had become so already. */
export interface Change {
  version: string;
  commit?: string;
}

/** What a target runs, as a source says: a commit, a version, or a word that may be either. */
export interface Running {
  commit?: string;
  version?: string;
  either?: string;
}

/** A commit may be shortened to this many digits. */
const SHORTEST_COMMIT = 7;

/** Whether what runs is this change. A commit says more than a version: where both are known, the commit decides. */
export function runs(running: Running, { version, commit }: Change): boolean {
  const { either } = running;
  if (either !== undefined) return either === version || isCommit(either, commit);
  if (running.commit !== undefined && commit !== undefined) return isCommit(running.commit, commit);
  return running.version !== undefined && running.version === version;
}

function isCommit(named: string, commit: string | undefined): boolean {
  const digits = named.toLowerCase();
  return (
    digits.length >= SHORTEST_COMMIT && /^[0-9a-f]+$/.test(digits) && (commit ?? '').toLowerCase().startsWith(digits)
  );
}

/** In words, as messages name it. */
export function describeChange({ version, commit }: Change): string {
  return commit === undefined ? version : `${version} (commit ${commit.slice(0, 9)})`;
}

/** In words, as messages name it. */
export function describeRunning({ commit, version, either }: Running): string {
  return either ?? [version, commit && `commit ${commit.slice(0, 9)}`].filter(Boolean).join(', ');
}
