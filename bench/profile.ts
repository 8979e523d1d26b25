import type { Profiler } from 'node:inspector';
import { table } from './stats.ts';

/** Where the processor's time went: by part of the program, and the functions that took most of it themselves. */
export function summarize(profile: Profiler.Profile): string {
  const self = new Map<number, number>();
  profile.samples?.forEach((id, index) => self.set(id, (self.get(id) ?? 0) + (profile.timeDeltas?.[index] ?? 0)));
  const total = [...self.values()].reduce((sum, each) => sum + each, 0);
  const parts = new Map<string, number>();
  const functions = new Map<string, number>();
  for (const { id, callFrame } of profile.nodes) {
    const took = self.get(id) ?? 0;
    const part = partOf(callFrame);
    parts.set(part, (parts.get(part) ?? 0) + took);
    if (part === '(idle)') continue;
    const name = `${callFrame.functionName || '(anonymous)'} ${shortened(callFrame.url)}:${callFrame.lineNumber + 1}`;
    functions.set(name, (functions.get(name) ?? 0) + took);
  }
  const top = (map: Map<string, number>, count: number): string[][] =>
    [...map]
      .sort(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(([name, took]) => [`${((took / total) * 100).toFixed(1)} %`, name]);
  return `${table(['share', 'part'], top(parts, 16))}\n\n${table(['share', 'function itself'], top(functions, 30))}`;
}

function partOf({ functionName, url }: { functionName: string; url: string }): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
  if (url.startsWith('node:')) return 'node';
  const [, module] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (module !== undefined) return module;
  const [, folder] = /\/((?:src\/[^/]+|bench))\/?[^/]*$/.exec(url) ?? [];
  return folder ?? 'other';
}

const shortened = (url: string): string => url.replace(/^.*\/(node_modules|dist)\//, '').replace('file://', '');
