import { describe, expect, test } from 'vitest';
import { betweenOf, checkBetween, flowBetween } from '../../../src/core/trigger/between.ts';

const refusedFor = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return (error as { refusals: { code: string; path: unknown[] }[] }).refusals.map(({ code, path }) => [
      code,
      ...path,
    ]);
  }
};

describe('a promotion between two environments', () => {
  test('is a flow of one step, whose name no saved flow can have', () => {
    const { metadata, spec, revision } = flowBetween({ from: 'staging', to: 'eu' });
    expect(spec.steps).toEqual([{ environment: 'eu', dependsOn: ['staging'] }]);
    expect(spec.triggerEnvironment).toBe('staging');
    expect(revision).toBe(0);
    expect(metadata.name).not.toMatch(/^[a-z0-9-]+$/);
  });

  test.each([
    ['one without the other', { from: 'staging' }, [['INVALID', 'to']]],
    ['the other without the one', { to: 'eu' }, [['INVALID', 'from']]],
    ['a flow beside it', { from: 'staging', to: 'eu', flow: 'f' }, [['INVALID', 'flow']]],
    ['one environment twice', { from: 'eu', to: 'eu' }, [['INVALID', 'to']]],
    ['a flow alone', { flow: 'f' }, undefined],
    ['both', { from: 'staging', to: 'eu' }, { from: 'staging', to: 'eu' }],
  ])('%s', (_, input, answer) => expect(refusedFor(() => betweenOf(input))).toEqual(answer));

  test.each([
    ['from', { from: 'mars', to: 'eu' }],
    ['to', { from: 'eu', to: 'mars' }],
  ])('an environment that is not there is named by its field: %s', (field, between) =>
    expect(refusedFor(() => checkBetween(between, (name) => name === 'eu'))).toEqual([['NOT_FOUND', field]]),
  );
});
