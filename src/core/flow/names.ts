import type { PromotionFlowSpec } from '../definitions.ts';
import { promotionFlow } from '../kinds/promotion-flow.ts';
import type { Field, Shape, TextShape } from '../kinds/shape.ts';
import { objectIn, type Path } from '../kinds/walk.ts';

type Plain = Record<string, unknown>;

/** The new name of a part of the flow; undefined: that part is gone. */
export type Renaming = (what: NonNullable<TextShape['inFlow']>, name: string) => string | undefined;

/**
 * The flow with other names wherever it names its own parts, which are the texts that `core/kinds` marks with `inFlow`. What steps
 * promote is not among them.
 *
 * A name that is gone leaves its list. An entry that named nothing else goes with it, because without the name it would apply to
 * everything: a rollback policy for `eu` alone must not become one for all environments.
 *
 * @returns also the places of those entries in the flow as it was, without `spec`
 */
export function withNames(spec: PromotionFlowSpec, renaming: Renaming): { spec: PromotionFlowSpec; emptied: Path[] } {
  const emptied: Path[] = [];
  const renamed = follow(promotionFlow, spec, []) as PromotionFlowSpec;
  if (spec.rollbackPolicies?.length && renamed.rollbackPolicies?.length === 0) {
    const { rollbackPolicies: _none, ...rest } = renamed;
    return { spec: rest, emptied };
  }
  return { spec: renamed, emptied };

  /** The same object where nothing in it is named otherwise; undefined: nothing is left of it. */
  function follow(shape: Shape, value: unknown, path: Path): unknown {
    if (value === undefined || value === null) return value;
    if (shape.is === 'text') return shape.inFlow === undefined ? value : renaming(shape.inFlow, value as string);
    if (shape.is === 'list') {
      const entries = value as unknown[];
      const now = entries.map((each, index) => {
        const at = [...path, index];
        const inside = emptied.length;
        const after = follow(shape.of, each, at);
        // An entry that goes as a whole is told as a whole.
        if (after === undefined && shape.of.is !== 'text') emptied.splice(inside, Infinity, at);
        return after;
      });
      if (now.every((each, index) => each === entries[index])) return value;
      const left = [...new Set(now)].filter((each) => each !== undefined);
      return left.length === 0 && shape.empty !== undefined ? undefined : left;
    }
    const object = objectIn(shape, value as Plain);
    return object ? followFields(object.fields, value as Plain, path) : value;
  }

  function followFields(fields: Record<string, Field>, value: Plain, path: Path): unknown {
    const now = Object.entries(fields).map(([key, field]) => {
      const before = value[key];
      return { key, field, before, after: follow(field.shape, before, [...path, key]) };
    });
    const changed = now.filter(({ before, after }) => before !== after);
    if (changed.length === 0) return value;
    const lost = changed.filter(({ after }) => after === undefined);
    const stillNames = now.some(({ field, after }) => after !== undefined && isName(field.shape));
    if (lost.length > 0 && !stillNames) return undefined;
    const result = { ...value };
    for (const { key, after } of changed) {
      if (after === undefined) delete result[key];
      else result[key] = after;
    }
    return result;
  }
}

const isName = (shape: Shape): boolean =>
  shape.is === 'list' ? isName(shape.of) : shape.is === 'text' && shape.inFlow !== undefined;
