import { quote } from './wording.ts';

/** What a message of commits can name. `SUBJECT` is the sentence that Sluice writes by itself, also of a rollback. */
export const MESSAGE_PLACEHOLDERS = ['SUBJECT', 'PRODUCT', 'VERSION', 'ENVIRONMENT', 'APPLICATION', 'RELEASE'] as const;
export type MessagePlaceholder = (typeof MESSAGE_PLACEHOLDERS)[number];

/** `${NAME}` with the name. */
const PLACEHOLDER = /\$\{([^{}]*)\}/g;

/** Why a message of commits is none, in words. */
export function refuseMessage(message: string): string[] {
  const wrong: string[] = [];
  if (message.trim() === '') wrong.push('the message is empty: write one, or leave it out');
  for (const [, name = ''] of message.matchAll(PLACEHOLDER))
    if (!(MESSAGE_PLACEHOLDERS as readonly string[]).includes(name))
      wrong.push(`the message names ${quote(name)}; it can name ${MESSAGE_PLACEHOLDERS.join(', ')}`);
  // By these lines Sluice knows its commits again.
  if (/^(Sluice-|Signed-off-by:)/im.test(message))
    wrong.push('lines that begin with `Sluice-` or `Signed-off-by:` are written by Sluice; leave them out');
  return wrong;
}

/** The sentence that Sluice writes by itself. @param takesBack the version that a rollback ends */
export const subjectOf = (
  { product, environment }: { product: string; environment: string },
  version: string,
  takesBack?: string,
): string =>
  takesBack === undefined
    ? `Promote ${product} ${version} to ${environment}`
    : `Roll back ${product} in ${environment} from ${takesBack} to ${version}`;

/** A message with what its names stand for; a name that is none stays. */
export const filledMessage = (
  message: string | undefined,
  values: Record<MessagePlaceholder, string>,
  written: (value: string) => string = (value) => value,
): string =>
  (message ?? '${SUBJECT}').replace(PLACEHOLDER, (whole, name: string) =>
    written(values[name as MessagePlaceholder] ?? whole),
  );
