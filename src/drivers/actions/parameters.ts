import parseDuration from 'parse-duration';
import { z } from 'zod';
import { PermanentError } from '../driver.ts';

/** Milliseconds as a number, or a text such as `2s`. */
const duration = z.union([z.number(), z.string()]).transform((given, context) => {
  const ms = /^\d+$/.test(String(given)) ? Number(given) : parseDuration(String(given));
  if (typeof ms === 'number' && ms >= 0) return ms;
  context.addIssue({ code: 'custom', message: `"${given}" is not a duration such as 2s` });
  return z.NEVER;
});

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
/** Interpolation makes texts of numbers: `failures: ${N}`. */
const whole = z.coerce.number().int();

export const simulateParameters = z.strictObject({
  duration: duration.optional(),
  fail: z.enum(['FAILED', 'TRANSIENT']).optional(),
  /** How many tries fail; always when absent. */
  failures: whole.optional(),
  outputs: z.record(z.string(), text).optional(),
});

export const httpParameters = z.strictObject({
  url: z.string().min(1),
  method: z
    .string()
    .regex(/^[A-Za-z]+$/)
    .transform((each) => each.toUpperCase())
    .optional(),
  headers: z.record(z.string(), text).optional(),
  /** A text is sent as it is, anything else as JSON. */
  body: z.unknown().optional(),
  /** 2xx when absent. */
  expectStatus: z.union([whole.transform((each) => [each]), z.array(whole)]).optional(),
  /** Output name → JSON path in the response. */
  outputs: z.record(z.string(), z.string()).optional(),
});

export type SimulateParameters = z.output<typeof simulateParameters>;
export type HttpParameters = z.output<typeof httpParameters>;

/** @throws PermanentError naming the first parameter that cannot be used; values are not repeated, they may be secret. */
export function readParameters<T>(schema: z.ZodType<T>, parameters: unknown): T {
  const result = schema.safeParse(parameters);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new PermanentError(`parameter "${issue.path.join('.') || 'parameters'}": ${issue.message}`);
}
