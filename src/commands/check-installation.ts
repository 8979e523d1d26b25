import type { Pool } from 'pg';
import { withConnection } from '../connections.ts';
import { checkFlow } from '../core/flow.ts';
import { KINDS } from '../core/definitions.ts';
import type { AnyDefinition } from '../core/definitions.ts';
import { distinct } from '../core/problems.ts';
import { checkDefinition } from '../core/validate.ts';
import { doubtfulDurations } from '../core/validate/durations.ts';
import { checkSecretUses, secretsSentBy } from '../core/validate/secret-uses.ts';
import { readAllDefinitions } from '../store/definitions.ts';
import { DefinitionSnapshot } from '../store/definition-snapshot.ts';
import { secretsWithAssumedHosts, secretUses } from '../store/secrets.ts';
import { releasesOfUnsignedCommits } from '../store/unfinished.ts';

/** Something that is there from before a rule became stricter: it is kept, works as far as that is safe, and can be mended. */
export interface Finding {
  /** A kind of definition, `Secret` or `Release`. */
  kind: string;
  /** Its name; of a release its product and number, `billing#42`. */
  name: string;
  /** The place in it: `spec`, `steps`, 0, `timeout`. Empty: all of it. */
  path: (string | number)[];
  /** What is wrong, and what would be right. */
  message: string;
}

/** Looks at all that is stored with the rules of today; changes nothing. By kind and name. */
export async function checkInstallation(pool: Pool): Promise<Finding[]> {
  const definitions = await withConnection(pool, async (client) => (await readAllDefinitions(client)).definitions);
  const { known } = new DefinitionSnapshot(definitions);
  const all = KINDS.flatMap((kind) => definitions[kind] as AnyDefinition[]);
  const uses = await secretUses(pool, [...new Set(all.flatMap(secretsSentBy))]);
  const findings = all.flatMap((definition): Finding[] => {
    const refusals = [
      ...checkDefinition(definition),
      ...doubtfulDurations(definition),
      ...checkSecretUses(definition, uses),
    ];
    if (definition.kind === 'PromotionFlow') {
      refusals.push(...checkFlow(definition.spec, known, 'RELEASED').refusals);
    }
    return distinct(refusals).map(({ path, message }) => ({
      kind: definition.kind,
      name: definition.metadata.name,
      path,
      message,
    }));
  });
  for (const { name, hosts } of await secretsWithAssumedHosts(pool)) {
    const known = hosts.length === 0 ? 'it is sent nowhere' : `it is sent to ${hosts.join(', ')} alone`;
    const message = `no hosts were named for this secret; ${known}, where it was used before: set it again with its hosts`;
    findings.push({ kind: 'Secret', name, path: ['hosts'], message });
  }
  for (const { product, number } of await releasesOfUnsignedCommits(pool)) {
    const message =
      'it was started before keys of commits were signed: its commits are believed by their content; when it has ended there is nothing left to do';
    findings.push({ kind: 'Release', name: `${product}#${number}`, path: [], message });
  }
  return findings;
}
