import type { OnMissing } from '../../../src/drivers/edit/index.ts';
import { applyValues, selectValues } from '../../../src/drivers/edit/index.ts';

/** Lines as they stand in a file. */
export const lines = (...each: string[]): string => `${each.join('\n')}\n`;

/** What a promotion by these paths makes of the target's text. */
export function promote(
  source: string,
  target: string,
  paths: string[],
  { file = 'values.yaml', onMissing = 'REFUSE' }: { file?: string; onMissing?: OnMissing } = {},
): string {
  const { values } = selectValues(file, source, paths);
  const applied = applyValues(file, target, structuredClone(values), { onMissing });
  // Asked again, the file holds what it was given.
  const again = applyValues(file, applied.text, values, { onMissing });
  if (again.changed) throw new Error(`a second promotion changes the file again:\n${applied.text}\n${again.text}`);
  if (!applied.changed && applied.text !== target) throw new Error('unchanged, and another text');
  return applied.text;
}
