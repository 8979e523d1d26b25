import type { PromotionFlowSpec } from '../definitions.ts';
import { MOST_EDITS, type FlowEdit } from '../kinds/flow-edit.ts';
import type { Path } from '../kinds/walk.ts';
import type { Refusal } from '../problems.ts';
import type { FlowCheck } from './check.ts';
import { addSteps } from './edit-add.ts';
import { removeStep } from './edit-remove.ts';
import { changeFlow, changeStep, renameStep, setDependencies } from './edit-step.ts';
import { Editing, type FlowNote, type FlowProblem } from './editing.ts';
import { NO_GROUPS, stepName, type Members } from './graph.ts';

export type { FlowNote, FlowProblem } from './editing.ts';

/** A flow that came of edits. */
export interface MadeFlow {
  spec: PromotionFlowSpec;
  notes: FlowNote[];
  /** The place in the edits that brought a place of `spec`; null where it was there before. */
  originOf: (place: Path) => Path | null;
  refusals?: undefined;
}

/** What came of edits, or why one of them could not be made. */
export type EditedFlow = MadeFlow | { spec?: undefined; refusals: FlowProblem[] };

const MAKE: { [T in FlowEdit['type']]: (flow: Editing, edit: Extract<FlowEdit, { type: T }>) => void } = {
  addSteps,
  removeStep,
  setDependencies,
  renameStep,
  changeStep,
  changeFlow,
};

/**
 * Makes edits one after the other, all of them or none.
 *
 * An edit is refused when it has no meaning in the flow that it finds: it names something that is not there, brings a name or an
 * environment a second time, closes a circle, or leaves the others in doubt. Everything else is for `checkFlow`, which judges the flow
 * that comes of all of them: what is wrong after one edit may be right after the next, and an editor shows a flow that is not finished.
 * So of a sound flow either a sound flow comes, or each fault has the edit to which it goes back.
 *
 * `groups` has the members of all groups, as for `checkFlow`. The given flow is left as it is.
 */
export function editFlow(spec: PromotionFlowSpec, edits: readonly FlowEdit[], groups: Members = NO_GROUPS): EditedFlow {
  const flow = new Editing(spec, groups);
  if (edits.length > MOST_EDITS) {
    const message = `there are ${edits.length} edits; at most ${MOST_EDITS} are made at once`;
    return { refusals: [{ code: 'INVALID', message, path: ['edits'], flowPath: [] }] };
  }
  for (const [at, edit] of edits.entries()) {
    flow.begin(at);
    MAKE[edit.type](flow, edit as never);
    if (flow.refusals.length > 0) return { refusals: flow.refusals };
  }
  const now = flow.spec;
  return {
    spec: now,
    notes: flow.notes.map((note) => ({ ...note, flowPath: placeNow(now, note.flowPath) })),
    originOf(place) {
      const origin = flow.origins.of(now, place);
      return origin && asFarAsGiven(edits, origin);
    },
  };
}

/** What is to be said of a flow that came of edits, with the edit that each of it goes back to. */
export function findingsOf(
  { notes, originOf }: MadeFlow,
  { refusals, warnings }: FlowCheck,
): { problems: FlowProblem[]; warnings: FlowNote[] } {
  const placed = <T extends Pick<Refusal, 'path' | 'message'>>({ path, ...each }: T) => ({
    ...each,
    path: originOf(path),
    flowPath: path,
  });
  return { problems: refusals.map(placed), warnings: [...notes, ...warnings.map(placed)] };
}

/** Notes name a step where its place would be: later edits may have moved it. */
function placeNow({ steps }: PromotionFlowSpec, place: Path): Path {
  const [, field, name, ...below] = place;
  if (field !== 'steps' || typeof name !== 'string') return place;
  const at = steps.findIndex((step) => stepName(step) === name);
  return at < 0 ? [] : ['spec', 'steps', at, ...below];
}

/** A fault may be said of a field that no edit gives: then the edit's part that is nearest to it. */
function asFarAsGiven(edits: readonly FlowEdit[], path: Path): Path {
  let value: unknown = { edits };
  const given: Path = [];
  for (const key of path) {
    value = (value as Record<string | number, unknown> | null)?.[key];
    if (value === undefined) break;
    given.push(key);
  }
  return given;
}
