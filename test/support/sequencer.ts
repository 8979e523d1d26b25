import { statSync } from 'node:fs';
import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

/** What starts whole processes, kills them and waits for others: a minute or more each, in files that are small. */
const LONG = ['/test/chaos/', '/test/docs/'];

/**
 * vitest begins with the largest files and would come to the long ones last, all at once, with nothing left beside them. Spread over the
 * run, there is one at a time: beside others of its kind it would be late by what they take from it.
 */
export class LongOnesSpread extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.some((folder) => moduleId.includes(folder));
    const sorted = await super.sort(files);
    const [long, others] = [sorted.filter(isLong), sorted.filter((file) => !isLong(file))];
    const sizes = others.map(({ moduleId }) => statSync(moduleId).size);
    const each = sizes.reduce((sum, size) => sum + size, 0) / long.length;
    let passed = 0;
    return [
      ...others.flatMap((file, index) => {
        const due = long.length > 0 && passed >= 0;
        if (due) passed -= each;
        passed += sizes[index]!;
        return due ? [long.shift()!, file] : [file];
      }),
      ...long,
    ];
  }
}
