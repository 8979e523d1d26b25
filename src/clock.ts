/** Where the shell gets its time from. The core never asks: it is told. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
