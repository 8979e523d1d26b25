import { useEffect, useMemo, useState } from 'react';
import { useClient } from 'urql';
import { PolicyPreviewDocument, type PolicyPreviewQuery } from '../generated/documents.ts';
import { toWords } from '../parts/words.ts';
import { useBuilder } from './state.ts';

/** The three places of a connector, as the flow and people call them. */
export const SLOT_NAMES = [
  ['preAction', 'Pre-action'],
  ['action', 'Action'],
  ['postAction', 'Post-action'],
] as const;

const KEYS: Record<string, string> = { PRE_ACTION: 'preAction', ACTION: 'action', POST_ACTION: 'postAction' };

/** What policies make of a connector in one environment. */
export interface Merged {
  /** By `preAction`, `action` and `postAction`: what holds, and the policy that says so. */
  settings: ReadonlyMap<string, { value: string; from: string }>;
  /** Why a promotion there would fail. */
  refusal: string | undefined;
}

/** Environments for which policies say the same. */
export interface Alike extends Merged {
  environments: readonly string[];
}

const NOTHING: ReadonlyMap<string, Merged> = new Map();

/**
 * What promotion policies set for the chosen product in each of these environments, by its name; nothing while no product is chosen, or
 * before the server has answered.
 */
function usePoliciesOf(environments: readonly string[]): ReadonlyMap<string, Merged> {
  const client = useClient();
  const product = useBuilder((state) => state.product);
  const known = useBuilder(({ catalogue }) => catalogue.environments);
  const flow = useBuilder(({ session }) =>
    session.base.revision === null ? null : (session.document.flow?.name ?? null),
  );
  const [found, setFound] = useState(NOTHING);
  useEffect(() => {
    setFound(NOTHING);
    if (product === null) return undefined;
    // The API answers for one environment at a time.
    const asked = environments
      .filter((environment) => known.has(environment))
      .map((environment) =>
        client.query(PolicyPreviewDocument, { product, environment, flow }).subscribe(({ data }) => {
          if (data) setFound((before) => new Map(before).set(environment, mergedOf(data)));
        }),
      );
    return () => asked.forEach((each) => each.unsubscribe());
  }, [client, product, known, flow, environments]);
  return found;
}

/** The same, with those together for which policies say the same, in the order of the environments. */
export function useAlike(environments: readonly string[]): Alike[] {
  const found = usePoliciesOf(environments);
  return useMemo(() => alike(environments, found), [environments, found]);
}

function mergedOf({ evaluatePolicy: { settings, findings } }: PolicyPreviewQuery): Merged {
  const set = settings.flatMap(({ setting, action, workflow, policy, origin }) => {
    const value = workflow ?? action?.toLowerCase();
    const key = KEYS[setting];
    return value == null || key === undefined ? [] : [[key, { value, from: policy ?? toWords(origin) }] as const];
  });
  return { settings: new Map(set), refusal: findings.find(({ refuses }) => refuses)?.message };
}

function alike(environments: readonly string[], found: ReadonlyMap<string, Merged>): Alike[] {
  const all = new Map<string, Alike>();
  for (const environment of environments) {
    const merged = found.get(environment);
    if (!merged) continue;
    // A refusal names the environment, and is the same all the same.
    const key = JSON.stringify([[...merged.settings], merged.refusal?.replaceAll(environment, '')]);
    const known = all.get(key);
    all.set(key, { ...(known ?? merged), environments: [...(known?.environments ?? []), environment] });
  }
  return [...all.values()];
}
