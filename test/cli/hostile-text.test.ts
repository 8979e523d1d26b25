import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import {
  buildSchema,
  getNamedType,
  getNullableType,
  graphql,
  type GraphQLFieldResolver,
  type GraphQLOutputType,
  isAbstractType,
  isEnumType,
  isListType,
  isObjectType,
} from 'graphql';
import stringWidth from 'string-width';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { KIND_NAMES } from '../../src/cli/commands/get.ts';
import type { Client } from '../../src/cli/client.ts';
import { FORMATS } from '../../src/cli/output.ts';
import { runCli } from '../../src/cli/run.ts';
import { openScreen } from '../../src/cli/watch/screen.ts';
import { promotionShown, releaseShown } from './support.ts';

// A server all of whose texts are what somebody would write who wants to steer the terminal of whoever looks.
const HOSTILE = `v1\u001b]0;pwned\u0007\u001b[2J\u009b31m\u202eevil\u2066\nSUCCEEDED ${'x'.repeat(900)}`;
// oxlint-disable-next-line no-control-regex
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));

const answerOf = (type: GraphQLOutputType): unknown => {
  const plain = getNullableType(type);
  if (isListType(plain)) return [answerOf(plain.ofType)];
  // Of what is asked of people what is open is listed.
  if (isEnumType(plain)) return (plain.getValue('OPEN') ?? plain.getValues()[0]!).value;
  if (isObjectType(plain) || isAbstractType(plain)) return {};
  const known: Record<string, unknown> = {
    Int: 1,
    Float: 1,
    Boolean: false,
    DateTime: new Date(0),
    JSONObject: { key: HOSTILE },
  };
  return getNamedType(plain).name in known ? known[getNamedType(plain).name] : HOSTILE;
};
// Pages end, and a command did what it was told.
const fieldResolver: GraphQLFieldResolver<unknown, unknown> = (_source, _args, _context, { fieldName, returnType }) =>
  fieldName === 'hasNextPage' ? false : fieldName === 'userErrors' ? [] : answerOf(returnType);

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { query, variables } = JSON.parse(body) as { query: string; variables: Record<string, unknown> };
      const typeResolver = (_value: unknown, _context: unknown, _info: unknown, type: { name: string }) =>
        schema.getPossibleTypes(schema.getType(type.name) as never)[0]!.name;
      void graphql({ schema, source: query, variableValues: variables, fieldResolver, typeResolver }).then((answer) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(answer));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

async function sluice(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const writer = (to: 'out' | 'err') => ({ write: (text: string) => (said[to] += text) });
  const code = await runCli([...args, '--server', url], { env: {}, out: writer('out'), err: writer('err') });
  return { code, ...said };
}

describe.each(KIND_NAMES)('get %s', (kind) => {
  test.each(FORMATS)('as %s prints nothing that steers a terminal', async (format) => {
    const { code, out, err } = await sluice('get', kind, '-o', format);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('pwned');
    expect(out).not.toMatch(STEERING);
  });

  test('as a table has one line for each row, and no column without end', async () => {
    const { out } = await sluice('get', kind);
    const [table, ...sentences] = out.trimEnd().split('\n\n');
    const lines = table!.split('\n');
    // Under it, what a column has no room for: a line for a row, too.
    for (const sentence of sentences) expect(sentence).toMatch(/^[^\n]+: [^\n]+$/);
    expect(sentences.length).toBeLessThanOrEqual(1);
    const columns = lines[0]!.split(/ {3,}/).length;
    // Of a promotion there are two approvals: of its start, and of the step that asks.
    expect(lines).toHaveLength(kind === 'approvals' ? 3 : 2);
    expect(stringWidth(lines[1]!)).toBeLessThanOrEqual(columns * 123);
  });

  test('as JSON and YAML is the same data as the server sent', async () => {
    const json = JSON.parse((await sluice('get', kind, '-o', 'json')).out) as unknown;
    expect(JSON.stringify(json)).toContain(JSON.stringify(HOSTILE).slice(1, -1));
    expect(parse((await sluice('get', kind, '-o', 'yaml')).out)).not.toBeNull();
  });
});

test.each([
  ['release', 'shop', '--version', '1'],
  ['terminate', 'latest'],
  ['hold', 'eu', '--reason', 'because'],
  ['apply', '-f', 'examples/billing'],
  ['get', 'release', 'latest'],
])('sluice %s prints nothing that steers a terminal', async (...args) => {
  const { out, err } = await sluice(...args);
  expect(out + err).not.toBe('');
  expect(out + err).not.toMatch(STEERING);
});

test('a refusal of the server is printed without what steers a terminal', async () => {
  const broken = createServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ errors: [{ message: HOSTILE }] }));
  });
  await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
  const said = { out: '', err: '' };
  const writer = (to: 'out' | 'err') => ({ write: (text: string) => (said[to] += text) });
  const address = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`;
  await runCli(['get', 'releases', '--server', address], { env: {}, out: writer('out'), err: writer('err') });
  broken.close();
  expect(said.err).toContain('pwned');
  expect(said.err).not.toMatch(STEERING);
});

test('a live picture holds nothing of it either', () => {
  const drawn: string[] = [];
  const stream = Object.assign(new PassThrough(), { columns: 200, rows: 50, isTTY: true }) as unknown as WriteStream;
  stream.on('data', (chunk: Buffer) => drawn.push(chunk.toString()));
  const release = releaseShown({
    product: HOSTILE,
    version: HOSTILE,
    problem: HOSTILE,
    promotions: [promotionShown(HOSTILE, { status: 'FAILED', problem: HOSTILE })],
  });
  const never = { ask: () => new Promise(() => undefined) } as unknown as Client;
  const screen = openScreen(never, release, stream, false, new AbortController().signal);
  const node = { __typename: 'PromotionFailed', sequence: 1, at: '2026-01-01T00:00:00Z', releaseStatus: 'FAILED' };
  screen.onEvent({ cursor: '1', node: { ...node, environment: 'eu', reason: HOSTILE } });
  screen.onLost(HOSTILE);
  screen.end(release);
  const all = drawn.join('');
  expect(all).toContain('pwned');
  // The picture's own escape sequences are the cursor's, which begin with ESC [.
  expect(all).not.toMatch(/\u001b[^[]|[\u0000-\u0008\u000b\u000c\u000e-\u001a\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  expect(all).not.toContain('\u001b[2J\u009b');
});
