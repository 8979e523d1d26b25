import { check, target, type Row } from './support.ts';

/** The same policy in flows of other shapes. */
const everywhere = { staging: '1.0 2.0', eu: '1.0 2.0', asia: '1.0 2.0', us: '1.0 2.0' };
const goes = 'INCLUDED 2.0 > 1.0';

const rows: Row[] = [
  [
    'downstream along a chain',
    {
      flow: 'dev > staging > eu > asia > us',
      environments: everywhere,
      at: 'eu',
      policy: { targets: [target({ downstream: true })] },
    },
    { eu: goes, asia: goes, us: goes },
  ],
  [
    'downstream of the first environment is all behind it',
    {
      flow: 'dev > staging > {eu, asia} > us',
      environments: everywhere,
      at: 'staging',
      policy: { targets: [target({ downstream: true })] },
    },
    { staging: goes, eu: goes, asia: goes, us: goes },
  ],
  [
    'downstream of where versions start is all of it',
    {
      flow: 'dev > staging > eu',
      environments: { ...everywhere, dev: '1.0 2.0' },
      at: 'dev',
      policy: { targets: [target({ downstream: true })] },
    },
    { dev: goes, staging: goes, eu: goes },
  ],
  [
    'downstream of a diamond is looked at once',
    {
      flow: 'dev > staging > {eu, asia} > us > late',
      environments: { ...everywhere, late: '2.0 (2.0)' },
      at: 'staging',
      policy: { targets: [target({ downstream: true })] },
    },
    { staging: goes, eu: goes, asia: goes, us: goes, late: 'IMPOSSIBLE' },
  ],
  [
    'downstream does not reach side by side',
    {
      flow: 'dev > staging > {eu, asia}',
      environments: everywhere,
      at: 'eu',
      policy: { targets: [target({ downstream: true })] },
    },
    { eu: goes },
  ],
  [
    'downstream of a member is what waits for its group',
    {
      flow: 'dev > {eu, asia} as regions > us',
      environments: everywhere,
      at: 'asia',
      policy: { targets: [target({ downstream: true })] },
    },
    { asia: goes, us: goes },
  ],
  [
    'downstream through a workflow step, which has no environment',
    {
      flow: 'dev > eu > [migrate] > {asia, us} as rest',
      environments: everywhere,
      at: 'eu',
      policy: { targets: [target({ downstream: true })] },
    },
    { eu: goes, asia: goes, us: goes },
  ],
  [
    'downstream of the last one is nobody',
    {
      flow: 'dev > eu > us',
      environments: everywhere,
      at: 'us',
      policy: { targets: [target({ downstream: true })] },
    },
    { us: goes },
  ],
  [
    'siblings of an environment without a group are nobody',
    { flow: 'dev > staging > {eu, asia}', environments: everywhere, at: 'eu' },
    { eu: goes },
  ],
  [
    'siblings are those of its own group',
    {
      flow: 'dev > {eu, asia} as first > {us, late} as second',
      environments: { ...everywhere, late: '2.0' },
      at: 'us',
    },
    { us: goes, late: 'IMPOSSIBLE' },
  ],
  [
    'another group, by name',
    {
      flow: 'dev > {staging} as canary > {eu, asia, us} as regions',
      environments: everywhere,
      at: 'staging',
      policy: { targets: [target({ group: 'regions', mode: 'APPROVAL' })] },
    },
    { staging: goes, eu: 'PROPOSED 2.0 > 1.0', asia: 'PROPOSED 2.0 > 1.0', us: 'PROPOSED 2.0 > 1.0' },
  ],
  [
    'environments by name, in the order of the policy',
    {
      flow: 'dev > staging > {eu, asia} > us',
      environments: everywhere,
      at: 'us',
      policy: { targets: [target({ environments: ['staging', 'eu'] })] },
    },
    { us: goes, staging: goes, eu: goes },
  ],
  [
    'siblings and everything behind them',
    {
      flow: 'dev > {eu, asia} as regions > us',
      environments: everywhere,
      at: 'eu',
      policy: { targets: [target({ downstream: true, mode: 'APPROVAL' }), target({ siblings: true })] },
    },
    { eu: goes, us: 'PROPOSED 2.0 > 1.0', asia: goes },
  ],
];

check(rows);
