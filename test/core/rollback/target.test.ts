import { check, type Row } from './support.ts';

/** To which version one environment goes back. */
const row = (name: string, picture: string, expected: string): Row => [
  name,
  { environments: { 'us-east': picture }, policy: { targets: [] } },
  { 'us-east': expected },
];

check([
  row('the last one that was healthy there', '1.2 1.3 1.4 2.0?', 'INCLUDED 2.0 > 1.4'),
  row('the bad one was healthy for a while', '1.3 1.4 2.0', 'INCLUDED 2.0 > 1.4'),
  row('no earlier version', '2.0?', 'IMPOSSIBLE: us-east never ran an earlier version'),
  row(
    'no earlier version, the same one promoted twice',
    '2.0 2.0?',
    'IMPOSSIBLE: us-east never ran an earlier version',
  ),
  row('the one before was never healthy', '1.2 1.3 1.4? 2.0?', 'INCLUDED 2.0 > 1.3'),
  row(
    'none before was ever healthy',
    '1.3? 1.4? 2.0?',
    'IMPOSSIBLE: no earlier version in us-east is good: 1.4 was never found healthy there',
  ),
  row('the one before is marked bad', '1.2 1.3 1.4! 2.0?', 'INCLUDED 2.0 > 1.3'),
  row(
    'all before are marked bad',
    '1.3! 1.4! 2.0?',
    'IMPOSSIBLE: no earlier version in us-east is good: 1.4 is marked bad',
  ),
  row('the one before was changed by hand', '1.3 1.4* 2.0?', 'INCLUDED 2.0 > 1.3'),
  row('nobody could see the one before: its record counts', '1.3 1.4% 2.0?', 'INCLUDED 2.0 > 1.4'),
  row(
    'only a version that somebody changed by hand',
    '1.4* 2.0?',
    'IMPOSSIBLE: no earlier version in us-east is good: 1.4 was changed by hand there',
  ),
  row('a version that a rollback brought is as good as any', '1.3 1.5? 1.3~ 2.0?', 'INCLUDED 2.0 > 1.3'),
  row('a version that a rollback took back is never gone back to', '1.2! 1.3 1.2~! 2.0?', 'IMPOSSIBLE'),
  row(
    'taken back, and nothing else was ever there',
    '1.3 1.2~! 2.0?',
    'IMPOSSIBLE: no earlier version in us-east is good: 1.2 is marked bad',
  ),
  row('taken back, and healthy in a later promotion: good again', '1.2 1.3 1.2~ 1.3 2.0?', 'INCLUDED 2.0 > 1.3'),
  row('taken back, and healthy before: not', '1.1 1.3 1.2! 1.3 1.2~! 2.0?', 'INCLUDED 2.0 > 1.1'),
  row('the bad version ran before, too', '1.4 2.0 1.5 2.0?', 'INCLUDED 2.0 > 1.5'),
  row('the bad version is older than all that is good', '1.4 2.0 2.0?', 'INCLUDED 2.0 > 1.4'),
  row(
    'the one before has the same name and another content',
    '2.0#first 2.0?',
    'INCLUDED 2.0 > 2.0: us-east goes back from 2.0 (sha-of-2.0) to 2.0 (sha-of-first): the promotion to 2.0 failed',
  ),
  row('the floor is the one before', '1.3 1.4 2.0?^1.4', 'INCLUDED 2.0 > 1.4'),
  row('the floor is further back', '1.2 1.3 1.4! 2.0?^1.2', 'INCLUDED 2.0 > 1.3'),
  row(
    'only what is below the floor is good',
    '1.3 1.4! 2.0?^1.4',
    'IMPOSSIBLE: no earlier version in us-east is good: 1.4 is marked bad',
  ),
  row(
    'the floor is the bad version itself: no way back',
    '1.4 2.0?^2.0',
    'IMPOSSIBLE: no earlier version in us-east is good: 1.4 is older than 2.0, below which 2.0 allows no rollback',
  ),
  row('the floor of an earlier release still holds', '1.3 1.4! 1.5!^1.4 2.0?', 'IMPOSSIBLE'),
  row('the highest floor holds', '1.2 1.3 1.4!^1.2 1.5!^1.4 2.0?^1.3', 'IMPOSSIBLE'),
  row('the floor of a release that was taken back still holds', '1.3 1.9?^1.9 1.3~! 2.0?', 'IMPOSSIBLE'),
  row(
    'a floor that never reached the environment counts as the release that brought it',
    '1.3 2.0?^1.4',
    'IMPOSSIBLE: no earlier version in us-east is good: 1.3 is older than 1.4, below which 2.0 allows no rollback',
  ),
  row('what came after such a release is above its floor', '1.2 1.3^1.1 1.4 2.0?', 'INCLUDED 2.0 > 1.4'),
  row('such a release itself, too', '1.2 1.3^1.1 1.4! 2.0?', 'INCLUDED 2.0 > 1.3'),
  row('versions are in the order of their first arrival', '1.3 1.4! 1.3~ 2.0?^1.4', 'IMPOSSIBLE'),
  row('a floor by digest', '1.3 1.4 1.5! 2.0?^sha-of-1.4', 'INCLUDED 2.0 > 1.4'),
  row(
    'a floor that is the name of two contents is the later one',
    '1.2#a 1.3 1.2#b 1.4! 2.0?^1.2',
    'INCLUDED 2.0 > 1.2',
  ),
  row('on its way with a floor that allows it', '1.3 1.4 +2.0^1.4', 'INCLUDED 2.0 > 1.4'),
  row(
    'on its way with a floor of its own: what it did cannot be taken back',
    '1.3 1.4 +2.0^2.0',
    'IMPOSSIBLE: no earlier version in us-east is good: 1.4 is older than 2.0, below which 2.0 allows no rollback',
  ),
]);
