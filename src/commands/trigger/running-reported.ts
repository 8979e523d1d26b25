import { quote } from '../../core/wording.ts';
import { selectFlow } from '../../core/trigger/select-flow.ts';
import { triggerSettings } from '../../core/trigger/settings.ts';
import { triggerApplications } from '../../core/trigger/sources.ts';
import type { TriggerApplication } from '../../core/trigger/sources.ts';
import { clientOf } from '../../entities/data-source.ts';
import type { Parts } from '../../parts.ts';
import { knownEpochs, lockCursors, moveCursors } from '../../store/triggers.ts';
import type { CursorMove } from '../../store/triggers.ts';
import { hintRepository } from '../hint-repository.ts';
import { beginning } from './looked.ts';
import { insertArrived, stateOf } from './make-candidate.ts';

/**
 * Somebody reported what an application runs. In a trigger environment that is news: of a repository, which is looked at, or of a version
 * where the driver has no commits. A version is one change until another one was reported, however often it is told.
 */
export async function runningReported(
  app: Parts,
  application: string,
  { version, at }: { version?: string; at: Date },
): Promise<void> {
  const definitions = await app.definitions.current();
  const trigger = triggerApplications(definitions).find((each) => each.application === application);
  if (!trigger) return;
  const { driver } = trigger;
  if (driver.type === 'git') await hintRepository(app, driver.repoURL, { via: 'DEPLOYMENT', branch: driver.branch });
  else if (version !== undefined) await versionReported(app, trigger, version, at);
}

async function versionReported(
  app: Parts,
  { application, product: name, environment }: TriggerApplication,
  version: string,
  at: Date,
): Promise<void> {
  const definitions = await app.definitions.current();
  const product = definitions.products.get(name)!;
  const { flow, explanation, refusal } = selectFlow(product, environment, {}, definitions.flows);
  const settings = flow && triggerSettings(product.spec, flow.spec);
  const here = definitions.applicationsOf(name).filter(({ spec }) => spec.environment === environment);
  const names = here.map(({ metadata }) => metadata.name);
  await app.dataSource.transaction(async (tx) => {
    const client = await clientOf(tx);
    const now = app.clock.now();
    const kept = await lockCursors(client, names);
    const found = kept.find((each) => each.application === application);
    const before = found?.place === PLACE ? found : undefined;
    if (before?.version === version) return;
    const known = before ? undefined : (await knownEpochs(client, name, [application])).get(application);
    const { epoch } = beginning(found?.epoch, known);
    const move: CursorMove = {
      application,
      revision: found?.revision ?? 0,
      place: PLACE,
      head: null,
      commit: null,
      digest: null,
      version,
      epoch,
      outcome: before
        ? `${quote(version)} was reported`
        : `first report: ${quote(version)}, and the next version counts`,
    };
    const nothing = refusal?.message ?? (settings?.automatic ? undefined : 'automatic triggers are off');
    if (before && nothing !== undefined) move.outcome += `: ${nothing}`;
    // Somebody else reported the first one at this moment: the next report counts.
    if ((await moveCursors(client, [move], now)).size === 0) return;
    if (!before || nothing !== undefined || !flow || !settings) return;
    const state = stateOf(names, new Map([...kept, move].map((each) => [each.application, each])), {});
    await insertArrived(
      client,
      { flow: flow.metadata.name, coalesce: settings.coalesce, notes: [] },
      {
        product: name,
        environment,
        state,
        kind: 'DEPLOYMENT',
        now,
        facts: { since: at.getTime(), deliveries: [], explanation: explanation.slice(0, 100) },
      },
    );
  });
}

/** What is looked at: reports alone. */
const PLACE = 'reports';
