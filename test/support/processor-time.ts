/** @returns how long the processor worked for this process meanwhile, in milliseconds: how busy the machine is does not count */
export function processorTime(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
