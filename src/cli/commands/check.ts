import type { Client } from '../client.ts';
import { render, type Style } from '../output.ts';

export const CHECK_DOCUMENT = '{ findings { kind name path message } }';

interface FindingShown {
  kind: string;
  name: string;
  path: string[];
  message: string;
}

/** @returns what to print, and whether there is something to mend */
export async function check(client: Client, style: Style): Promise<{ text: string; found: boolean }> {
  const { findings } = await client.ask<{ findings: FindingShown[] }>(CHECK_DOCUMENT, {});
  const found = findings.length > 0;
  const { format } = style;
  if (!found && format === 'table') return { text: 'Nothing has to be mended.', found };
  if (format === 'table') return { text: findings.map(sentence).join('\n'), found };
  return { text: render(findings, style, { columns: [], name: ({ kind, name }) => `${kind}/${name}` }), found };
}

const sentence = ({ kind, name, path, message }: FindingShown): string =>
  `${kind} ${name}${path.length > 0 ? ` at ${path.join('.')}` : ''}: ${message}`;
