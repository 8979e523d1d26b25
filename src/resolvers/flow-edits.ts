import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { checkFlowDraft, editFlowDraft, editSavedFlow } from '../commands/edit-flow.ts';
import type { EditedSave } from '../commands/edit-flow.ts';
import type { Result } from '../commands/result.ts';
import { EVERYTHING } from '../core/access/index.ts';
import type { Definition } from '../core/definitions.ts';
import { edgeTargets, layoutOf } from '../core/flow.ts';
import type { FlowNote, FlowProblem, Members } from '../core/flow.ts';
import { flowEdits, type FlowEdit } from '../core/kinds/flow-edit.ts';
import { promotionFlow } from '../core/kinds/promotion-flow.ts';
import { object, required } from '../core/kinds/shape.ts';
import type { Path } from '../core/kinds/walk.ts';
import { refusal, type Refusal } from '../core/problems.ts';
import { exportManifest } from '../manifests/index.ts';
import type { ApiContext } from '../schema/context.ts';
import { toNode } from '../schema/definition.ts';
import { PromotionFlow } from '../schema/definition-types.ts';
import {
  FlowEdgeTarget,
  PromotionFlowApplyEditsInput,
  PromotionFlowApplyEditsPayload,
  PromotionFlowChecked,
  PromotionFlowDraft,
  PromotionFlowDraftInput,
  PromotionFlowEdited,
  PromotionFlowEditInput,
  PromotionFlowError,
  PromotionFlowGraph,
  PromotionFlowWarning,
  TextPlace,
} from '../schema/promotion-flow.ts';
import { inputPath, toSpec } from '../schema/spec-input.ts';
import { toShape } from '../schema/spec-shape.ts';
import { toUserError, type UserError } from '../schema/user-errors.ts';
import { labelsOf } from '../schema/values.ts';
import { saves } from './access/definition-rules.ts';
import { Guarded, may } from './access/rules.ts';
import { checkStorable, gone, refusedWithRevision, unstorable } from './answers.ts';
import { definitionsOf, forget, manifestsIn } from './batches.ts';
import { placeIn, toDefinition } from './definition-input.ts';
import { toManifestError } from './manifests.ts';

type Flow = Definition<'PromotionFlow'>;
/** A place in edits as a place in the arguments. */
type Place = (path: Path) => Path;

@Resolver()
export class FlowEditResolver {
  // A draft is checked against everything that there is, as a save is; so it takes what a save takes.
  @Guarded(may('EDIT_DEFINITIONS', () => [EVERYTHING]))
  @Query(() => PromotionFlowEdited, {
    description:
      'A draft with edits, and what is wrong with it. Nothing is saved. Without edits: the check of a draft.',
  })
  async promotionFlowEdit(
    @Ctx() context: ApiContext,
    @Arg('draft', () => PromotionFlowDraftInput, { description: 'The flow to begin with.' })
    draft: PromotionFlowDraftInput,
    @Arg('edits', () => [PromotionFlowEditInput], { description: 'The changes, made one after the other.' })
    edits: PromotionFlowEditInput[],
  ): Promise<PromotionFlowEdited> {
    const given = await draftIn(context, draft);
    const read = readEdits(edits, []);
    if (given.userErrors || read.refusals) {
      const wrong = (read.refusals ?? []).map((each) => toUserError(each, each.path));
      return { flow: null, graph: null, warnings: [], userErrors: [...(given.userErrors ?? []), ...wrong] };
    }
    const { flow, problems, warnings, groups } = await editFlowDraft(context.app, given.flow, read.value);
    const place: Place = (path) => inputPath(EDITS, { edits }, path);
    return {
      flow: flow && toDraft(flow),
      graph: flow && toGraph(flow, groups),
      warnings: warnings.map((each) => toWarning(each, place)),
      userErrors: problems.map((each) => toFlowError(each, place)),
    };
  }

  @Guarded(may('EDIT_DEFINITIONS', () => [EVERYTHING]))
  @Query(() => PromotionFlowChecked, {
    description:
      'What a save of a draft would do, and what is wrong with it: by the same rules, without a lock, and without an entry in the audit log.',
  })
  async promotionFlowCheck(
    @Ctx() context: ApiContext,
    @Arg('draft', () => PromotionFlowDraftInput, { description: 'The flow.' }) draft: PromotionFlowDraftInput,
  ): Promise<PromotionFlowChecked> {
    const given = await draftIn(context, draft);
    if (given.userErrors) {
      const nothing = { flow: null, graph: null, warnings: [], change: null, diff: null, revision: null };
      return { ...nothing, userErrors: given.userErrors };
    }
    const { flow, problems, warnings, groups, ...more } = await checkFlowDraft(
      context.app,
      given.flow,
      draft.manifest ?? null,
    );
    const places = await placesOf(context, draft, [...problems, ...warnings]);
    const nowhere: Place = (path) => path;
    return {
      ...more,
      flow: flow && toDraft(flow),
      graph: flow && toGraph(flow, groups),
      warnings: warnings.map((each) => Object.assign(toWarning(each, nowhere), { place: places.get(each) ?? null })),
      userErrors: problems.map((each) =>
        Object.assign(toFlowError(each, nowhere), { place: places.get(each) ?? null }),
      ),
    };
  }

  @Guarded(saves('PromotionFlow', 'CHANGE'))
  @Mutation(() => PromotionFlowApplyEditsPayload, {
    description:
      'Makes edits of a saved flow, all of them or none: a new revision of it. Releases keep what they froze.',
  })
  async promotionFlowApplyEdits(
    @Ctx() context: ApiContext,
    @Arg('input', () => PromotionFlowApplyEditsInput, { description: 'Which flow, and the changes.' })
    input: PromotionFlowApplyEditsInput,
  ): Promise<PromotionFlowApplyEditsPayload> {
    const read = readEdits(input.edits, ['input']);
    if (read.refusals) {
      const userErrors = read.refusals.map((each) => toUserError(each, each.path));
      return { promotionFlow: null, warnings: [], userErrors };
    }
    return applied(context, input, read.value, (path) => ['input', ...inputPath(EDITS, input, path)]);
  }
}

/**
 * Edits that a mutation of its own stands for. `place`: a place in the one edit as a place in the input.
 * @returns the payload of the mutation
 */
export function applyEdits(
  context: ApiContext,
  input: { name: string; expectedRevision?: number },
  edits: FlowEdit[],
  place: Place,
): Promise<PromotionFlowApplyEditsPayload> {
  return applied(context, input, edits, ([, , ...path]) => ['input', ...place(path)]);
}

async function applied(
  context: ApiContext,
  input: { name: string; expectedRevision?: number },
  edits: readonly FlowEdit[],
  place: Place,
): Promise<PromotionFlowApplyEditsPayload> {
  const options = { expectedRevision: input.expectedRevision ?? undefined, actor: context.actor };
  const wrong = unstorable(input);
  const result: EditedSave =
    wrong.length > 0 ? { refusals: wrong } : await editSavedFlow(context.app, input.name, edits, options);
  forget(context);
  if (result.saved) {
    const warnings = result.warnings.map((each) => toWarning(each, place));
    return { promotionFlow: toNode(PromotionFlow, result.saved), warnings, userErrors: [] };
  }
  const current = async (): Promise<number> =>
    (await definitionsOf(context, 'PromotionFlow').load(input.name))?.revision ?? 0;
  const userErrors = result.problems
    ? result.problems.map((each) => toFlowError(each, place))
    : await refusedWithRevision(result.refusals, (path) => path, current);
  return { promotionFlow: null, warnings: [], userErrors };
}

const EDITS = object('', '', { edits: required(flowEdits, '') });

/** Their paths in refusals are those of the arguments below `above`. */
function readEdits(edits: PromotionFlowEditInput[], above: Path): Result<FlowEdit[]> {
  const refusals: Refusal[] = unstorable({ edits });
  const value = refusals.length > 0 ? [] : (toSpec(flowEdits, edits, ['edits'], refusals) as FlowEdit[]);
  if (refusals.length === 0) return { value };
  return { refusals: refusals.map((each) => ({ ...each, path: [...above, ...each.path] })) };
}

type Given = { flow: Flow; userErrors?: undefined } | { flow?: undefined; userErrors: UserError[] };

/** @returns the flow, or what is wrong with it: places below `draft` */
export async function draftIn(context: ApiContext, { flow, manifest, saved }: PromotionFlowDraftInput): Promise<Given> {
  const above = ['draft', flow ? 'flow' : typeof manifest === 'string' ? 'manifest' : 'saved'];
  const refused = (refusals: Refusal[], place: Place = (path) => path): Given => ({
    userErrors: refusals.map((each) => toUserError(each, [...above, ...place(each.path)])),
  });
  if (flow) {
    const made = toDefinition('PromotionFlow', flow);
    return made.refusals ? refused(made.refusals, placeIn('PromotionFlow', flow)) : { flow: made.value };
  }
  if (typeof manifest === 'string') {
    const wrong = unstorable({ text: manifest });
    if (wrong.length > 0) return refused(wrong.map((each) => ({ ...each, path: [] })));
    const { definitions, errors } = await manifestsIn(context, { text: manifest });
    if (errors.length > 0) return { userErrors: errors.map((each) => toManifestError(each, above)) };
    const [only, more] = definitions.map(({ definition }) => definition);
    if (only?.kind === 'PromotionFlow' && more === undefined) return { flow: only };
    const found = definitions.map(({ definition: { kind, metadata } }) => `${kind} "${metadata.name}"`).join(', ');
    return refused([refusal('INVALID', `give one manifest of kind PromotionFlow; here is ${found || 'none'}`)]);
  }
  const name = saved ?? '';
  const stored = unstorable({ name }).length > 0 ? null : await definitionsOf(context, 'PromotionFlow').load(name);
  if (!stored) return refused([refusal('NOT_FOUND', `there is no PromotionFlow "${name}"`)]);
  const { kind, metadata, spec } = stored;
  return { flow: { kind, metadata, spec } };
}

/** Where each of them stands in the manifest of the draft; nowhere, when the draft is none. */
async function placesOf<T extends { flowPath: Path }>(
  context: ApiContext,
  { manifest }: PromotionFlowDraftInput,
  all: readonly T[],
): Promise<Map<T, TextPlace>> {
  if (typeof manifest !== 'string' || all.length === 0) return new Map();
  const { definitions } = await manifestsIn(context, { text: manifest });
  const document = definitions[0]?.document ?? 1;
  const places = all.map(({ flowPath: path }) => ({ document, path }));
  const found = await context.app.foreign.ask(
    'placesIn',
    { text: manifest, places },
    { caller: `manifests of ${context.actor ?? 'anybody'}`, what: 'the manifest' },
  );
  return new Map(all.map((each, at) => [each, found[at] as TextPlace]));
}

function toDraft(flow: Flow): PromotionFlowDraft {
  const { name, labels, annotations } = flow.metadata;
  return Object.assign(new PromotionFlowDraft(), toShape(promotionFlow, flow.spec), {
    name,
    labels: labelsOf(labels),
    annotations: labelsOf(annotations),
    manifest: exportManifest(flow),
  });
}

function toGraph({ spec }: Flow, groups: Members): PromotionFlowGraph {
  const { nodes, edges } = layoutOf(spec, groups);
  const shown = edges.map(({ member = null, ...each }) => ({ ...each, member }));
  return Object.assign(new PromotionFlowGraph(), { spec, groups, nodes, edges: shown });
}

@Resolver(() => PromotionFlowGraph)
export class FlowGraphResolver {
  @FieldResolver(() => [FlowEdgeTarget], {
    description: 'Of every node whether it may wait for another one: where an edge that is dragged from there may end.',
  })
  targets(
    @Root() { spec, groups }: PromotionFlowGraph,
    @Arg('from', () => String, { description: 'The name of a node, or of a member of a group.' }) from: string,
  ): FlowEdgeTarget[] {
    checkStorable({ from });
    const found = edgeTargets(spec, groups, from);
    if (found === null) throw gone(`the flow has no node "${from}"`);
    return found;
  }
}

const placed = (path: Path | null, place: Place): string[] | null => path && place(path).map(String);

function toFlowError({ code, message, path, flowPath }: FlowProblem, place: Place): PromotionFlowError {
  const error = { code, message, path: placed(path, place), flowPath: flowPath.map(String), place: null };
  return Object.assign(new PromotionFlowError(), error);
}

function toWarning({ message, path, flowPath }: FlowNote, place: Place): PromotionFlowWarning {
  return { message, path: placed(path, place), flowPath: flowPath.map(String), place: null };
}
