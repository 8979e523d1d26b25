import type { AnyDefinition, Definition } from '../definitions.ts';
import type { Refusal } from '../problems.ts';
import { ACTIONS } from '../kinds/actions.ts';
import { SPECS } from '../kinds/index.ts';
import type { Field } from '../kinds/shape.ts';
import { placesOf } from '../kinds/walk.ts';
import { refusal } from '../problems.ts';
import type { SecretUse } from '../secrets.ts';
import { otherUse, secretsIn, whyNotSent } from '../secrets.ts';
import { doneBy } from '../done-by.ts';

/** A place of a definition that sends secrets in requests. */
interface Sending {
  /** In the name of this product; a workflow may serve any. */
  product?: string;
  url: unknown;
  /** What may refer to secrets, the address included. */
  value: unknown;
  path: (string | number)[];
}

function sendingsOf({ kind, spec }: AnyDefinition): Sending[] {
  const product = kind === 'Application' ? spec.product : undefined;
  const own = [...placesOf(SPECS[kind], spec, ['spec'])].flatMap(({ field, inside, value, path }): Sending[] =>
    field?.secretsFor === undefined ? [] : [{ product, url: inside?.[field.secretsFor], value, path }],
  );
  if (kind !== 'PromotionWorkflow') return own;
  // Of an action, its parameters are judged as a whole: the address may hold a secret, too.
  const actions = spec.actions.flatMap(({ type, parameters }, index): Sending[] => {
    const fields: Field[] = Object.values(ACTIONS[type]?.fields ?? {});
    const address = fields.find(({ secretsFor }) => secretsFor !== undefined)?.secretsFor;
    const path = ['spec', 'actions', index, 'parameters'];
    return address === undefined ? [] : [{ url: parameters[address], value: parameters, path }];
  });
  return [...own, ...actions];
}

/** The names of all secrets that a definition sends somewhere, or signs commits with. */
export const secretsSentBy = (definition: AnyDefinition | Definition): string[] => [
  ...new Set([
    ...sendingsOf(definition as AnyDefinition).flatMap(({ value }) => secretsIn(value)),
    ...(signingKeyOf(definition as AnyDefinition) ?? []),
  ]),
];

/** The secret that signs commits, in a list; undefined: none does. */
function signingKeyOf({ kind, spec }: AnyDefinition): [string] | undefined {
  const key = kind === 'Application' && spec.driver.type === 'git' ? spec.driver.commits?.signingKey : undefined;
  return key === undefined ? undefined : [key];
}

/** Unlike an address, a key to sign with is known when the definition is saved: without it no commit would be made. */
function checkSigningKey(definition: AnyDefinition, uses: ReadonlyMap<string, SecretUse>): Refusal[] {
  const [name] = signingKeyOf(definition) ?? [];
  if (name === undefined || uses.get(name)?.kind === 'SIGNING') return [];
  const why = uses.has(name) ? 'is not for signing commits' : 'is not there';
  const message = `secret "${name}" ${why}: set it with ${doneBy('secretSet', `secret set ${name} --signs-commits`)}`;
  return [refusal('INVALID', message, ['spec', 'driver', 'git', 'commits', 'signingKey'])];
}

/**
 * Where a definition would send a secret that may not be sent there. A secret that is not there yet is no reason, and neither is an
 * address that is put together at the moment of use: both are judged then.
 */
export function checkSecretUses(
  definition: AnyDefinition | Definition,
  uses: ReadonlyMap<string, SecretUse>,
): Refusal[] {
  const sent = sendingsOf(definition as AnyDefinition).flatMap(({ product, url, value, path }) =>
    secretsIn(value).flatMap((name): Refusal[] => {
      const use = uses.get(name);
      if (use === undefined) return [];
      const why =
        use.kind === 'REFERENCE' ? whyNotSent(name, use, { host: hostOf(url), product }) : otherUse(name, use.kind);
      return why === undefined ? [] : [refusal('INVALID', why, path)];
    }),
  );
  return [...sent, ...checkSigningKey(definition as AnyDefinition, uses)];
}

/** Undefined where the host is not written down. */
function hostOf(url: unknown): string | undefined {
  if (typeof url !== 'string') return undefined;
  const authority = /^[a-z]+:\/\/[^/?#]*/i.exec(url)?.[0];
  return authority === undefined || authority.includes('${') || !URL.canParse(url) ? undefined : new URL(url).hostname;
}
