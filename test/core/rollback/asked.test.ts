import { expect, test } from 'vitest';
import { planRollback } from '../../../src/core/rollback/plan-rollback.ts';
import { check, questionOf, target, type Row } from './support.ts';

/** What a person asked for. */
const regions = { 'us-east': '1.4 2.0', eu: '1.3 2.0', asia: '1.2 1.9' };

const rows: Row[] = [
  [
    'one environment, and nobody else without a policy',
    { environments: regions, asked: ['us-east'], policy: null },
    { 'us-east': 'INCLUDED 2.0 > 1.4: us-east goes back from 2.0 to 1.4: ann asked for it' },
  ],
  [
    'one environment, and its siblings as the policy says',
    { environments: regions, asked: ['us-east'] },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'INCLUDED 2.0 > 1.3: eu goes back from 2.0 to 1.3 because 2.0 is taken back in us-east',
      asia: 'LEFT_ALONE',
    },
  ],
  [
    'a policy that is not for people does not add anybody',
    { environments: regions, asked: ['us-east'], policy: { when: { causes: ['FAILED'] } } },
    { 'us-east': 'INCLUDED 2.0 > 1.4' },
  ],
  [
    'several environments, each from its own version',
    { environments: regions, asked: ['us-east', 'asia'], policy: null },
    { 'us-east': 'INCLUDED 2.0 > 1.4', asia: 'INCLUDED 1.9 > 1.2' },
  ],
  [
    'several environments, the first of which has gone back already',
    { environments: { 'us-east': '1.3 1.4', asia: '1.4 2.0' }, asked: ['us-east', 'asia'], bad: '1.4', policy: null },
    {
      'us-east': 'INCLUDED 1.4 > 1.3',
      asia: 'IMPOSSIBLE: asia ran nothing before but 1.4, the version that is taken back',
    },
  ],
  [
    'everything that runs the version',
    { environments: { ...regions, 'asia-2': '1.1 +2.0', late: '1.0 (2.0)' }, asked: 'EVERYTHING_THAT_RUNS_IT' },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'INCLUDED 2.0 > 1.3',
      asia: 'LEFT_ALONE: asia runs 1.9 and not 2.0',
      'asia-2': 'INCLUDED 2.0 > 1.1',
      late: 'LEFT_ALONE: late has not started with 2.0 and never does',
    },
  ],
  [
    'everything that runs the version, but for where it starts',
    { environments: { ...regions, dev: '1.9 2.0' }, asked: 'EVERYTHING_THAT_RUNS_IT', source: 'dev' },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'INCLUDED 2.0 > 1.3', asia: 'LEFT_ALONE', dev: 'LEFT_ALONE' },
  ],
  [
    'everything that runs the version, whatever the budget says',
    { environments: regions, asked: 'EVERYTHING_THAT_RUNS_IT', policy: { budget: 1 } },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'INCLUDED 2.0 > 1.3', asia: 'LEFT_ALONE' },
  ],
  [
    'nobody runs it',
    { environments: regions, asked: 'EVERYTHING_THAT_RUNS_IT', bad: '3.0' },
    { 'us-east': 'LEFT_ALONE', eu: 'LEFT_ALONE', asia: 'LEFT_ALONE: asia runs 1.9 and not 3.0' },
  ],
  [
    'where versions start, when it is named',
    { environments: { dev: '1.9 2.0' }, asked: ['dev'], source: 'dev', policy: null },
    { dev: 'INCLUDED 2.0 > 1.9' },
  ],
  [
    'a second time, long after, without certainty: a person may',
    { environments: { 'us-east': '1.4 2.0 =2.0' }, asked: ['us-east'], age: 600, indefinite: true, policy: null },
    { 'us-east': 'INCLUDED 2.0 > 1.4' },
  ],
  [
    'what a rollback brought: a person may',
    { environments: { 'us-east': '1.3 2.0 2.1 2.0~' }, asked: ['us-east'], policy: null },
    { 'us-east': 'INCLUDED 2.0 > 1.3' },
  ],
  [
    'what the policy would only propose',
    {
      environments: regions,
      asked: ['us-east', 'eu'],
      policy: { targets: [target({ siblings: true, mode: 'APPROVAL' })] },
    },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'INCLUDED 2.0 > 1.3', asia: 'LEFT_ALONE' },
  ],
  [
    'where somebody changed something by hand',
    { environments: { 'us-east': '1.4 2.0*' }, asked: ['us-east'], policy: null },
    { 'us-east': 'INCLUDED 2.0 > 1.4' },
  ],
  [
    'where rollbacks are excluded: not before that is taken away',
    { environments: regions, asked: ['us-east'], excluded: { 'us-east': 'frozen' }, policy: null },
    { 'us-east': 'LEFT_ALONE: us-east is excluded from rollbacks: frozen' },
  ],
  [
    'where it has not started: what is live goes back',
    { environments: { 'us-east': '1.3 1.4 (2.0)' }, asked: ['us-east'], bad: '1.4', policy: null },
    { 'us-east': 'INCLUDED 1.4 > 1.3' },
  ],
  [
    'where a promotion is at work: that is stopped, and what was live comes back',
    { environments: { 'us-east': '1.4 +2.0', eu: '1.3 +2.1' }, asked: ['us-east', 'eu'], policy: null },
    {
      'us-east':
        'INCLUDED 2.0 > 1.4: us-east goes back from 2.0 to 1.4: ann asked for it; the promotion to 2.0 that is at work there is stopped first',
      eu: 'INCLUDED 2.1 > 1.3',
    },
  ],
  [
    'where a rollback is under way already',
    { environments: { 'us-east': '1.4 2.0 <2.0>1.4' }, asked: ['us-east'], policy: null },
    { 'us-east': 'LEFT_ALONE: us-east is already going back to 1.4 in rollback back-to-1.4' },
  ],
  [
    'an environment without an application',
    { environments: regions, asked: ['us-east', 'mars'], policy: null },
    { 'us-east': 'INCLUDED 2.0 > 1.4', mars: 'LEFT_ALONE: product billing has no application in mars' },
  ],
  [
    'to a version by name',
    { environments: { 'us-east': '1.2 1.3 1.4 2.0' }, asked: ['us-east'], to: '1.2', policy: null },
    { 'us-east': 'INCLUDED 2.0 > 1.2' },
  ],
  [
    'to a version by digest',
    { environments: { 'us-east': '1.2 1.3 1.4 2.0' }, asked: ['us-east'], to: 'sha-of-1.3', policy: null },
    { 'us-east': 'INCLUDED 2.0 > 1.3' },
  ],
  [
    'to a version that never ran there',
    { environments: regions, asked: ['us-east'], to: '1.0', policy: null },
    { 'us-east': 'IMPOSSIBLE: 1.0 never ran in us-east' },
  ],
  [
    'to a version that was never healthy there',
    { environments: { 'us-east': '1.3? 1.4 2.0' }, asked: ['us-east'], to: '1.3', policy: null },
    { 'us-east': 'IMPOSSIBLE: us-east cannot go back to 1.3: 1.3 was never found healthy there' },
  ],
  [
    'to a version that is marked bad',
    { environments: { 'us-east': '1.3! 1.4 2.0' }, asked: ['us-east'], to: '1.3', policy: null },
    { 'us-east': 'IMPOSSIBLE: us-east cannot go back to 1.3: 1.3 is marked bad' },
  ],
  [
    'to a version that a rollback took back',
    { environments: { 'us-east': '1.2 1.3 1.2~ 2.0' }, asked: ['us-east'], to: '1.3', policy: null },
    { 'us-east': 'IMPOSSIBLE: us-east cannot go back to 1.3: 1.3 was itself taken back there by a rollback' },
  ],
  [
    'to a version below the floor',
    { environments: { 'us-east': '1.2 1.3 1.4^1.3 2.0' }, asked: ['us-east'], to: '1.2', policy: null },
    {
      'us-east': 'IMPOSSIBLE: us-east cannot go back to 1.2: 1.2 is older than 1.3, below which 1.4 allows no rollback',
    },
  ],
  [
    'to a name that two contents have',
    { environments: { 'us-east': '1.2#a 1.2#b 2.0' }, asked: ['us-east'], to: '1.2', policy: null },
    {
      'us-east':
        'IMPOSSIBLE: 1.2 is the name of different contents in us-east (sha-of-b, sha-of-a): name one by its digest',
    },
  ],
  [
    'to a name that two contents have, of which one is good',
    { environments: { 'us-east': '1.2#a 1.2#b? 2.0' }, asked: ['us-east'], to: '1.2', policy: null },
    { 'us-east': 'INCLUDED 2.0 > 1.2' },
  ],
  [
    'to the version that runs there',
    { environments: { 'us-east': '1.4 2.0', eu: '1.3 1.4' }, asked: ['us-east', 'eu'], to: '1.4', policy: null },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'LEFT_ALONE: eu runs 1.4 already' },
  ],
  [
    'to the bad version',
    { environments: { 'us-east': '1.4 2.0', eu: '2.0 2.1' }, asked: ['us-east', 'eu'], to: '2.0', policy: null },
    {
      'us-east': 'LEFT_ALONE: us-east runs 2.0 already',
      eu: 'IMPOSSIBLE: eu cannot go back to 2.0: that is the version which is taken back',
    },
  ],
  [
    'to a version, and the siblings to their own',
    { environments: { 'us-east': '1.2 1.4 2.0', eu: '1.2 1.3 2.0', asia: '1.9' }, asked: ['us-east'], to: '1.2' },
    { 'us-east': 'INCLUDED 2.0 > 1.2', eu: 'INCLUDED 2.0 > 1.3', asia: 'LEFT_ALONE' },
  ],
];

check(rows);

test('without a policy one environment marks the version there, and everything marks it everywhere', () => {
  const markBad = (asked: string[] | 'EVERYTHING_THAT_RUNS_IT') =>
    planRollback(questionOf({ environments: regions, asked, policy: null })).markBad;
  expect(markBad(['us-east'])).toEqual({ scope: 'ENVIRONMENT' });
  expect(markBad('EVERYTHING_THAT_RUNS_IT')).toEqual({ scope: 'PRODUCT' });
});
