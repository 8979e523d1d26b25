import { check, target, type Row } from './support.ts';

/** Environments in which something is under way. */
const rows: Row[] = [
  [
    'on its way to the bad version: stopped first, and back to what was live',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 +2.0', asia: '1.9' } },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'INCLUDED 2.0 > 1.3: eu goes back from 2.0 to 1.3 because 2.0 failed in us-east; the promotion to 2.0 that is at work there is stopped first',
      asia: 'LEFT_ALONE',
    },
  ],
  [
    'on its way and written already, not yet healthy',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0? +2.0', asia: '1.9' } },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'INCLUDED 2.0 > 1.3', asia: 'LEFT_ALONE' },
  ],
  [
    'on its way as the first version ever: nothing to go back to',
    { environments: { 'us-east': '1.4 2.0?', eu: '+2.0', asia: '1.9' } },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'IMPOSSIBLE: eu never ran an earlier version', asia: 'LEFT_ALONE' },
  ],
  [
    'on its way over a version that was never healthy: back to the one before',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.2 1.3? +2.0', asia: '1.9' } },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'INCLUDED 2.0 > 1.2', asia: 'LEFT_ALONE' },
  ],
  [
    'on its way over what a rollback brought: that is not rolled back, it comes back',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 1.5! 1.3~ +2.0', asia: '1.9' } },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'INCLUDED 2.0 > 1.3', asia: 'LEFT_ALONE' },
  ],
  [
    'on its way over a change by hand: a person has to agree',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 1.4* +2.0', asia: '1.9' } },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'PROPOSED 2.0 > 1.3: eu goes back from 2.0 to 1.3 because 2.0 failed in us-east; the promotion to 2.0 that is at work there is stopped first; a person has to agree: eu was changed by hand, and that change would be lost',
      asia: 'LEFT_ALONE',
    },
  ],
  [
    'the bad version is live and the next one on its way: that is stopped first',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0 +2.1', asia: '1.9' } },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'INCLUDED 2.0 > 1.3: eu goes back from 2.0 to 1.3 because 2.0 failed in us-east; the promotion to 2.1 that is at work there is stopped first',
      asia: 'LEFT_ALONE',
    },
  ],
  [
    'on its way to another version, and another one live: left alone',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 +2.1', asia: '+2.1' } },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'LEFT_ALONE: eu runs 1.3 and not 2.0',
      asia: 'LEFT_ALONE: asia is being promoted to 2.1 and not to 2.0',
    },
  ],
  [
    'the bad version was replaced while its promotion is still at work: nothing to take back',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0? 2.1? +2.1', asia: '1.9' } },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'LEFT_ALONE: eu runs 2.1 and not 2.0', asia: 'LEFT_ALONE' },
  ],
  [
    'already going back in another rollback: that one goes on',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0 <2.0>1.3', asia: '1.2 2.0' } },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'LEFT_ALONE: eu is already going back to 1.3 in rollback back-to-1.3',
      asia: 'INCLUDED 2.0 > 1.2',
    },
  ],
  [
    'two regions fail at the same moment: the first cascade has them all, the second has nothing to do',
    {
      at: 'eu',
      environments: { 'us-east': '1.4 2.0? <2.0>1.4', eu: '1.3 2.0? <2.0>1.3', asia: '1.2 2.0 <2.0>1.2' },
    },
    {
      eu: 'LEFT_ALONE: eu is already going back to 1.3 in rollback back-to-1.3',
      'us-east': 'LEFT_ALONE',
      asia: 'LEFT_ALONE',
    },
  ],
  [
    'going back, and the rollback has already written: still that rollback',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0 1.3~? <2.0>1.3', asia: '1.9' } },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'LEFT_ALONE', asia: 'LEFT_ALONE' },
  ],
  [
    'a rollback is bringing the bad version back: a person has to look',
    { environments: { 'us-east': '1.4 2.0?', eu: '2.0 2.1? <2.1>2.0', asia: '1.9' } },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'IMPOSSIBLE: rollback back-to-2.0 is bringing eu back to 2.0, and a rollback is never rolled back: a person has to look',
      asia: 'LEFT_ALONE',
    },
  ],
  [
    'a rollback of something else is under way',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 1.9 <1.9>1.3', asia: '1.9' } },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'LEFT_ALONE', asia: 'LEFT_ALONE' },
  ],
  [
    'ALWAYS does not take part in another rollback either',
    {
      environments: { 'us-east': '1.4 2.0?', eu: '1.3 1.9 <1.9>1.3' },
      policy: { targets: [target({ environments: ['eu'], condition: 'ALWAYS' })] },
    },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'LEFT_ALONE' },
  ],
];

check(rows);
