import { statSync } from 'node:fs';
import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

/** What starts whole processes or browsers, kills them and waits for others: a minute or more each. */
const LONG = ['/test/chaos/', '/test/docs/', '/test/web/app.', '/test/web/builder-drafts.', '/test/web/signed-in.'];

/**
 * vitest begins with the largest files, three browsers at once, and would come to the other long ones last, with nothing left beside
 * them. Spread over the run, there is one at a time: beside others of its kind it would be late by what they take from it.
 */
export class LongOnesSpread extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.some((folder) => moduleId.includes(folder));
    const sorted = await super.sort(files);
    const [largest, others] = [sorted.filter(isLong), sorted.filter((file) => !isLong(file))];
    // The browsers are the largest, and each has another kind behind it.
    const half = Math.ceil(largest.length / 2);
    const long = largest
      .slice(0, half)
      .flatMap((file, index) => [file, ...largest.slice(half + index, half + index + 1)]);
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
