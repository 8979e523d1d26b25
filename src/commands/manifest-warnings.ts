import type { Definition, Specs } from '../core/definitions.ts';
import { checkFlow } from '../core/flow.ts';
import { closest, quote, quoteList } from '../core/wording.ts';
import type { DefinitionDraft } from './definition-draft.ts';

/** A warning, and where in the definition it belongs. */
export interface PlacedWarning {
  message: string;
  path: (string | number)[];
}

/**
 * What is accepted and will not do what its writer expects, as things are now: a name that selects nothing, a repository that no
 * process of this installation may read.
 * @param protocols of git remotes that are allowed here
 */
export async function warningsOf(
  { kind, metadata, spec }: Definition,
  among: DefinitionDraft,
  protocols: readonly string[],
): Promise<PlacedWarning[]> {
  if (kind === 'PromotionFlow') {
    const { warnings } = checkFlow(spec as Specs['PromotionFlow'], await among.known());
    return warnings.map(({ message, path }) => ({ message: `${kind} ${quote(metadata.name)}: ${message}`, path }));
  }
  if (kind === 'Application') {
    const { driver } = spec as Specs['Application'];
    const protocol = driver.type === 'git' ? protocolOf(driver.repoURL) : null;
    if (protocol === null || protocols.includes(protocol)) return [];
    const setting = `SLUICE_GIT_PROTOCOLS="${[...protocols, protocol].join(',')}"`;
    const message = `Application ${quote(metadata.name)}: ${protocol} repositories are not allowed here, so its releases will be refused; start API and workers with ${setting}`;
    return [{ message, path: ['spec', 'driver', 'repoURL'] }];
  }
  const [names, path] =
    kind === 'EnvironmentGroup'
      ? [(spec as Specs['EnvironmentGroup']).environments.names, ['environments', 'names']]
      : kind === 'ReleaseWindow'
        ? [(spec as Specs['ReleaseWindow']).selector.environments.names, ['selector', 'environments', 'names']]
        : kind === 'PromotionPolicy'
          ? [
              (spec as Specs['PromotionPolicy']).selector.targetEnvironment.names,
              ['selector', 'targetEnvironment', 'names'],
            ]
          : [];
  const { environments } = await among.known();
  const unknown = (names ?? []).filter((name) => !name.includes('*') && !environments.has(name));
  if (unknown.length === 0) return [];
  const near = closest(unknown[0]!, environments.keys?.() ?? []);
  const hint = near === undefined ? '' : `; did you mean ${quote(near)}?`;
  const message = `${kind} ${quote(metadata.name)} names ${quoteList(unknown)}, and there is no such Environment${hint}`;
  return [{ message, path: ['spec', ...(path ?? []), (names ?? []).indexOf(unknown[0]!)] }];
}

function protocolOf(repoURL: string): string {
  if (repoURL.startsWith('/')) return 'file';
  return /^([a-z][a-z0-9+.-]*):\/\//i.exec(repoURL)?.[1]?.toLowerCase() ?? 'ssh';
}
