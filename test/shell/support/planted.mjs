import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Faults that the shell had, or might have had: name → [file below src, what stands there, what the fault makes of it], several
 * where one place alone would not bring it back. The second ring has to find each of them.
 */
export const PLANTED = {
  'D1 a connection is held while another one is asked for': [
    ['store/rollback-question.ts', 'await definitions.on(client)', 'await definitions.current()'],
    ['connections.ts', 'const wrong = holdAndWait(this);', 'const wrong = null as HoldAndWait | null;'],
  ],
  'D2 a report that comes during the look is lost': [
    [
      'core/outcome.ts',
      "if (news === 'HEALTHY' || news === 'DEGRADED') Object.assign(",
      'if (news === undefined) Object.assign(',
    ],
    // Null would be no fault: a step that waits for no time is one of an older version, and is due when it is read.
    [
      'core/step.ts',
      'recheckAt ?? draft.now + safetyPause(draft.now - (step.startedAt ?? draft.now))',
      'recheckAt ?? draft.now + 86_400_000',
    ],
  ],
  'D3 the lock of definitions is the lock of every decision': [
    ['entities/locks.ts', 'definitions: 7_265_035', 'definitions: 7_265_033'],
  ],
  'D4 a cache is used as a store': [
    [
      'store/frozen-releases.ts',
      'this.#releases.set(each.id, each);\n    }\n    return found;',
      'this.#releases.set(each.id, each);\n    }\n    return new Map(ids.flatMap((id) => (this.#releases.has(id) ? [[id, this.#releases.get(id)]] : [])));',
    ],
    [
      'commands/release-engine.ts',
      'if (!to) throw new Error(`release ${releaseId} was there a moment ago, and the database does not have it now`);',
      'if (!to) return (await this.look(releaseId, { fresh: true })) as ReleaseNow;',
    ],
  ],
  "D5 a termination that fails is nobody's": [
    [
      'commands/release-engine.ts',
      ".catch((error: unknown) => this.#log.warn({ error, holder }, 'an older release could not be terminated yet'))",
      '',
    ],
    [
      'commands/release-engine.ts',
      'this.#freeze(holder.id)\n        .then(',
      'void this.#freeze(holder.id)\n        .then(',
    ],
  ],
  'D6 what has to stop is told once': [
    ['jobs/stops.ts', '!to || !mayWork(to.release.plan, to.state, running.data, step)', '!to'],
    [
      'jobs/effects.ts',
      "for (const promotion of promotions) aborts.abort(releaseId, 'stop', promotion);",
      'void aborts;',
    ],
  ],
  'D7 what makes room may have started': [['commands/make-room.ts', "by: null, onlyIf: 'QUEUED' }", 'by: null }']],
  'D8 a listener that is closed while it connects stays': [
    [
      'store/listener.ts',
      "signal.addEventListener('abort', () => reject(new Error('the listener is closed')), { once: true });",
      'void reject;',
    ],
    [
      'store/listener.ts',
      "await this.#clock.sleep('listener', this.#parts.pingMs ?? PING, this.#stopped.signal);",
      "await this.#clock.sleep('listener', this.#parts.pingMs ?? PING);",
    ],
  ],
  'D9 everything of a batch is by whoever was first': [
    [
      'core/actor.ts',
      'for (const stimulus of stimuli) {\n    const actor = actorOf(stimulus);',
      'for (const stimulus of stimuli) {\n    const actor = stimuli.map(actorOf).find((each) => each !== null) ?? null;',
    ],
  ],
  'D10 behind a horizon nothing lost is found': [
    ['jobs/sweep.ts', 'this.#releasesFrom = to === Infinity ? 0 : to;', 'this.#releasesFrom = 0;'],
  ],
  'A deployments are written although the decision was not saved': [
    [
      'store/save-decisions.ts',
      'FROM ${ofSaved(list)}',
      'FROM ${from(list)} JOIN release saved ON saved.id = ($1::uuid[])[i.of]',
    ],
  ],
  "B of a batch only the first release's deployments are written": [
    [
      'store/save-decisions.ts',
      'of deploymentsOf(of, release, decision)) rows',
      'of of === 1 ? deploymentsOf(of, release, decision) : []) rows',
    ],
  ],
  'D what has arrived is verified at once': [
    ['store/save-decisions.ts', 'CASE WHEN i.verified_by IS NOT NULL THEN i.at END', 'i.at'],
  ],
  'V1 a save leaves out what was heard': [['store/release-shape.ts', 'state.heard === before.heard &&', '']],
  'V2 a document that is null now stays': [
    ['store/release-shape.ts', 'problem === before.problem ? undefined : (problem ?? NONE)', 'problem ?? undefined'],
  ],
  'V3 a save does not compare revisions': [
    ['store/save-decisions.ts', 'AND r.id = i.id AND r.revision = i.expected', 'AND r.id = i.id'],
  ],
  'V4 what is found healthy has become current anew': [
    ['store/save-decisions.ts', 'isNew: verified === null', 'isNew: true'],
  ],
  'V5 a save of few forgets who was asked': [
    ['store/save-decisions.ts', 'SELDOM.some((each) => isUsed[each]())', 'false'],
    ['store/save-decisions.ts', "PAPERS.map(kept).join('')", "''"],
  ],
  'V6 the time of the last event is left where it was': [
    ['store/save-decisions.ts', 'last_event_at = i.last_event_at', 'last_event_at = r.last_event_at'],
  ],
  'C for 3 s after its first decision a process knows no windows': [
    [
      'commands/release-engine.ts',
      "return own === 'NEEDS_FACTS' ? (this.#decide(each, facts.get(each.release.id) as Facts) as Decision) : own;",
      `const born = ((this as unknown as { born?: number }).born ??= this.#clock.elapsed());
        if (this.#clock.elapsed() - born < 3_000) for (const each of facts.values()) Object.assign(each, { windows: {} });
        return own === 'NEEDS_FACTS' ? (this.#decide(each, facts.get(each.release.id) as Facts) as Decision) : own;`,
    ],
  ],
  'F the history of an environment is in the order of rows instead of time': [
    ['store/rollback-question.ts', 'ORDER BY at DESC, id DESC LIMIT 500', 'ORDER BY id DESC LIMIT 500'],
    [
      'store/rollback-question.ts',
      'ORDER BY h.environment, h.at DESC, h.last DESC',
      'ORDER BY h.environment, h.last DESC',
    ],
  ],
  'S15 a process decides by the clock of its machine': [
    ['clock.ts', 'return new Date(Math.floor(this.#origin + this.#local.elapsed()));', 'return this.#local.now();'],
  ],
  'Q1 each worker of a process takes as many jobs as the process has places': [
    ['jobs/queue.ts', 'concurrency: Math.floor((concurrency + feed) / feeds),', 'concurrency,'],
  ],
  'Q2 places are left over when they are shared out': [
    ['jobs/queue.ts', 'Math.floor((concurrency + feed) / feeds)', 'Math.floor(concurrency / (feeds + 1))'],
  ],
  'Q3 no worker of a process looks for jobs whose worker has died': [
    ['jobs/queue.ts', 'skipStalledCheck: feed > 0', 'skipStalledCheck: true'],
  ],
  'Q4 who leaves the line while its turn comes keeps the place': [
    ['drivers/git/mutex.ts', 'if (place < 0) this.#leave();\n      else this', 'if (place >= 0) this'],
  ],
  'X1 what a transaction begins with is sent ahead of BEGIN': [
    [
      'connections.ts',
      "const [, found] = await allAnswered([client.query('BEGIN'), first(client)]);",
      "const [found] = await allAnswered([first(client), client.query('BEGIN')]);",
    ],
  ],
  'X2 COMMIT is sent ahead of what it is to commit': [
    [
      'connections.ts',
      "const saving = last(client, found);\n      const [saved, { command }] = await allAnswered([saving, client.query('COMMIT')]);",
      "const committing = client.query('COMMIT');\n      const [saved, { command }] = await allAnswered([last(client, found), committing]);",
    ],
  ],
  'X3 what stands behind a statement that failed is taken as done': [
    ['connections.ts', "for (const each of answers) if (each.status === 'rejected') throw each.reason;", ''],
    ['connections.ts', "if (command !== 'COMMIT') throw", "if (command === '') throw"],
  ],
  'X4 facts are read while nobody holds their locks': [
    [
      'commands/release-engine.ts',
      'text: LOCK_PRODUCTS, values: [locked]',
      'text: LOCK_PRODUCTS, values: [locked.slice(0, 0)]',
    ],
  ],
  'X5 facts are asked for ahead of their locks': [
    [
      'commands/release-engine.ts',
      `const locking = client.query({ name: 'lock-products', text: LOCK_PRODUCTS, values: [locked] });
        const inserting = creations.length > 0 ? insertReleases(client, creations) : new Map<string, number>();
        const loading = loadFacts(client, about, this.#definitions);`,
      `const inserting = creations.length > 0 ? insertReleases(client, creations) : new Map<string, number>();
        const loading = loadFacts(client, about, this.#definitions);
        const locking = client.query({ name: 'lock-products', text: LOCK_PRODUCTS, values: [locked] });`,
    ],
  ],
  'L1 what carries a dispatch is not stored': [
    [
      'store/release-shape.ts',
      'if (now !== value) packed[key] = now;',
      "if (now !== value && key !== 'carrier') packed[key] = now;",
    ],
  ],
  'L2 the sweep asks for a job that a carried dispatch never had': [
    ['jobs/effects.ts', 'carrier === null ? promoteId(data) : namedJob(release.id, carrier)', 'promoteId(data)'],
  ],
  'L3 what was carried gets a job under its old number': [
    [
      'jobs/effects.ts',
      "work: carrier === null ? { kind: 'dispatch', promotions, join } : null",
      "work: { kind: 'dispatch', promotions, join }",
    ],
  ],
  'L4 a job that comes again forgets what it carried': [
    [
      'jobs/carry.ts',
      'const { dispatches, groups } = carriedBy(to.state, run.name);',
      "const { dispatches, groups } = carriedBy(to.state, run.again ? '' : run.name);",
    ],
  ],
  'L5 an environment is carried, and handed over as well': [
    [
      'core/draft.ts',
      'if (!this.#carry(promotions)) this.#askForJobs(promotions);',
      'this.#carry(promotions);\n    this.#askForJobs(promotions);',
    ],
  ],
  'L6 a job goes on after its lock was lost': [
    ['jobs/carry.ts', 'async () => ((await run.holds()) ? at : null)', 'async () => at'],
  ],
  'L7 a job goes on while a join waits for it': [
    ['jobs/carry.ts', "const joined = 'joined' in job.data && job.data.joined === true;", 'const joined = false;'],
  ],
  'L8 what a job carried that is gone is left to it': [
    ['jobs/sweep.ts', "const gone = standing === 'missing' && each.work === null;", 'const gone = false;'],
  ],
  'L9 a run that has lost its job says that it failed': [
    ['jobs/carry.ts', "if (outcome.kind === 'failed' && (await isOvertaken(run))) return at;", ''],
  ],
  'N1 a new release is written without its first decision': [
    [
      'commands/trigger-release.ts',
      'return app.releaseEngine.create(release, still);',
      `return insertAuditedIf(app.dataSource.manager, release, still).then((number) => {
      if (number !== null) adopt(app, release, number);
      return number === null ? null : app.releaseEngine.look(release.state.id, { fresh: false });
    });`,
    ],
  ],
  'N2 the work of a new release is not written with it': [
    [
      'store/save-decisions.ts',
      'for (const each of outboxOf(decision)) rows.outbox',
      'for (const each of expected === 1 ? [] : outboxOf(decision)) rows.outbox',
    ],
  ],
  'N3 a release is written by definitions that have moved': [
    [
      'store/insert-release.ts',
      'EXISTS (SELECT FROM definition_clock WHERE revision = i.definitions)',
      'i.definitions > 0',
    ],
  ],
  'N4 a release of a version that is marked is written unasked': [
    ['store/insert-release.ts', 'AND (NOT i.unmarked OR (', 'AND (true OR ('],
  ],
  'N5 a transaction that failed is taken as one that wrote nothing': [
    ['commands/release-engine.ts', 'if (!(await this.look(id, { fresh: true }))) return', 'if (id) return'],
  ],
  'N6 a fault between the two exchanges leaves a release that nobody was told of': [
    ['connections.ts', 'const saving = last(client, found);', 'const saving = (async () => last(client, found))();'],
  ],
  'H1 hooks are not given what earlier ones handed on': [
    ['jobs/parameters.ts', '    ...(isHook(planned) && state.context),\n', ''],
  ],
  'H2 what hooks hand on is not saved': [
    ['store/release-shape.ts', 'if (Object.keys(state.context).length > 0) rest.context = state.context;', ''],
  ],
  'W1 what no look has recorded is not ended with its promotion': [
    ['core/end-action.ts', "step.status === 'SUCCEEDED' ||", "step.status === 'SUCCEEDED' || step.progress == null ||"],
  ],
  'T1 a pause of triggers is not looked at': [
    [
      'commands/trigger/advance-candidate.ts',
      'const [pause = null] = await activePauses(app.pool, new Date(now), candidate.product);',
      'const [pause = null] = (await activePauses(app.pool, new Date(now), candidate.product)).slice(1);',
    ],
  ],
  'T2 what takes the place of a candidate does not tell of its changes': [
    [
      'commands/trigger/make-candidate.ts',
      "last && last.status !== 'RELEASED' ? last.facts.commits : []",
      "last?.status === 'DISMISSED' ? last.facts.commits : []",
    ],
  ],
  'P1 a pull request that people have closed is waited for': [
    ['jobs/runners/merge.ts', "if (seen.state === 'CLOSED') return ended(", "if (seen.title === '') return ended("],
  ],
  'P2 what a promotion leaves open when it ends stays open': [
    ['core/pull-request.ts', "if (work.kind === 'propose' && mayBeOpen(", "if (work.kind === 'merge' && mayBeOpen("],
    [
      'commands/tidy-pull-requests.ts',
      'await closePullRequest(app, each,',
      'if (each.number === 0) await closePullRequest(app, each,',
    ],
  ],
  'W2 the errand is not told which workflow was followed last': [
    ['core/end-action.ts', 'const { progress = null } = step;', 'const progress = null;'],
  ],
  'W3 an errand that fails is forgotten': [
    [
      'jobs/hand-over.ts',
      'runEffect(this.#parts, item)\n      .then(',
      'runEffect(this.#parts, item)\n      .catch((error: unknown) => {\n        if (!isErrand) throw error;\n      })\n      .then(',
    ],
  ],
  'G1 a push that the remote refuses is refused for all that it carries': [
    ['drivers/git/push-line.ts', 'if (isRefused && stack.length > 1) {', 'if (isRefused && stack.length > MOST) {'],
  ],
  'G2 what rests on a commit that is not pushed is answered at once': [
    [
      'drivers/git/push-line.ts',
      'await Promise.all(stack.map(stillWanted));',
      'settle(decided.filter(({ commit }) => commit === undefined));\n    await Promise.all(stack.map(stillWanted));',
    ],
  ],
  'G3 a promotion that was given up is pushed with the others': [
    ['drivers/git/push-line.ts', 'if (stack.some(({ waiting }) => waiting.settled)) return all;', ''],
  ],
  'G4 each commit of a push is made on the head alone': [
    ['drivers/git/push-line.ts', 'tip = commit ?? tip;', 'tip = head;'],
  ],
  'G5 a push has no bound': [['drivers/git/push-line.ts', 'const MOST = 32;', 'const MOST = 3_200;']],
  'G6 a push without an answer counts as done': [
    [
      'drivers/git/push-line.ts',
      'if (came !== null) {',
      "if (came !== null && !('said' in came && /RPC failed/.test(came.said))) {",
    ],
  ],
  'G7 a head that was seen a moment ago is believed without a push': [
    [
      'drivers/git/push-line.ts',
      'return isOld ? this.#lookAgain(all) : settle(decided);',
      'return isOld ? settle(decided) : settle(decided);',
    ],
  ],
  'G8 a caller that leaves stops the push of the others': [
    ['drivers/git/push-line.ts', 'if (isLast) round?.stop', 'if (round) round.stop'],
  ],
  'G10 a folder is sorted as a file is': [
    ['drivers/git/write.ts', 'mode === TREE ? `${name}/` : name', 'mode === TREE ? `${name}` : name'],
  ],
  'G9 a fetch that its caller has left is begun anew by the next one': [
    ['drivers/git/mirror.ts', 'const { going } = this;', 'const going = null as Going | null;'],
  ],
};

/** Worlds of this mood meet what the fault needs more often than others do. */
const MOOD = {
  D2: 'REPORTS',
  D4: 'CROWD',
  D5: 'CROWD',
  D6: 'STOPS',
  D7: 'ROOM',
  D10: 'CROWD',
  C: 'GATES',
  H1: 'HOOKS',
  H2: 'HOOKS',
  W1: 'WORKFLOWS',
  W2: 'WORKFLOWS',
  W3: 'WORKFLOWS',
  T1: 'PUSHES',
  T2: 'PUSHES',
  P1: 'PROPOSALS',
  P2: 'PROPOSALS',
};

/** What finds one without luck: a test of its own. */
const NAMED = {
  D2: 'test/engine/between.test.ts',
  D4: 'test/engine/mover.test.ts',
  D5: 'test/engine/mover.test.ts',
  D6: 'test/engine/between.test.ts',
  D7: 'test/engine/horizons.test.ts',
  D10: 'test/engine/horizons.test.ts',
  C: 'test/engine/windows.test.ts',
  F: 'test/engine/rollback/retried.test.ts',
  Q1: 'test/shell/queue-contract.test.ts',
  Q2: 'test/shell/queue-contract.test.ts',
  Q3: 'test/engine/queue-time.test.ts',
  Q4: 'test/drivers/places.test.ts',
  ...Object.fromEntries(
    ['A', 'B', 'D', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'].map((each) => [each, 'test/store/saved-states.test.ts']),
  ),
  X1: 'test/store/two-exchanges.test.ts',
  X2: 'test/store/two-exchanges.test.ts',
  X3: 'test/store/two-exchanges.test.ts',
  X4: 'test/engine/trigger-races.test.ts',
  X5: 'test/engine/trigger-races.test.ts',
  ...Object.fromEntries(
    ['L1', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7', 'L8', 'L9'].map((each) => [each, 'test/engine/carriers.test.ts']),
  ),
  N1: 'test/engine/trigger-races.test.ts',
  N2: 'test/engine/hand-over.test.ts',
  N3: 'test/engine/trigger-races.test.ts',
  N4: 'test/engine/trigger-races.test.ts',
  N5: 'test/engine/trigger-races.test.ts',
  N6: 'test/store/two-exchanges.test.ts',
  W1: 'test/core/end-action.test.ts',
  W2: 'test/core/end-action.test.ts',
  T1: 'test/engine/candidate-watch.test.ts',
  T2: 'test/engine/push-to-release.test.ts',
  G1: 'test/drivers/git-pushes.test.ts',
  G2: 'test/drivers/git-pushes.test.ts',
  G3: 'test/drivers/git-pushes.test.ts',
  G4: 'test/drivers/git-pushes.test.ts',
  G5: 'test/drivers/git-pushes.test.ts',
  G6: 'test/drivers/git-pushes.test.ts',
  G7: 'test/drivers/git-pushes.test.ts',
  G8: 'test/drivers/git-pushes.test.ts',
  G9: 'test/drivers/git-fetch.test.ts',
  G10: 'test/drivers/git-objects.test.ts',
};

/** The situation does not come up in its worlds, or their stand-ins take the place of what is at fault. */
const NOT_IN_THE_RING = ['F', 'Q1', 'Q2', 'Q3', 'Q4', ...Array.from({ length: 10 }, (_, index) => `G${index + 1}`)];

/** Patterns that stand nowhere any more: the code has moved on, and the list has to follow. */
export function outdated() {
  return Object.entries(PLANTED).flatMap(([name, changes]) =>
    changes
      .filter(([file, right]) => !readFileSync(join(root, 'src', file), 'utf8').includes(right))
      .map(([file, right]) => `${name}: "${right}" is not in src/${file}`),
  );
}

/**
 * Plants one at a time in a copy, runs the test that is named for it, and lets the second ring look for so many minutes (0: not at
 * all). Names on the command line choose some, a letter all that begin with it (`G` is G1 to G10). Prints a Markdown table; a fault that neither finds is a failure.
 */
function run(minutes) {
  const copy = mkdtempSync(join(tmpdir(), 'sluice-planted-'));
  for (const each of [
    'src',
    'test',
    'chaos',
    'simulate',
    'scripts',
    'bench',
    'migrations',
    'package.json',
    'tsconfig.json',
    'vitest.config.ts',
  ])
    cpSync(join(root, each), join(copy, each), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const chosen = wantedOf(process.argv.slice(2));
  console.log(
    '| fault | found by the ring | after worlds | what was said | found by a test |\n| --- | --- | --- | --- | --- |',
  );
  let survivors = 0;
  for (const [name, changes] of Object.entries(PLANTED)) {
    const short = shortOf(name);
    if (!chosen.has(short)) continue;
    for (const [file, right, wrong] of changes) {
      const path = join(copy, 'src', file);
      writeFileSync(
        path,
        readFileSync(path, 'utf8').replace(right, () => wrong),
      );
    }
    const test = NAMED[short] ? testFinds(copy, NAMED[short]) : null;
    const inRing = minutes > 0 && !NOT_IN_THE_RING.includes(short);
    const ring = inRing ? ringFinds(copy, minutes, MOOD[short]) : { said: null, after: '' };
    for (const [file] of changes) cpSync(join(root, 'src', file), join(copy, 'src', file));
    if (ring.said === null && !test) survivors += 1;
    const said = (ring.said ?? '').slice(0, 120).replaceAll('|', '/');
    const found = inRing ? (ring.said === null ? '**no**' : 'yes') : '';
    console.log(`| ${name} | ${found} | ${ring.after} | ${said} | ${test ?? ''} |`);
  }
  rmSync(copy, { recursive: true });
  process.exitCode = survivors > 0 ? 1 : 0;
}

function shortOf(name) {
  return name.split(' ')[0];
}

function wantedOf(names) {
  const all = Object.keys(PLANTED).map(shortOf);
  const meant = names.map((name) => all.filter((short) => short === name || short.replace(/\d+$/, '') === name));
  const unknown = names.filter((_, index) => meant[index].length === 0);
  if (unknown.length > 0) throw new Error(`no fault is named ${unknown.join(' or ')}: there are ${all.join(', ')}`);
  return new Set(names.length === 0 ? all : meant.flat());
}

function ringFinds(copy, minutes, mood) {
  const build = spawnSync('npx', ['tsc', '-p', 'tsconfig.json', '--noCheck'], {
    cwd: copy,
    encoding: 'utf8',
  });
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      'dist/simulate/main.js',
      '--ring',
      'shell',
      '--minutes',
      String(minutes),
      '--until',
      '1',
      ...(mood ? ['--mood', mood] : []),
    ],
    { cwd: copy, encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  const worlds = /^(\d+) worlds, \d+ steps/m.exec(stdout)?.[1];
  if (worlds === undefined) throw new Error(`${build.stdout}${stdout}${stderr}`);
  return { said: /^world \d+: (.*)$/m.exec(stderr)?.[1] ?? null, after: worlds };
}

/** The first test that fails; null: none does. */
function testFinds(copy, test) {
  const { status, stdout, stderr } = spawnSync('npx', ['vitest', 'run', test], {
    cwd: copy,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '' },
  });
  if (!/Tests +\d/.test(stdout)) throw new Error(`${test} did not run: ${stdout}`);
  return status === 0 ? null : (/FAIL +(.*)$/m.exec(`${stdout}${stderr}`)?.[1] ?? 'it fails');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) run(Number(process.env.MINUTES ?? 10));
