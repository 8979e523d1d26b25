import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportOf, surprisesIn } from '../../scripts/compat/report.ts';
import { tryFiles, type Tried } from '../../scripts/compat/try-files.ts';
import { Client } from '../../src/cli/client.ts';
import { readManifests } from '../../src/cli/commands/apply.ts';
import { startServer, type ApiServer } from '../../src/server.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';

// Manifests in each of the shapes that were published, written for this test.
let engine: TestEngine;
let server: ApiServer;
let tried: Tried[];
let report: string;
beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
  server = await startServer(engine.app);
  const result = await tryFiles(new Client(server.url), await readManifests(['test/manifests/published']));
  tried = result.tried;
  report = reportOf(result.stubs, tried);
}, 60_000);
afterAll(async () => {
  await server.close();
  await engine.close();
});
const of = (number: string): Tried => tried.find(({ file }) => file.includes(`/${number}-`))!;

test('manifests in the published shapes apply as they are, on a server that has nothing', () => {
  expect(tried.filter(({ refusals }) => refusals.length > 0).map(({ file }) => file)).toEqual([of('22').file]);
  expect(tried.length).toBe(9);
});

test('what they name and do not bring is stubbed, and said', () => {
  expect(report.split('\n')[0]).toBe(
    'Named and not brought, so stubbed: Environment/lab, Environment/north, Environment/south, Environment/stub-target, ' +
      'Environment/stub-trigger, PromotionWorkflow/open-ticket, PromotionWorkflow/smoke, PromotionWorkflow/tell-start, ' +
      'PromotionWorkflow/tell-success, PromotionFlow/parcels-all, PromotionFlow/parcels-urgent',
  );
  expect(report.split('\n').at(-1)).toBe('9 files: 8 applied, 4 of them with a warning, 1 refused');
});

test('a dependency that its flow does not have is refused where it stands', () => {
  expect(of('22').refusals).toEqual([
    'test/manifests/published/22-PromotionFlow-dangling.yaml:17:11: step "south" depends on "west", ' +
      'which is neither the trigger environment nor a step of this flow.',
  ]);
});

test.each([
  ['48', 'PromotionFlow "fan-out": spec.properties is the form of before 2025'],
  ['57', 'PromotionTemplate "parcels-base": it has no applicationSourceSelector'],
  ['05', 'PromotionPolicy "regulated": its tags are compared with the keys of labels'],
  ['01', 'Product "parcels": it has promotionTemplate and promotionTemplateRef'],
])('what is read in another way than its author may expect is a warning: %s', (number, warning) => {
  expect(of(number).warnings).toEqual([expect.stringContaining(warning)]);
});

test('a run that is not as expected says where', () => {
  expect(surprisesIn(tried, { refused: { '22': 'west' }, warned: ['48'] })).toEqual([]);
  const { file } = of('22');
  expect(surprisesIn(tried, { refused: {}, warned: [] })).toEqual([`${file} is refused`]);
  expect(surprisesIn(tried, { refused: { '22': 'east', '02': 'north' }, warned: ['03', '99'] })).toEqual([
    'no file begins with 99',
    `${file} is not refused for east`,
    `${of('02').file} is not refused for north`,
    `${of('03').file} has no warning`,
  ]);
});
