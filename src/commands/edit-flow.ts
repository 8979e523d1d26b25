import type { Definition, StoredDefinition } from '../core/definitions.ts';
import { checkFlow, editFlow, findingsOf } from '../core/flow.ts';
import type { EditedFlow, FlowNote, FlowProblem, Known, MadeFlow, Members } from '../core/flow.ts';
import type { FlowEdit } from '../core/kinds/flow-edit.ts';
import type { Refusal } from '../core/problems.ts';
import { checkDefinition } from '../core/validate.ts';
import { diffManifests, diffWords, sameDefinition } from '../manifests/index.ts';
import type { Parts } from '../parts.ts';
import { changeDefinition } from './change-definition.ts';
import { checkWhole } from './check-references.ts';
import { storedDefinitions } from './definition-draft.ts';
import { checkAmong, saysOtherwise } from './save-definition.ts';
import { getDefinition } from '../store/definitions.ts';

type Flow = Definition<'PromotionFlow'>;

/** A flow as edits make it, and what is to be said of it. */
export interface EditedDraft {
  /** Null: an edit was refused. A flow that could not be saved is there all the same, with its faults. */
  flow: Flow | null;
  problems: FlowProblem[];
  warnings: FlowNote[];
  /** The members of groups now, by which the flow was judged. */
  groups: Members;
}

/**
 * A draft with edits, checked as if it were saved now. It takes no lock, and nothing is written: it can be asked at every stroke of a key.
 * Without edits it is the check of a draft.
 */
export async function editFlowDraft(app: Parts, draft: Flow, edits: readonly FlowEdit[]): Promise<EditedDraft> {
  // Each edit looks at the whole flow: one that is too large to be saved is not worth it.
  const { known } = await app.definitions.current();
  const { groups } = known;
  const tooLarge = checkDefinition(draft).find(({ path }) => path.join('.') === 'spec.steps');
  if (tooLarge)
    return { flow: null, problems: [{ ...tooLarge, path: null, flowPath: tooLarge.path }], warnings: [], groups };
  const edited = editFlow(draft.spec, edits, groups);
  if (edited.refusals) return { flow: null, problems: edited.refusals, warnings: [], groups };
  const flow = { ...draft, spec: edited.spec };
  const among = { ...storedDefinitions(app.dataSource), known: async () => known };
  const wrong = await checkWhole(among, flow);
  const refusals = wrong.length > 0 ? wrong : await checkAmong(among, flow);
  return { flow, ...found(edited, flow, known, refusals), groups };
}

/** A draft that was checked, beside what is saved. */
export interface CheckedDraft extends EditedDraft {
  /** What saving it would do; null: it cannot be saved like this. */
  change: 'CREATED' | 'UPDATED' | 'UNCHANGED' | null;
  /** A unified diff from the saved flow, also of a draft with faults, of the text where that alone is another; null: they are the same. */
  diff: string | null;
  /** The newest revision of the saved flow; null: there is none. */
  revision: number | null;
}

/** A draft, checked by what a save checks; see `editFlowDraft`. `text`: what it was read from; null: it was given as data. */
export async function checkFlowDraft(app: Parts, draft: Flow, text: string | null): Promise<CheckedDraft> {
  const edited = await editFlowDraft(app, draft, []);
  const saved = await getDefinition(app.dataSource, 'PromotionFlow', draft.metadata.name);
  const rewording = saved && text !== null && sameDefinition(saved, draft) ? await rewordingOf(app, saved, text) : '';
  const diff = diffManifests(saved ?? undefined, draft) || rewording || null;
  const kind = saved === null ? 'CREATED' : diff === null ? 'UNCHANGED' : 'UPDATED';
  return { ...edited, change: edited.problems.length > 0 ? null : kind, diff, revision: saved?.revision ?? null };
}

/** A diff from the text of a saved flow to another text of the same flow; empty: a save would change nothing. */
async function rewordingOf(app: Parts, saved: StoredDefinition<'PromotionFlow'>, text: string): Promise<string> {
  const among = storedDefinitions(app.dataSource);
  if ((await among.syncedFrom(saved.kind, saved.metadata.name)) !== null) return '';
  const kept = await among.textOf(saved);
  return saysOtherwise(saved, kept, text, true) ? diffWords(saved, kept, text) : '';
}

/** The flow as it was saved with the edits, or why it was not. */
export type EditedSave =
  | { saved: StoredDefinition<'PromotionFlow'>; warnings: FlowNote[]; problems?: undefined; refusals?: undefined }
  /** Edits, or the flow that came of them, are at fault. */
  | { saved?: undefined; problems: FlowProblem[]; refusals?: undefined }
  /** Something else is: there is no such flow, or another revision of it is the newest. */
  | { saved?: undefined; problems?: undefined; refusals: Refusal[] };

/** Saves a flow with edits, as a new revision; when another save comes in between, they are made again on that one. */
export async function editSavedFlow(
  app: Parts,
  name: string,
  edits: readonly FlowEdit[],
  options: { expectedRevision?: number; actor: string | null },
): Promise<EditedSave> {
  const tries: { edited: EditedFlow; known: Known }[] = [];
  const result = await changeDefinition(
    app,
    'PromotionFlow',
    name,
    async ({ kind, metadata, spec }) => {
      const { known } = await app.definitions.current();
      const edited = editFlow(spec, edits, known.groups);
      tries.push({ edited, known });
      if (edited.refusals) return { refusals: edited.refusals.map(refusalOf) };
      return { value: { kind, metadata, spec: edited.spec } };
    },
    options,
  );
  const last = tries.at(-1);
  if (last === undefined || result.refusals?.some(({ code }) => code === 'CONFLICT')) {
    return { refusals: result.refusals ?? [] };
  }
  const { edited, known } = last;
  if (edited.refusals) return { problems: edited.refusals };
  if (result.refusals) return { problems: findingsOf(edited, { refusals: result.refusals, warnings: [] }).problems };
  return { saved: result.value, warnings: found(edited, result.value, known, []).warnings };
}

function found(
  edited: MadeFlow,
  { spec }: Flow,
  known: Known,
  refusals: Refusal[],
): Pick<EditedDraft, 'problems' | 'warnings'> {
  return findingsOf(edited, { refusals, warnings: checkFlow(spec, known).warnings });
}

const refusalOf = ({ code, message, path }: FlowProblem): Refusal => ({ code, message, path: path ?? [] });
