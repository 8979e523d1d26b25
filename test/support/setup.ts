// type-graphql and TypeORM read decorator metadata: this must be loaded before the first decorated class.
import 'reflect-metadata';
import { afterAll, expect } from 'vitest';
import { onHoldAndWait, takeHoldAndWaits } from '../../src/connections.ts';

// Whatever a test is about: nobody asks a pool while holding a connection of it, also where the refusal is caught and logged.
onHoldAndWait('REFUSE');
afterAll(() => {
  expect(takeHoldAndWaits()).toEqual([]);
});
