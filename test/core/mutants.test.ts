import { expect, test } from 'vitest';
import { outdated } from './support/plant.mjs';

test.each(['core/support', 'core/rollback', 'drivers/edit'])(
  'the bugs that test/%s/mutants.mjs plants name code that is there',
  async (folder) => {
    const list = new URL(`../${folder}/mutants.mjs`, import.meta.url).href;
    const { LIST } = (await import(/* @vite-ignore */ list)) as { LIST: object };
    expect(outdated(LIST)).toEqual([]);
  },
);
