import { storable } from '../printable.ts';

const SECRET_KEY = /passw|secret|token|authorization|credential|cookie|api[-_]?key|private[-_]?key|signature/i;
/** Keys that look like it and say where a secret is, or are none. */
const HARMLESS_KEY = /^(tokenId|idempotencyKey|secretName|secretRef|credentialKind)$/;
const HIDDEN = '[redacted]';

const IN_TEXT: [RegExp, string][] = [
  [/sluice_[0-9A-Za-z]{20,}/g, 'sluice_[redacted]'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, '$1 [redacted]'],
  // A JWT wherever it stands: three parts, the first of which is JSON.
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, HIDDEN],
  [/([a-z][a-z0-9+.-]*:\/\/[^\s"'<>/?#:@]*):[^\s"'<>/?#@]*@/gi, '$1:[redacted]@'],
  // `password: hunter2` and `token=…` in manifests and query strings.
  [
    /((?:passw(?:or)?d|secret|token|authorization|api[-_]?key|private[-_]?key)["']?\s*[:=]\s*)(?!\s)[^\s,}&]+/gi,
    `$1${HIDDEN}`,
  ],
];

/** Longer texts are cut: the log is for reading. */
const MAX_TEXT = 20_000;

/**
 * A copy in which nothing is left that looks like a secret: values under telling keys, values beside a telling name
 * (`{name: "Authorization", value: …}`), and what is recognised in a text.
 */
export function masked(value: unknown): unknown {
  if (typeof value === 'string') return maskedText(value);
  if (Array.isArray(value)) return value.map(masked);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object' || value === null) return value === undefined ? null : value;
  const record = value as Record<string, unknown>;
  const named = ['name', 'key'].some((field) => typeof record[field] === 'string' && isSecretKey(record[field]));
  return Object.fromEntries(
    Object.entries(record).map(([key, each]) => {
      const hidden = isSecretKey(key) || (named && key === 'value');
      return [storable(key), hidden && isValue(each) ? HIDDEN : masked(each)];
    }),
  );
}

function maskedText(text: string): string {
  // Cut first: the cut may leave half a character.
  let shown = storable(text.slice(0, MAX_TEXT));
  if (text.length > MAX_TEXT) shown = `${shown}… (${text.length} characters)`;
  for (const [pattern, replacement] of IN_TEXT) shown = shown.replace(pattern, replacement);
  return shown;
}

const isSecretKey = (key: string): boolean => SECRET_KEY.test(key) && !HARMLESS_KEY.test(key);
const isValue = (value: unknown): boolean => value !== null && value !== undefined && typeof value !== 'boolean';
