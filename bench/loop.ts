export interface LoopResult {
  perSecond: number;
  /** Of each that ended in the measured time, in milliseconds. */
  latencies: number[];
  /** All that ended, warm-up and run-out included. */
  ended: number;
}

/** `lanes` at once, each beginning its next one when its last one has ended; counted after the warm-up. Times in seconds. */
export async function closedLoop(
  lanes: number,
  warmUp: number,
  seconds: number,
  one: (lane: number) => Promise<void>,
  onMeasure: () => void = () => undefined,
): Promise<LoopResult> {
  const start = performance.now() + warmUp * 1_000;
  const end = start + seconds * 1_000;
  const latencies: number[] = [];
  let ended = 0;
  const timer = setTimeout(onMeasure, warmUp * 1_000);
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      while (performance.now() < end) {
        const began = performance.now();
        await one(lane);
        const now = performance.now();
        ended += 1;
        if (now >= start && now < end) latencies.push(now - began);
      }
    }),
  );
  clearTimeout(timer);
  return { perSecond: latencies.length / seconds, latencies, ended };
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
