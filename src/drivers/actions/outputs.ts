import { CONTEXT_OUTPUT } from '../../core/context.ts';
import { PermanentError } from '../driver.ts';

/** In bytes of UTF-8. Outputs travel in the state of the release, in its events and into later actions: they are values, not files. */
const OUTPUT_LIMITS = { value: 16 * 1024, step: 64 * 1024 };

/** @throws PermanentError naming the output that is too large, or the sum of all */
export function checkOutputs(outputs: Record<string, string>, limits = OUTPUT_LIMITS): Record<string, string> {
  let all = 0;
  for (const [name, value] of Object.entries(outputs)) {
    const bytes = Buffer.byteLength(value);
    // What a hook hands on is bounded as a whole.
    if (bytes > limits.value && name !== CONTEXT_OUTPUT)
      throw new PermanentError(
        `output "${name}" has ${bytes} bytes; at most ${limits.value} are kept: take a smaller part of the answer`,
      );
    all += bytes + Buffer.byteLength(name);
  }
  if (all > limits.step)
    throw new PermanentError(
      `the outputs have ${all} bytes together; at most ${limits.step} are kept: take fewer or smaller parts of the answer`,
    );
  return outputs;
}
