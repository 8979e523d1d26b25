export interface LoopResult {
  perSecond: number;
  /** Of each that ended in the measured time, in milliseconds. */
  latencies: number[];
  /** All that ended, warm-up and run-out included. */
  ended: number;
}

export interface LoopOrder {
  /** At once, each beginning its next one when its last one has ended. */
  lanes: number;
  /** How many end before the measured time begins: a process that is faster is as warm as one that is slower. */
  warmUp: number;
  /** The measured time. */
  seconds: number;
}

export async function closedLoop(
  { lanes, warmUp, seconds }: LoopOrder,
  one: (lane: number) => Promise<void>,
  on: { begin?: () => void; end?: () => void } = {},
): Promise<LoopResult> {
  const latencies: number[] = [];
  let ended = 0;
  let phase: 'warm-up' | 'measured' | 'over' = 'warm-up';
  let [from, to] = [0, 0];
  const begin = (): void => {
    phase = 'measured';
    on.begin?.();
    from = performance.now();
    setTimeout(() => {
      phase = 'over';
      to = performance.now();
      on.end?.();
    }, seconds * 1_000);
  };
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (phase !== 'over') {
        const began = performance.now();
        await one(lane);
        ended += 1;
        if (phase === 'measured') latencies.push(performance.now() - began);
        else if (phase === 'warm-up' && ended >= warmUp) begin();
      }
    }),
  );
  return { perSecond: (latencies.length * 1_000) / (to - from), latencies, ended };
}

/** So many each second, however many are under way; resolves when all have ended. */
export async function openLoop(
  { perSecond, seconds }: { perSecond: number; seconds: number },
  one: (index: number) => Promise<void>,
): Promise<void> {
  const began = performance.now();
  const begun: Promise<void>[] = [];
  for (let index = 0; index < perSecond * seconds; index += 1) {
    const wait = began + (index * 1_000) / perSecond - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    begun.push(one(index));
  }
  await Promise.all(begun);
}

/** One after the other, for the latency of one that is alone; the first few are not counted. */
export async function oneByOne(count: number, one: () => Promise<void>): Promise<number[]> {
  const latencies: number[] = [];
  for (let index = -Math.ceil(count / 5); index < count; index += 1) {
    const began = performance.now();
    await one();
    if (index >= 0) latencies.push(performance.now() - began);
  }
  return latencies;
}
