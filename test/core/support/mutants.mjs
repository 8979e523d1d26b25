// Breaks the state machine on purpose, one bug at a time, in a copy, and runs the simulation against each:
//   node test/core/support/mutants.mjs [name …]
// A bug that no property finds means that an invariant is missing. Prints a Markdown table.
import { plant } from './plant.mjs';

const APPROVALS = 'test/core/approvals';
const GROUPS = 'test/core/group-gate';
const TIME = 'test/core/advance.time';
const SPREAD = 'test/core/windows/spread';
const HOLDS = 'test/core/holds';
const CLOCK = 'test/core/health-clock';

const MUTANTS = {
  'no dependency check': ['gates.ts', 'if (satisfied >= required)', 'if (satisfied >= 0)'],
  'one dependency is enough': ['gates.ts', 'if (satisfied >= required)', 'if (satisfied >= Math.min(1, required))'],
  'a late outcome counts': ['stimuli.ts', 'if (late && !(', 'if (false && !('],
  'an old attempt counts': ['stimuli.ts', '|| seen.attempt !== report.attempt ', ''],
  'a success counts twice': ['stimuli.ts', "(before.status === 'RUNNING' || before.status === 'WAITING')", 'true'],
  'no new dispatch for a lost one': [
    'steps.ts',
    'for (const index of lost) move.step(position, index).dispatch = dispatch;',
    '',
  ],
  'the join is not asked': [
    'settle.ts',
    'if (open > 0 || again || !move.reportedBy.has(position)) {',
    'if (open > 0) {',
  ],
  'an old answer passes the gate': ['settle.ts', 'group.generation === generation &&', ''],
  'the gate does not ask for health': [
    'group-gate.ts',
    "if (clock.status === 'HEALTHY') {",
    "if (clock.status !== 'DEGRADED') {",
  ],
  'wakeAt forgets steps': ['advance.ts', "if (step.status === 'WAITING') consider(step.recheckAt)", ''],
  'wakeAt forgets gates': ['advance.ts', "if (group.status === 'WAITING') consider(group.recheckAt)", ''],
  'a gap in the sequence': [
    'move.ts',
    'state.sequence += events.length;',
    'state.sequence += events.length + (events.length > 3 ? 1 : 0);',
  ],
  'time goes back': ['move.ts', 'this.now = Math.max(now, state.lastEventAt);', 'this.now = now;'],
  'the old state is written to': [
    'move.ts',
    'promotion.steps[index] = { ...(promotion.steps[index] as StepState) };',
    '',
  ],
  'ready steps start twice': [
    'steps.ts',
    "if (promotion.steps[index]?.status !== 'PENDING') return;",
    "if (promotion.steps[index]?.status === 'SUCCEEDED') return;",
  ],
  'a step starts before its needs': [
    'steps.ts',
    'if (!planned.needs.every(',
    'if (planned.needs.length > 0 && !planned.needs.some(',
  ],
  'retry resets succeeded steps': ['stimuli.ts', "if (step.status !== 'SUCCEEDED' || takenBack)", 'if (true)'],
  'retry keeps the attempt': [
    'stimuli.ts',
    'if (promotion.startedAt !== null || promotion.approval !== null) promotion.attempt += 1;',
    '',
  ],
  'terminating starts new steps': [
    'stimuli.ts',
    'if (!mustStop(move.plan, move.state, report.promotion))\n    runReadySteps',
    'runReadySteps',
  ],
  'terminating starts new environments': ['settle.ts', 'if (!stop) return false;', 'return false;'],
  'maxParallel is not counted': [
    'gates.ts',
    'if (running >= group.maxParallel) {',
    'if (running > group.maxParallel) {',
  ],
  'a held environment is taken': [
    'gates.ts',
    'if (release === undefined) return',
    'if (release === undefined || true) return',
  ],
  'an approval that is one short': [
    'approvals/approval.ts',
    'if (missingOf(spec, approval) === 0)',
    'if (missingOf(spec, approval) <= 1)',
    APPROVALS,
  ],
  'one person counts for every rule': [
    'approvals/approval.ts',
    'seats[index] === position)',
    'given[index]?.rules.includes(position))',
    APPROVALS,
  ],
  'first come, first seated': ['approvals/match.ts', 'findSeat(other, tried)', 'false', APPROVALS],
  'a seat for everybody': [
    'approvals/match.ts',
    'const free = there.length < (seats[rule] ?? 0);',
    'const free = true;',
    APPROVALS,
  ],
  'the initiator approves': ['approvals/may-decide.ts', 'by.name === initiator', 'false', APPROVALS],
  'nobody in particular is somebody else': [
    'approvals/may-decide.ts',
    '(by === null || by.name',
    '(by !== null && by.name',
    APPROVALS,
  ],
  'nobody in particular counts for named rules': [
    'approvals/approval.ts',
    'caller !== null &&',
    'caller === null ||',
    APPROVALS,
  ],
  'a group counts for none': [
    'approvals/approval.ts',
    'groups.some((each) => caller.groups.includes(each)) ||',
    '',
    APPROVALS,
  ],
  'a late approval counts': [
    'approvals/may-decide.ts',
    "if (status === 'EXPIRED' && spec.onExpiry === 'FAIL') return",
    'if (false) return',
    APPROVALS,
  ],
  'what was granted expires': [
    'approvals/approval.ts',
    "if (missingOf(spec, approval) === 0) return 'GRANTED';\n  return late",
    "if (missingOf(spec, approval) === 0 && !late) return 'GRANTED';\n  return late",
    APPROVALS,
  ],
  'nobody wakes at the expiry': [
    'settle.ts',
    'for (const { expiresAt } of unmet) if (expiresAt !== undefined) move.wakes.push(expiresAt);',
    '',
    APPROVALS,
  ],
  'a rejection is one opinion': [
    'approvals/approval.ts',
    "if (approval.decisions.some((each) => each.kind === 'REJECTED')) return 'REJECTED';",
    '',
    APPROVALS,
  ],
  'a retry keeps what was said': ['stimuli.ts', 'evidence: null, approval: null }', 'evidence: null }', APPROVALS],
  'the same word twice counts twice': [
    'approvals/decide.ts',
    'if (seen && isKnown(seen, stimulus)) return;',
    '',
    APPROVALS,
  ],
  'a decision for another attempt counts': [
    'approvals/may-decide.ts',
    'if (seen.attempt !== attempt) return',
    'if (false) return',
    APPROVALS,
  ],
  'asked before its turn': [
    'approvals/decide.ts',
    "each.gate === 'DEPENDENCIES' && each.verdict === 'pass'",
    "each.gate === 'DEPENDENCIES'",
    APPROVALS,
  ],
  'a closed window takes approvals': ['approvals/decide.ts', 'if (!closed) return null;', 'return null;', APPROVALS],
  'a soak is not waited for': ['group-gate.ts', 'Math.max(0, soak - clock.healthyFor)', '0', GROUPS],
  'one that soaks is enough': ['group-gate.ts', '[required - 1];', '[0];', GROUPS],
  'nobody wakes at the end of a soak': [
    'group-gate.ts',
    'Math.min(soaked, now + lookPause(',
    '(now + lookPause(',
    GROUPS,
  ],
  'old health counts': ['health-clock.ts', 'at + freshness <= now', 'false', GROUPS],
  'UNKNOWN lets the clock run': ['health-clock.ts', "before.status === 'HEALTHY' ?", 'true ?', CLOCK],
  'UNKNOWN begins anew': [
    'health-clock.ts',
    "each === 'DEGRADED' || each === 'PROGRESSING')",
    "each !== 'HEALTHY')",
    CLOCK,
  ],
  'DEGRADED only stops the clock': [
    'health-clock.ts',
    "each === 'DEGRADED' || each === 'PROGRESSING')",
    "each === 'PROGRESSING')",
    CLOCK,
  ],
  'bad news in between is overlooked': ['health-clock.ts', 'isNews(each, before, index)', 'false', CLOCK],
  'what nobody looked at counts': ['health-clock.ts', 'Math.min(lookedAt, spoke)', 'lookedAt', CLOCK],
  'told again counts from the look': ['health-clock.ts', 'Math.max(until, ...told)', 'lookedAt', CLOCK],
  'a retry goes on soaking': ['stimuli.ts', 'freshGroup(group.generation)', "{ status: 'OPEN', reason: null }", GROUPS],
  'a report wakes no gate': ['stimuli.ts', "status === 'WAITING' && news", 'false', GROUPS],
  'a look is work': [
    'settle.ts',
    "step.status === 'RUNNING' && !isSoak(planned, index)",
    "step.status === 'RUNNING'",
    TIME,
  ],
  'PROGRESSING passes a soak': [
    'soak.ts',
    "clock.status === 'HEALTHY' && missing <= 0",
    'missing <= 0 || step.recheckAt === null',
    TIME,
  ],
  'UNKNOWN soaks for ever': ['soak.ts', 'givesUp <= move.now', 'false', TIME],
  'bad news from before a soak counts': [
    'health-clock.ts',
    'unhealthyAt > (before?.lookedAt ?? -Infinity)',
    'true',
    TIME,
  ],
  'a jitter outlasts its window': [
    'windows/spread.ts',
    'Math.min(opens + jitter, state.nextClose ?? Infinity)',
    'opens + jitter',
    SPREAD,
  ],
  'the opening before last counts': [
    'windows/spread.ts',
    'if (opens !== null && opens <= at) opened = opens;',
    'if (opens !== null && opens <= at) opened ??= opens;',
    SPREAD,
  ],
  'jitter of what holds something else': [
    'windows/spread.ts',
    'spec.holds.includes(action) ? (spec.jitter ?? 0) : 0',
    'spec.jitter ?? 0',
    SPREAD,
  ],
  'just opened starts at once': ['gates.ts', 'if (starts !== undefined && starts > now)', 'if (false)', SPREAD],
  'a hold is not asked': ['gates.ts', 'askHold(environment, state, facts, now),', ''],
  'a mark is not asked': ['gates.ts', 'askVersion(environment, facts, now),', ''],
  'a window is not asked': ['gates.ts', "askWindow(environment, state, facts, now, 'PROMOTE', overrides),", ''],
  'windows of rollbacks are not asked': [
    'gates.ts',
    "askWindow(environment, state, facts, now, 'ROLLBACK', overrides)",
    'null',
  ],
  'a hold ends with the first of two': ['gates.ts', 'Math.max(...known)', 'Math.min(...known)', HOLDS],
  'an override never expires': ['windows/override.ts', 'expiresAt > now', 'true', 'test/core/overrides'],
  "everybody passes a rollback's hold": ['holds.ts', 'release.byPerson && ', ''],
  'approvals are not asked': ['gates.ts', 'if (approval)', 'if (false)'],
  'what is live is not compared': ['rollback/gates.ts', 'if (other)', 'if (false)'],
  'one more goes back at once': ['rollback/gates.ts', 'running.length < limit', 'running.length <= limit'],
  'overtaken, and it goes on': ['settle.ts', 'beginAgain(move, position, move.facts);', ''],
  'wakeAt forgets the times of gates': ['advance.ts', 'for (const at of move.wakes)', 'for (const at of [])'],
  'versions that are marked bad come back': ['rollback/last-good.ts', 'if (past.markedBad)', 'if (false)'],
  'versions that nobody verified come back': ['rollback/last-good.ts', 'if (past.verifiedAt === null)', 'if (false)'],
  'a rollback is rolled back': ['rollback/judge.ts', 'live?.rollback && takesLive && !byPerson', 'false'],
  'two jobs in one decision': ['move.ts', 'if (already !== undefined) return already;', ''],
  'a decided wait is not redone': [
    'steps.ts',
    "return step.status === 'WAITING' && step.recheckAt !== null && step.recheckAt <= move.now;",
    "return step.status === 'WAITING' && step.recheckAt !== null && step.recheckAt < move.now;",
  ],
};

plant(MUTANTS, 'test/core/simulation');
