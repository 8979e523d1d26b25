import type { PromotionFlowSpec } from '../definitions.ts';
import type { Path } from '../kinds/walk.ts';
import { stepName } from './graph.ts';

interface Origin {
  /** In the edits. */
  path: Path;
  /** Whether what is below a place in the flow is below this place, too. */
  exact: boolean;
}

/** Of a step as a whole; no field is called so. */
const WHOLE = '';

/**
 * Which edit brought what stands in a flow now. A fault is found in the edited flow; whoever made the edits has to mend it there.
 * Steps are known by name, because their places move when others are removed.
 */
export class Origins {
  readonly #flow = new Map<string, Origin>();
  readonly #steps = new Map<string, Map<string, Origin>>();

  /** A new step, which stands in the edits as it stands in the flow. */
  added(step: string, path: Path): void {
    this.#steps.set(step, new Map([[WHOLE, { path, exact: true }]]));
  }

  /** A field of a step that was there: `exact` when its value stands in the edits at `path`. */
  changed(step: string, field: string, path: Path, exact = false): void {
    const fields = this.#steps.get(step) ?? new Map<string, Origin>();
    this.#steps.set(step, fields.set(field, { path, exact }));
  }

  /** A field of the flow itself. What was given keeps its place when a later edit only has consequences for it. */
  changedFlow(field: string, path: Path, exact = false): void {
    if (exact || !this.#flow.get(field)?.exact) this.#flow.set(field, { path, exact });
  }

  /** @param now the flow after it: steps that have no name yet are called the same, and another one may be there still */
  renamed(now: PromotionFlowSpec, step: string, to: string): void {
    const fields = this.#steps.get(step);
    if (!fields) return;
    this.removed(now, step);
    this.#steps.set(to, new Map(fields));
  }

  /** @param now the flow after it */
  removed(now: PromotionFlowSpec, step: string): void {
    if (!now.steps.some((each) => stepName(each) === step)) this.#steps.delete(step);
  }

  /** The place in the edits from which this place of the flow, which begins with `spec`, has its value; null: it was there before. */
  of(spec: PromotionFlowSpec, place: Path): Path | null {
    const [head, field, at, inner, ...below] = place;
    if (head !== 'spec') return null;
    const step = field === 'steps' && typeof at === 'number' ? spec.steps[at] : undefined;
    if (!step) return found(this.#flow.get(String(field)), place.slice(2));
    const fields = this.#steps.get(stepName(step));
    if (inner === undefined) return found([...(fields?.values() ?? [])][0], []);
    return found(fields?.get(String(inner)), below) ?? found(fields?.get(WHOLE), [inner, ...below]);
  }
}

function found(origin: Origin | undefined, below: Path): Path | null {
  if (!origin) return null;
  return origin.exact ? [...origin.path, ...below] : origin.path;
}
