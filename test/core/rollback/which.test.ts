import { check, target, type Row } from './support.ts';

/** Which environments go back with the one that failed. */
const rows: Row[] = [
  [
    'the sample: each region goes back to its own last good version, the last one when somebody agrees',
    {
      environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0', asia: '1.2 2.0', 'asia-2': '1.1 2.0' },
      policy: { targets: [target({ siblings: true }), target({ downstream: true, mode: 'APPROVAL' })] },
    },
    {
      'us-east': 'INCLUDED 2.0 > 1.4: us-east goes back from 2.0 to 1.4: the promotion to 2.0 failed',
      eu: 'INCLUDED 2.0 > 1.3: eu goes back from 2.0 to 1.3 because 2.0 failed in us-east',
      asia: 'INCLUDED 2.0 > 1.2',
      'asia-2':
        'PROPOSED 2.0 > 1.1: asia-2 goes back from 2.0 to 1.1 because 2.0 failed in us-east; a person has to agree, as the policy for us-east says',
    },
  ],
  [
    'the sample: what has not started never does',
    {
      environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0', asia: '1.2 2.0', 'asia-2': '1.1 (2.0)' },
      policy: { targets: [target({ siblings: true }), target({ downstream: true, mode: 'APPROVAL' })] },
    },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'INCLUDED 2.0 > 1.3',
      asia: 'INCLUDED 2.0 > 1.2',
      'asia-2': 'LEFT_ALONE: asia-2 has not started with 2.0 and never does',
    },
  ],
  [
    'a version that was found healthy, and whose target nobody saw run it, is not gone back to',
    { environments: { 'us-east': '1.3 1.4& 2.0?', eu: '1.9& 2.0' }, policy: { targets: [target({ siblings: true })] } },
    {
      'us-east': 'INCLUDED 2.0 > 1.3',
      eu: 'IMPOSSIBLE: no earlier version in eu is good: 1.9 was found healthy there, and its target was never seen to run it',
      asia: 'LEFT_ALONE',
    },
  ],
  [
    'a region on another version is left alone',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 1.9', asia: '1.2 2.0' } },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'LEFT_ALONE: eu runs 1.9 and not 2.0',
      asia: 'INCLUDED 2.0 > 1.2',
    },
  ],
  [
    'a region that was promoted past the bad version is left alone',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0 2.1', asia: '2.0' } },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'LEFT_ALONE: eu runs 2.1 and not 2.0', asia: 'IMPOSSIBLE' },
  ],
  [
    'the same name with another content is another version',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0#other', asia: '1.9' } },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'LEFT_ALONE: eu runs 2.0 (sha-of-other) and not 2.0 (sha-of-2.0)',
      asia: 'LEFT_ALONE',
    },
  ],
  [
    'the same content under another name is the same version',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 two#2.0', asia: '1.9' } },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'INCLUDED two > 1.3', asia: 'LEFT_ALONE' },
  ],
  [
    'ALWAYS takes back whatever runs there',
    {
      environments: { 'us-east': '1.4 2.0?', eu: '1.8 1.9' },
      policy: { targets: [target({ environments: ['eu'], condition: 'ALWAYS' })] },
    },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'INCLUDED 1.9 > 1.8: eu goes back from 1.9 to 1.8 because 2.0 failed in us-east',
    },
  ],
  [
    'ALWAYS and nothing to go back to',
    {
      environments: { 'us-east': '1.4 2.0?', eu: '1.9' },
      policy: { targets: [target({ environments: ['eu'], condition: 'ALWAYS' })] },
    },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'IMPOSSIBLE: eu never ran an earlier version' },
  ],
  [
    'ALWAYS never takes an environment to the bad version',
    {
      environments: { 'us-east': '1.4 2.0?', eu: '1.8 2.0 2.1' },
      policy: { targets: [target({ environments: ['eu'], condition: 'ALWAYS' })] },
    },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'INCLUDED 2.1 > 1.8' },
  ],
  [
    'ALWAYS does not take back what has not started',
    {
      environments: { 'us-east': '1.4 2.0?', 'asia-2': '1.3 1.4 (2.0)' },
      policy: { targets: [target({ environments: ['asia-2'], condition: 'ALWAYS' })] },
    },
    { 'us-east': 'INCLUDED 2.0 > 1.4', 'asia-2': 'LEFT_ALONE' },
  ],
  [
    'the bad version is live and planned once more: it goes back',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0 (2.0)', asia: '1.2' } },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'INCLUDED 2.0 > 1.3', asia: 'LEFT_ALONE' },
  ],
  [
    'named twice: the first target whose condition fits says how',
    {
      environments: { 'us-east': '1.4 2.0?', eu: '1.8 1.9', asia: '1.8 2.0' },
      policy: {
        targets: [target({ siblings: true }), target({ group: 'regions', condition: 'ALWAYS', mode: 'APPROVAL' })],
      },
    },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'PROPOSED 1.9 > 1.8', asia: 'INCLUDED 2.0 > 1.8' },
  ],
  [
    'the environment that failed goes back by itself, whatever the policy says of its group',
    {
      environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0', asia: '1.9' },
      policy: { targets: [target({ group: 'regions', mode: 'APPROVAL' })] },
    },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'PROPOSED 2.0 > 1.3', asia: 'LEFT_ALONE' },
  ],
  [
    'a policy without targets takes back only what failed',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0' }, policy: { targets: [] } },
    { 'us-east': 'INCLUDED 2.0 > 1.4' },
  ],
  [
    'an environment whose application is gone',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0' } },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'INCLUDED 2.0 > 1.3',
      asia: 'LEFT_ALONE: product billing has no application in asia',
    },
  ],
  [
    'an environment to which nothing was ever promoted',
    { environments: { 'us-east': '1.4 2.0?', eu: '', asia: '1.9' } },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'LEFT_ALONE: nothing was ever promoted to eu',
      asia: 'LEFT_ALONE',
    },
  ],
  [
    'a region that somebody changed by hand is left alone: nobody knows what it runs',
    { environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0*', asia: '1.3 2.0%' } },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      eu: 'LEFT_ALONE: eu was changed by hand after 2.0: what is live there is not known',
      asia: 'INCLUDED 2.0 > 1.3: asia goes back from 2.0 to 1.3 because 2.0 failed in us-east; the check of asia failed: what is live there is not known, and nothing is written before a check succeeds',
    },
  ],
  [
    'an environment that is excluded from rollbacks is left alone, even when it failed itself',
    {
      environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0', asia: '1.2 2.0' },
      excluded: { eu: 'an audit until Friday', 'us-east': 'frozen' },
    },
    {
      'us-east': 'LEFT_ALONE: us-east is excluded from rollbacks: frozen',
      eu: 'LEFT_ALONE: eu is excluded from rollbacks: an audit until Friday',
      asia: 'INCLUDED 2.0 > 1.2',
    },
  ],
  [
    'the environment where versions start is left alone',
    {
      environments: { 'us-east': '1.4 2.0?', dev: '1.4 2.0' },
      policy: { targets: [target({ environments: ['dev'] })] },
      source: 'dev',
    },
    {
      'us-east': 'INCLUDED 2.0 > 1.4',
      dev: 'LEFT_ALONE: versions start in dev: a rollback there would be undone by the next one',
    },
  ],
  [
    'the environment that failed runs another version by now: the others still go back',
    { environments: { 'us-east': '1.4 2.0? 2.1', eu: '1.3 2.0', asia: '1.9' }, kind: 'REPORTED' },
    { 'us-east': 'LEFT_ALONE: us-east runs 2.1 and not 2.0', eu: 'INCLUDED 2.0 > 1.3', asia: 'LEFT_ALONE' },
  ],
];

check(rows);
