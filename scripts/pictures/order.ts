import type { Client } from '../../src/cli/client.ts';

export const manifest = (kind: string, name: string, spec: object): string =>
  JSON.stringify({ apiVersion: 'sluice.dev/v1', kind, metadata: { name }, spec });

/** Sends mutations of the server. @throws Error what was refused, in the words of the API */
export const orderOn =
  (client: Client) =>
  async <T>(field: string, type: string, input: object, answer = ''): Promise<T> => {
    const document = `mutation ($input: ${type}!) { payload: ${field}(input: $input) { ${answer} userErrors { message } } }`;
    const { payload } = await client.ask<{ payload: T & { userErrors: { message: string }[] } }>(document, { input });
    if (payload.userErrors.length > 0) throw new Error(`${field}: ${JSON.stringify(payload.userErrors)}`);
    return payload;
  };
