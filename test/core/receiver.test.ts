import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDecision } from '../../src/core/receiver/decision.ts';
import { pauseAfter } from '../../src/core/receiver/delivery.ts';
import { readRollout } from '../../src/core/receiver/rollout.ts';
import { readSigned } from '../../src/core/receiver/signature.ts';

const NOW = Date.parse('2026-11-23T10:00:00Z');
const at = (seconds: number): string => String(NOW / 1000 + seconds);
const good = { 'webhook-id': 'msg_1', 'webhook-timestamp': at(0), 'webhook-signature': 'v1,YWJj' };

describe('the headers of a signed message', () => {
  test.each<[string, Record<string, string | string[] | undefined>, string]>([
    ['no id', { ...good, 'webhook-id': undefined }, 'are needed'],
    ['no time', { ...good, 'webhook-timestamp': undefined }, 'are needed'],
    ['no signature', { ...good, 'webhook-signature': undefined }, 'are needed'],
    ['two ids', { ...good, 'webhook-id': ['a', 'b'] }, 'each once'],
    ['an empty id', { ...good, 'webhook-id': '' }, '1 to 200'],
    ['an id with spaces', { ...good, 'webhook-id': 'a b' }, '1 to 200'],
    ['an id without end', { ...good, 'webhook-id': 'a'.repeat(201) }, '1 to 200'],
    ['a time in words', { ...good, 'webhook-timestamp': '2026-11-23T10:00:00Z' }, 'whole seconds'],
    ['a time with a fraction', { ...good, 'webhook-timestamp': `${at(0)}.5` }, 'whole seconds'],
    ['a time in milliseconds', { ...good, 'webhook-timestamp': `${at(0)}000` }, 'whole seconds'],
    ['an old one', { ...good, 'webhook-timestamp': at(-301) }, '301 s away'],
    ['one from the future', { ...good, 'webhook-timestamp': at(301) }, '301 s away'],
    ['another version', { ...good, 'webhook-signature': 'v1a,YWJj' }, 'no signature of version v1'],
    ['no version', { ...good, 'webhook-signature': 'YWJj' }, 'no signature of version v1'],
  ])('are refused: %s', (_name, headers, wrong) => {
    expect(readSigned(headers, NOW)).toEqual({ wrong: expect.stringContaining(wrong) });
  });

  test.each([-300, 0, 300])('are taken %i s away from our time', (seconds) => {
    expect(readSigned({ ...good, 'webhook-timestamp': at(seconds) }, NOW)).toMatchObject({ id: 'msg_1' });
  });

  test('of several signatures those of version 1 are looked at, and not without end', () => {
    const signature = `v1a,x v1,one v2,y v1,two ${'v1,more '.repeat(100)}`;
    const read = readSigned({ ...good, 'webhook-signature': signature }, NOW) as { signatures: string[] };
    expect(read.signatures.slice(0, 2)).toEqual(['one', 'two']);
    expect(read.signatures.length).toBeLessThanOrEqual(20);
  });
});

describe('a report of a rollout', () => {
  const told = { product: 'billing', environment: 'us-east', status: 'FAILED' };

  test('is read as an event and as its data alone', () => {
    const data = { ...told, version: '1.4.2', message: 'pods crash', at: '2026-11-23T09:59:00Z' };
    const read = { ...data, at: new Date(data.at) };
    expect(readRollout(JSON.stringify({ type: 'rollout.report', timestamp: 'x', data }))).toEqual(read);
    expect(readRollout(JSON.stringify(data))).toEqual(read);
    const longest = { ...told, product: 'p'.repeat(1_000) };
    expect(readRollout(JSON.stringify(longest))).toEqual(longest);
    expect(readRollout(JSON.stringify({ ...told, status: 'rolled_back', version: null }))).toEqual({
      ...told,
      status: 'ROLLED_BACK',
    });
  });

  test.each([
    ['', 'is not JSON'],
    ['{', 'is not JSON'],
    ['[]', 'is not a JSON object'],
    ['null', 'is not a JSON object'],
    ['{"type": "rollout.started", "data": {}}', 'the type "rollout.started" is not known'],
    ['{"type": "rollout.report", "data": []}', 'data is not a JSON object'],
    ['{"product": "p"}', 'product and environment are needed'],
    [JSON.stringify({ ...told, status: 'BROKEN' }), 'must be one of SUCCEEDED, FAILED, ROLLED_BACK, UNKNOWN'],
    [JSON.stringify({ ...told, status: undefined }), 'the status undefined must be one of'],
    [JSON.stringify({ ...told, at: 'yesterday' }), 'not a time'],
    [JSON.stringify({ ...told, version: 7 }), 'version must be a text'],
    [JSON.stringify({ ...told, product: 'p'.repeat(1_001) }), 'product is too long'],
    [JSON.stringify({ ...told, product: 'a\0b' }), 'NUL'],
    [JSON.stringify({ ...told, sudo: 'x' }), 'the field "sudo" is not known'],
  ])('that is none says why: %s', (body, wrong) => {
    expect(readRollout(body)).toEqual({ wrong: expect.stringContaining(wrong) });
  });

  test('whatever is sent, something is answered', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        const read = readRollout(body);
        expect('wrong' in read || read.product.length > 0).toBe(true);
      }),
    );
  });
});

describe('a decision', () => {
  const told = { release: 'r-1', environment: 'eu', decision: 'approve' };

  test.each<[string, object, object]>([
    ['of the first attempt', told, { ...told, attempt: 1 }],
    ['of a later attempt', { ...told, attempt: 3 }, { ...told, attempt: 3 }],
    ['without an attempt', { ...told, attempt: null }, { ...told, attempt: 1 }],
    ['in capitals', { ...told, decision: 'REJECT' }, { ...told, decision: 'reject', attempt: 1 }],
    ['with a word', { ...told, comment: 'go' }, { ...told, comment: 'go', attempt: 1 }],
    ['with an empty word', { ...told, comment: '' }, { ...told, attempt: 1 }],
    ['without a release', { ...told, release: '' }, { wrong: 'release and environment are needed' }],
    ['without an environment', { ...told, environment: null }, { wrong: 'release and environment are needed' }],
    ['of another kind', { ...told, decision: 'maybe' }, { wrong: expect.stringContaining('must be one of APPROVE') }],
    ['of half an attempt', { ...told, attempt: 1.5 }, { wrong: 'attempt must be a whole number' }],
  ])('%s', (_, data, read) => {
    expect(readDecision(JSON.stringify({ type: 'approval.decision', data }))).toEqual(read);
  });
});

test('attempts are further and further apart, at most five minutes', () => {
  expect([1, 2, 3, 8, 9, 50].map(pauseAfter)).toEqual([2_000, 4_000, 8_000, 256_000, 300_000, 300_000]);
});
