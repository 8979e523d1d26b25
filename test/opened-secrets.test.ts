import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OpenedSecrets } from '../src/opened-secrets.ts';

const openedSecrets = new OpenedSecrets();
const SECRET = 'pa$$ "w0rd"/ü+&<x>\\ end';
openedSecrets.remember(SECRET);
openedSecrets.remember('-----BEGIN KEY-----\nMIIEabcdefgh1234\nqrstuvwxyz567890\n-----END KEY-----');
openedSecrets.remember('short');

test.each<[string, (value: string) => string]>([
  ['as it is', (value) => value],
  ['in JSON', (value) => JSON.stringify({ said: value })],
  ['in JSON in JSON', (value) => JSON.stringify({ log: JSON.stringify({ said: value }) })],
  ['in JSON with escaped slashes', (value) => JSON.stringify(value).replaceAll('/', '\\/')],
  ['in a URL', (value) => `https://x/?q=${encodeURIComponent(value)}`],
  ['in a URL, lower case', (value) => encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase())],
  ['in a form', (value) => encodeURIComponent(value).replaceAll('%20', '+')],
  ['in a URL, only what must be', (value) => encodeURI(value)],
  [
    'in HTML',
    (value) => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  ],
  ['in hex', (value) => Buffer.from(value).toString('hex')],
  ['in base64', (value) => Buffer.from(value).toString('base64')],
  ['in base64url', (value) => Buffer.from(value).toString('base64url')],
  ['in a basic login', (value) => `Basic ${Buffer.from(`x-access-token:${value}`).toString('base64')}`],
  ['in a basic login of another length', (value) => `Basic ${Buffer.from(`ci:${value}`).toString('base64')}`],
  ['in base64, with more behind it', (value) => Buffer.from(`a:${value}:more`).toString('base64')],
])('a secret is hidden %s', (_name, spell) => {
  const shown = openedSecrets.hide(`before ${spell(SECRET)} after`);
  expect(shown).toContain('***');
  for (const part of ['w0rd', Buffer.from('w0rd').toString('hex')]) expect(shown).not.toContain(part);
  expect(shown).toMatch(/^before .* after$/s);
});

test('of a secret of several lines each line is hidden', () => {
  expect(openedSecrets.hide('got MIIEabcdefgh1234 and qrstuvwxyz567890')).toBe('got *** and ***');
});

test('what is too short to be told from words stays', () => {
  expect(openedSecrets.hide('a short text')).toBe('a short text');
});

test('errors stay what they are, with their causes hidden, too', () => {
  const error = new TypeError(`no ${SECRET}`, { cause: new Error(`inner ${SECRET}`) });
  openedSecrets.hideInError(error);
  expect([error.message, (error.cause as Error).message]).toEqual(['no ***', 'inner ***']);
  expect(`${error.stack}${(error.cause as Error).stack}`).not.toContain('w0rd');
});

test('plain data are hidden however deep, keys included, and nothing else changes', () => {
  const at = new Date(0);
  expect(openedSecrets.hideIn({ [SECRET]: [SECRET, 1, null, at, { deep: `x${SECRET}` }] })).toEqual({
    '***': ['***', 1, null, at, { deep: 'x***' }],
  });
});

test('no secret of any characters comes through base64 at any place, nor through JSON or a URL', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 8, maxLength: 60, unit: 'grapheme' }),
      fc.string({ maxLength: 5 }),
      (raw, before) => {
        const secret = Buffer.from(`${raw}#q7Z`).toString();
        const own = new OpenedSecrets();
        own.remember(secret);
        const texts = [
          secret,
          JSON.stringify(secret).slice(1, -1),
          encodeURIComponent(secret),
          Buffer.from(before + secret).toString('base64'),
        ];
        for (const text of texts) {
          const shown = own.hide(text);
          expect(shown).toContain('***');
          // At most the group of base64 that it shares with what stands before or behind it.
          expect(shown.replaceAll('***', '').length).toBeLessThanOrEqual(Math.ceil((before.length * 12) / 3) + 8);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('the error of a signal that timed out, whose message can only be read, is left as it is', async () => {
  const signal = AbortSignal.timeout(1);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  expect(() => openedSecrets.hideInError(signal.reason)).not.toThrow();
  expect((signal.reason as Error).message).toMatch(/timeout/);
});

test('a secret in an error whose message can only be read is hidden', () => {
  const error = new DOMException(`the answer was ${SECRET}`, 'TimeoutError');
  openedSecrets.hideInError(error);
  expect(error.message).toBe('the answer was ***');
  expect(error.name).toBe('TimeoutError');
});
