import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { useClient } from 'urql';
import { wordsOf } from '../api/client.ts';
import type { Refusals } from './ask.tsx';

interface Payload {
  userErrors: readonly { message: string }[];
}

/** What an order can change: lists of it are read again, as the answer does not name them. */
const CHANGED = [
  'EnvironmentHold',
  'BadVersion',
  'Trigger',
  'Candidate',
  'WebhookDelivery',
  'RoleGrant',
  'ApiToken',
  'Secret',
  'PromotionFlow',
  'PromotionWorkflow',
];

/** The context of a query whose list is read again after an order, also while it is empty and names no type. */
export const READ_AGAIN = { additionalTypenames: CHANGED };

/** A mutation whose one field is called `payload`. @returns what refused it, in the API's words; empty: it is done */
export function useOrder<Variables extends Record<string, unknown>>(
  document: TypedDocumentNode<{ payload: Payload }, Variables>,
): (variables: Variables) => Promise<Refusals> {
  const client = useClient();
  return async (variables) => {
    const { data, error } = await client.mutation(document, variables, READ_AGAIN).toPromise();
    if (error) return [wordsOf(error)];
    return data?.payload.userErrors.map(({ message }) => message) ?? [];
  };
}
