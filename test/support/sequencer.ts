import { statSync } from 'node:fs';
import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

/** What starts whole processes or browsers, kills them and waits for others: a minute or more each. */
const LONG = ['/test/chaos/', '/test/docs/', '/test/web/app.', '/test/web/builder-drafts.', '/test/web/signed-in.'];

/** The last of them begins before so much of the others is through: it ends before they do, and not with nothing left beside it. */
const SPREAD_OVER = 0.75;

/**
 * About how many seconds files take, several at once on two cores, where that is more than their size says. Nothing but the order goes by it:
 * a file that is missing here may begin too late, and the run ends with it alone.
 */
export const SECONDS: Readonly<Record<string, number>> = {
  'engine/pull-request.test.ts': 82,
  'access/foreign.test.ts': 48,
  'engine/pull-request-order.test.ts': 47,
  'house/how-to-add.test.ts': 41,
  'store/plans.test.ts': 40,
  'engine/restored.test.ts': 21,
  'engine/commit-warnings.test.ts': 21,
  'access/every-command.test.ts': 20,
  'postgres/embedded.test.ts': 19,
  'shell/simulation.test.ts': 18,
  'access/hostile-text.test.ts': 18,
  'engine/two-installations.test.ts': 17,
  'engine/shutdown.test.ts': 14,
  'engine/queue-time.test.ts': 11,
};

/** What a file of so many bytes takes. Files that wait and files that compute stay mixed: by time alone the first would all wait. */
const BYTES_A_SECOND = 600;

const sizeOf = ({ moduleId }: TestSpecification): number =>
  Math.max(statSync(moduleId).size, BYTES_A_SECOND * (SECONDS[moduleId.split('/test/').at(-1)!] ?? 0));

/**
 * The largest files begin first, so that the run does not end with one of them alone. The long ones are spread over the run, one at a time:
 * beside others of its kind each would be late by what they take from it.
 */
export class LongOnesSpread extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.some((folder) => moduleId.includes(folder));
    const sorted = files.toSorted((a, b) => sizeOf(b) - sizeOf(a));
    const [largest, others] = [sorted.filter(isLong), sorted.filter((file) => !isLong(file))];
    // The browsers are the largest, and each has another kind behind it.
    const half = Math.ceil(largest.length / 2);
    const long = largest
      .slice(0, half)
      .flatMap((file, index) => [file, ...largest.slice(half + index, half + index + 1)]);
    const each = (SPREAD_OVER * others.reduce((sum, file) => sum + sizeOf(file), 0)) / long.length;
    let passed = 0;
    const spread = others.flatMap((file) => {
      const due = long.length > 0 && passed >= 0;
      if (due) passed -= each;
      passed += sizeOf(file);
      return due ? [long.shift()!, file] : [file];
    });
    return Promise.resolve([...spread, ...long]);
  }
}
