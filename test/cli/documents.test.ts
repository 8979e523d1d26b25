import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSchema, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { ACCESS_DOCUMENTS } from '../../src/cli/commands/access.ts';
import { APPROVALS } from '../../src/cli/commands/approvals.ts';
import { CHECK_DOCUMENT } from '../../src/cli/commands/check.ts';
import { CONTROLS } from '../../src/cli/commands/controls.ts';
import { DEPLOYMENTS } from '../../src/cli/commands/deployments.ts';
import { deleteDocument } from '../../src/cli/commands/delete.ts';
import { FREEZES } from '../../src/cli/commands/freeze.ts';
import { HISTORY_DOCUMENTS } from '../../src/cli/commands/history.ts';
import { listDocument, oneDocument, PRODUCT } from '../../src/cli/commands/get.ts';
import { DEFINITION_KINDS } from '../../src/cli/commands/kinds.ts';
import { LOG_DOCUMENTS } from '../../src/cli/commands/logs.ts';
import { PLAN_DOCUMENTS } from '../../src/cli/commands/plan.ts';
import { ROLLBACKS } from '../../src/cli/commands/rollback.ts';
import { SECRET_DOCUMENTS } from '../../src/cli/commands/secrets.ts';
import { SOURCE_DOCUMENTS } from '../../src/cli/commands/sources.ts';
import { VIEWER } from '../../src/cli/commands/status.ts';
import { POLICY_DOCUMENTS } from '../../src/cli/commands/policies.ts';
import { TRIGGER_DOCUMENTS } from '../../src/cli/commands/triggers.ts';
import { WEBHOOK_DOCUMENTS } from '../../src/cli/commands/webhooks.ts';
import { DOCUMENTS } from '../../src/cli/operations.ts';
import { EVENT_FIELDS, toJson, toWords } from '../../src/cli/watch/events.ts';
import { LOG, STREAM } from '../../src/cli/watch/follow.ts';

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const schema = buildSchema(readFileSync(root('schema.graphql'), 'utf8'));
const examples = root('web/graphiql/src/examples');

const documents: [string, string][] = [
  ...Object.entries(DOCUMENTS),
  ...Object.entries(ACCESS_DOCUMENTS),
  ...Object.entries(SECRET_DOCUMENTS),
  ...Object.entries(POLICY_DOCUMENTS),
  ...Object.entries(SOURCE_DOCUMENTS),
  ...Object.entries(TRIGGER_DOCUMENTS),
  ...Object.entries(WEBHOOK_DOCUMENTS),
  ['the subscription of watch', STREAM],
  ['the log of watch', LOG],
  ['get deployments', DEPLOYMENTS],
  ['check', CHECK_DOCUMENT],
  ['the viewer of status', VIEWER],
  ['whether a product is there', PRODUCT],
  ...Object.entries(APPROVALS),
  ...Object.entries(CONTROLS),
  ...Object.entries(FREEZES),
  ...Object.entries(ROLLBACKS),
  ...Object.entries(HISTORY_DOCUMENTS),
  ...Object.entries(PLAN_DOCUMENTS),
  ...Object.entries(LOG_DOCUMENTS),
  ...DEFINITION_KINDS.flatMap((kind): [string, string][] => [
    [`get ${kind.names[0]}`, listDocument(kind)],
    [`get ${kind.names[1]} NAME`, oneDocument(kind)],
    [`delete ${kind.names[1]}`, deleteDocument(kind)],
  ]),
  ...readdirSync(examples).map((name): [string, string] => [
    `the IDE's ${name}`,
    readFileSync(`${examples}/${name}`, 'utf8'),
  ]),
];

test.each(documents)('%s is valid in the published schema', (_name, document) => {
  expect(validate(schema, parse(document)).map(({ message }) => message)).toEqual([]);
});

test('the examples of the IDE fit beside the buttons of its editor in a window of 1280 pixels: 50 columns', () => {
  const wide = readdirSync(examples).flatMap((name) =>
    readFileSync(`${examples}/${name}`, 'utf8')
      .split('\n')
      .filter((line) => line.length > 50)
      .map((line) => `${name}: ${line}`),
  );
  expect(wide).toEqual([]);
});

test('every type of event is asked for its own fields, and has words of its own', () => {
  const types = schema.getPossibleTypes(schema.getType('ReleaseEvent') as never).map(({ name }) => name);
  expect(types.length).toBeGreaterThan(20);
  for (const type of types) {
    const node = {
      __typename: type,
      sequence: 1,
      at: '2026-03-02T14:00:00Z',
      releaseStatus: 'RUNNING',
      environments: ['eu'],
    };
    const words = toWords({ cursor: 'c', node: { ...node, environment: 'eu', step: 'a/ACTION', group: 'regions' } });
    // A type that is not known is shown by its name, which is better than nothing, and not good enough for our own.
    expect(words).not.toContain(type);
  }
});

test('a status is told as the reader writes it, in every line', () => {
  const status = { status: 'ROLLED_BACK', releaseStatus: 'ROLLED_BACK', health: 'HEALTHY', rollout: 'FAILED' };
  for (const { name: type } of schema.getPossibleTypes(schema.getType('ReleaseEvent') as never)) {
    const node = { __typename: type, sequence: 1, at: '2026-03-02T14:00:00Z', ...status, cause: 'NOT_SYNCED' };
    const event = { cursor: 'c', node: { ...node, environment: 'eu', environments: ['eu'] } };
    expect(toWords(event, 'release', () => 'said')).not.toMatch(/\b[A-Z_]{3,}\b/);
  }
});

test('in JSON an event has the names of the schema and nothing that is null', () => {
  const node = {
    __typename: 'ReleaseFailed',
    sequence: 9,
    at: 'now',
    releaseStatus: 'FAILED',
    actor: null,
    perhapsReason: 'eu failed',
  };
  expect(toJson({ cursor: 'c', node })).toEqual({
    type: 'ReleaseFailed',
    sequence: 9,
    at: 'now',
    releaseStatus: 'FAILED',
    reason: 'eu failed',
    cursor: 'c',
  });
  expect(EVENT_FIELDS).toContain('perhapsReason: reason');
});
