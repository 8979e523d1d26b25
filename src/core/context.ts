import { storableText } from './bounded.ts';

/** The output of a hook's action that hands values on: the text of a JSON object. */
export const CONTEXT_OUTPUT = 'PROMOTION_CONTEXT';

/** What hooks of a release have handed on, as later hooks refer to it by `${NAME}`. */
export type PromotionContext = Readonly<Record<string, string>>;

/** In bytes of JSON, as UTF-8: it is saved with the release. */
export const MOST_CONTEXT = 64 * 1024;

/** As `${NAME}` can name it. */
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/;

/** The context with what a hook hands on, whose values win over earlier ones; or what is wrong with it, in words. */
export function handOn(before: PromotionContext, text: string): { context: PromotionContext } | { wrong: string } {
  const said = `its output ${CONTEXT_OUTPUT}`;
  const given = readObject(text);
  if (given === null) return { wrong: `${said} is not the text of a JSON object, such as {"TICKET": "OPS-1"}` };
  const values = Object.entries(given).map(([name, value]) => [name, textOf(value)] as const);
  const odd = values.find(([name]) => !NAME.test(name));
  if (odd)
    return {
      wrong: `${said} has the name ${JSON.stringify(odd[0].slice(0, 100))}: use letters, digits, "_", "-" and "."`,
    };
  const context = { ...before, ...Object.fromEntries(values) };
  const size = new TextEncoder().encode(JSON.stringify(context)).length;
  if (size > MOST_CONTEXT)
    return { wrong: `with ${said} the context of the release has ${size} bytes, and at most ${MOST_CONTEXT} are kept` };
  return { context };
}

function readObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** Text as it is, anything else as JSON. */
function textOf(value: unknown): string {
  return storableText(typeof value === 'string' ? value : JSON.stringify(value));
}
