import {
  buildClientSchema,
  execute,
  getIntrospectionQuery,
  type IntrospectionQuery,
  parse,
  printSchema,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApiSchema } from '../../src/schema/build.ts';
import { Introspection } from '../../src/server/introspection.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { overEventStream, overWebSocket, post } from './support/clients.ts';

let engine: TestEngine;
let server: ApiServer;

beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${process.pid}` });
  server = await startServer(engine.app);
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

const schema = buildApiSchema();
const operation = (query: string) => ({ document: parse(query) });

describe('the question that tools ask', () => {
  test.each([
    ['as an IDE asks it', getIntrospectionQuery({ schemaDescription: true, inputValueDeprecation: true })],
    ['as a code generator asks it', getIntrospectionQuery({ descriptions: false, oneOf: true, specifiedByUrl: true })],
  ])('%s is made once, and answered as an execution would', (_name, query) => {
    const introspection = new Introspection(schema, 100);
    const first = introspection.answer(operation(query));
    // The same question with other blanks.
    const second = introspection.answer(operation(query.replace(/\s+/g, '  ')));
    expect(introspection.made).toBe(1);
    expect(second).toBe(first);
    expect(JSON.parse(first!)).toEqual(JSON.parse(JSON.stringify(execute({ schema, document: parse(query) }))).data);
  });

  test('over every transport a client builds the same schema from it', async () => {
    const query = getIntrospectionQuery();
    const { status, type, body } = await post(server.url, { query, operationName: 'IntrospectionQuery' });
    expect([status, type]).toEqual([200, 'application/graphql-response+json; charset=utf-8']);
    const printed = printSchema(buildClientSchema(body.data as unknown as IntrospectionQuery));
    expect(printed).toContain('type Release implements Node');
    for (const transport of [overWebSocket, overEventStream]) {
      const watcher = await transport(server.url, {}, query);
      await watcher.has(1);
      expect(watcher.results[0]!.data).toEqual(body.data);
      watcher.destroy();
    }
  });
});

describe('other questions about the schema', () => {
  const introspection = new Introspection(schema, 20_000);

  test.each([
    ['a type and its fields', '{ __type(name: "Release") { name fields { name } } }', () => 1 + fieldsOf('Release')],
    ['a type that is not there', '{ __type(name: "Nothing") { name fields { name } } }', () => 0],
    [
      'a list within a list costs what both hold',
      '{ __schema { types { name } } }',
      () => 1 + Object.keys(schema.getTypeMap()).length,
    ],
    ['a fragment where it is spread', '{ __schema { ...f } } fragment f on __Schema { queryType { name } }', () => 2],
  ])('cost exactly the objects of their answer: %s', (_name, query, expected) => {
    expect(introspection.costOf(operation(query))).toBe(expected());
  });

  const fieldsOf = (name: string): number =>
    Object.keys((schema.getType(name) as unknown as { getFields(): object }).getFields()).length;

  test('a cycle through lists is refused before anything is looked up, and fast', async () => {
    const wide = `{ __schema { ${Array.from({ length: 95 }, (_, i) => `a${i}: types { fields { type { fields { name } } } }`).join(' ')} } }`;
    const from = performance.now();
    const { status, body } = await post(server.url, { query: wide });
    expect([status, body.errors?.[0]?.extensions]).toEqual([400, { code: 'TOO_EXPENSIVE' }]);
    expect(body.errors![0]!.message).toMatch(/more than 20000 objects of the schema/);
    expect(performance.now() - from).toBeLessThan(10_000);
  });

  test('one of them in an operation', async () => {
    const query = `{ ${Array.from({ length: 100 }, (_, i) => `a${i}: __type(name: "Release") { name }`).join(' ')} }`;
    const { status, body } = await post(server.url, { query });
    expect([status, body.errors?.[0]?.extensions]).toEqual([400, { code: 'TOO_EXPENSIVE' }]);
    expect(body.errors![0]!.message).toContain('here they stand 100 times');
    for (const transport of [overWebSocket, overEventStream]) {
      const watcher = await transport(server.url, {}, '{ a: __schema { description } b: __schema { description } }');
      await watcher.has(1);
      expect(watcher.results[0]!.errors![0]!.message).toContain('here they stand 2 times');
      watcher.destroy();
    }
  });

  test('beside data, and with variables, it is executed', async () => {
    const query = 'query ($n: String!) { viewer { name } __type(name: $n) { name } }';
    const { body } = await post(server.url, { query, variables: { n: 'Release' } });
    expect(body.data).toMatchObject({ __type: { name: 'Release' } });
  });

  test('each new one takes a place of its caller; the standard one takes none', async () => {
    const ask = (index: number) => post(server.url, { query: `{ __schema { a${index}: queryType { name } } }` });
    const answers = [];
    for (let index = 0; index < 12; index += 1) answers.push((await ask(index)).status);
    expect(answers).toContain(429);
    expect((await ask(0)).status).toBe(200);
    expect((await post(server.url, { query: getIntrospectionQuery() })).status).toBe(200);
  });
});
