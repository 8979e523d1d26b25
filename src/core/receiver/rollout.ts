import { quote } from '../wording.ts';

export const ROLLOUT_STATUSES = ['SUCCEEDED', 'FAILED', 'ROLLED_BACK', 'UNKNOWN'] as const;

/** What an outside system tells about a rollout. */
export interface RolloutMessage {
  product: string;
  environment: string;
  /** What is live there, or on its way there, when left out. */
  version?: string;
  status: (typeof ROLLOUT_STATUSES)[number];
  message?: string;
  at?: Date;
}

const FIELDS = ['product', 'environment', 'version', 'status', 'message', 'at'];
const TYPE = 'rollout.report';

/**
 * Reads a body: `{"type": "rollout.report", "timestamp": …, "data": {product, environment, status, …}}`, or the data alone.
 * @returns why it is none, in words, when it is none.
 */
export function readRollout(body: string): RolloutMessage | { wrong: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { wrong: 'the body is not JSON' };
  }
  if (!isObject(parsed)) return { wrong: 'the body is not a JSON object' };
  const { type, data } = parsed;
  if (type !== undefined && type !== TYPE) return { wrong: `the type ${shown(type)} is not known; it must be ${TYPE}` };
  const told = data === undefined ? omit(parsed, ['type', 'timestamp']) : data;
  if (!isObject(told)) return { wrong: 'data is not a JSON object' };
  for (const [key, value] of Object.entries(told)) {
    if (!FIELDS.includes(key)) return { wrong: `the field ${quote(key)} is not known; known are ${FIELDS.join(', ')}` };
    if (typeof value !== 'string' && value !== null) return { wrong: `${key} must be a text` };
    if (typeof value === 'string' && value.length > (key === 'message' ? 10_000 : 1_000))
      return { wrong: `${key} is too long` };
    if (typeof value === 'string' && /\0|[\ud800-\udfff]/u.test(value))
      return { wrong: `${key} has a NUL character or half a character` };
  }
  const { product, environment, version, status, message, at } = told as Record<string, string | null | undefined>;
  if (!product || !environment) return { wrong: 'product and environment are needed' };
  const known = ROLLOUT_STATUSES.find((each) => each === status?.toUpperCase());
  if (!known) return { wrong: `the status ${shown(status)} must be one of ${ROLLOUT_STATUSES.join(', ')}` };
  const seen = at ? new Date(at) : undefined;
  if (seen && Number.isNaN(seen.getTime())) return { wrong: `at is ${shown(at)}, which is not a time in ISO 8601` };
  return {
    product,
    environment,
    status: known,
    ...(version && { version }),
    ...(message && { message }),
    ...(seen && { at: seen }),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const omit = (value: Record<string, unknown>, keys: string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));

const shown = (value: unknown): string => (typeof value === 'string' ? quote(value.slice(0, 100)) : typeof value);
