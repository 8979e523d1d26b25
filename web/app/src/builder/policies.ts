import { useMemo } from 'react';
import { useQuery } from 'urql';
import { PolicyPreviewDocument } from '../generated/documents.ts';
import { toWords } from '../parts/words.ts';
import { useBuilder } from './state.ts';

const KEYS: Record<string, string> = { PRE_ACTION: 'preAction', ACTION: 'action', POST_ACTION: 'postAction' };

/** What policies make of a connector. */
export interface Merged {
  /** By `preAction`, `action` and `postAction`: what holds, and the policy that says so. */
  settings: ReadonlyMap<string, { value: string; from: string }>;
  /** Why a promotion there would fail. */
  refusal: string | undefined;
}

const NONE: Merged = { settings: new Map(), refusal: undefined };

/** What promotion policies set for the chosen product in an environment; nothing while no product is chosen. */
export function usePolicyOf(environment: string | undefined): Merged {
  const product = useBuilder((state) => state.product);
  const exists = useBuilder(({ catalogue }) => environment !== undefined && catalogue.environments.has(environment));
  const flow = useBuilder(({ session }) =>
    session.base.revision === null ? null : (session.document.flow?.name ?? null),
  );
  const [{ data }] = useQuery({
    query: PolicyPreviewDocument,
    variables: { product: product ?? '', environment: environment ?? '', flow },
    pause: product === null || !exists,
  });
  return useMemo(() => {
    if (product === null || !data) return NONE;
    const { settings, findings } = data.evaluatePolicy;
    const set = settings.flatMap(({ setting, action, workflow, policy, origin }) => {
      const value = workflow ?? action?.toLowerCase();
      const key = KEYS[setting];
      return value == null || key === undefined ? [] : [[key, { value, from: policy ?? toWords(origin) }] as const];
    });
    return { settings: new Map(set), refusal: findings.find(({ refuses }) => refuses)?.message };
  }, [product, data]);
}
