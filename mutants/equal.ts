const CACHE = 'a cache is emptied one entry sooner or later, or more often: what it answers is the same, read again';
const EFFORT = 'a bound that keeps from an endless walk, past what any calendar that people write takes';

/**
 * Mutations that change nothing which anybody could see, each with the reason: a file, the line as it stands (trimmed; several
 * lines with one blank between them), what is put there, and why that is the same. `above`: the line
 * before, where one like it stands in the file more than once.
 */
const EQUAL: readonly { file: string; line: string; above?: string; replacement: string; why: string }[] = [
  {
    file: 'src/core/settle.ts',
    above: "draft.end(position, draft.state.terminating ? 'TERMINATED' : 'SKIPPED', reason);",
    line: 'return true;',
    replacement: 'false',
    why: 'everything else that has not started ends in the same round, and nothing starts',
  },
  {
    file: 'src/core/settle.ts',
    above: 'askForObservation(draft, position);',
    line: 'return true;',
    replacement: 'false',
    why: 'nothing before it in the flow waits for it, and whatever comes after it is asked in the same round',
  },
  {
    file: 'src/core/windows/state.ts',
    line: 'if (this.allows.length === 0 || denial <= end) return denial <= limit ? denial : null;',
    replacement: 'denial < end',
    why: 'the next round finds the same moment: a DENY that begins there is active there',
  },
  {
    file: 'src/core/draft.ts',
    line: 'const join = promotions.length > 1 || promotions.some((each) => this.planned(each.promotion).group !== null);',
    replacement: 'promotions.every(each => this.planned(each.promotion).group !== null)',
    why: 'it is asked of exactly one',
  },
  {
    file: 'src/core/selectors.ts',
    line: '.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));',
    replacement: 'a.name <= b.name',
    why: 'no two environments have one name',
  },
  {
    file: 'src/core/selectors.ts',
    line: '.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));',
    replacement: 'a.name >= b.name',
    why: 'no two environments have one name',
  },
  {
    file: 'src/core/advance.ts',
    line: 'if (at !== null && (earliest === null || at < earliest)) earliest = at;',
    replacement: 'at <= earliest',
    why: 'the same time is as early',
  },
  {
    file: 'src/core/health-clock.ts',
    line: "const status = all.reduce((worst, each) => (BADNESS[each] > BADNESS[worst] ? each : worst), 'HEALTHY');",
    replacement: 'BADNESS[each] >= BADNESS[worst]',
    why: 'no two are as bad as each other',
  },
  {
    file: 'src/core/windows/coverage.ts',
    line: 'for (let page = wall - calendar.reach - SLACK; page < last && found.length < count; page += 64 * DAY) {',
    replacement: 'found.length <= count',
    why: 'one page more is read, and nothing of it is taken',
  },
  {
    file: 'src/core/windows/coverage.ts',
    line: 'for (let page = wall - calendar.reach - SLACK; page < last && found.length < count; page += 64 * DAY) {',
    replacement: 'page <= last',
    why: EFFORT,
  },
  {
    file: 'src/core/windows/coverage.ts',
    line: 'for (const wall of join(calendar.spans(from - calendar.reach - SLACK, to + SLACK, true))) {',
    replacement: 'false',
    why: 'they are joined right after',
  },
  {
    file: 'src/core/windows/coverage.ts',
    line: 'if (end > from && start < to && end > start) spans.push({ start: Math.max(start, from), end: Math.min(end, to) });',
    replacement: 'end >= from',
    why: 'a span without length covers nothing, and the one before it ends there, too',
  },
  {
    file: 'src/core/windows/coverage.ts',
    line: 'if (end > from && start < to && end > start) spans.push({ start: Math.max(start, from), end: Math.min(end, to) });',
    replacement: 'start <= to',
    why: 'a span without length covers nothing, and its start is where the window becomes active',
  },
  {
    file: 'src/core/windows/coverage.ts',
    line: 'return { active, until: active ? within(at, end) : at < start && start < end ? within(at, start) : Infinity };',
    replacement: 'at <= start',
    why: 'at its start it is active, if it has any length',
  },
  {
    file: 'src/core/windows/spread.ts',
    line: 'const opens = state.closed ? state.nextOpen : jitter > 0 ? openedWithin(windows, at, jitter, action, options) : null;',
    replacement: 'jitter >= 0',
    why: 'what opened within no time is the opening at this moment, and its spread is over',
  },
  {
    file: 'src/core/windows/spread.ts',
    line: 'for (let openings = 0; openings < MAX_OPENINGS; openings += 1) {',
    replacement: 'openings <= MAX_OPENINGS',
    why: EFFORT,
  },
  {
    file: 'src/core/windows/spread.ts',
    line: 'if (state.nextClose === null || state.nextClose > at) break;',
    replacement: 'state.nextClose >= at',
    why: 'it is open at this moment, so it does not close at it',
  },
  {
    file: 'src/core/windows/state.ts',
    line: 'if (plain.closed || this.runway <= 0) return plain;',
    replacement: 'this.runway < 0',
    why: 'nothing is open at its own closing: a runway of nothing holds nothing',
  },
  {
    file: 'src/core/windows/state.ts',
    line: 'for (let steps = 0; opens !== null && steps < MAX_STEPS; steps += 1) {',
    replacement: 'steps <= MAX_STEPS',
    why: EFFORT,
  },
  {
    file: 'src/core/windows/state.ts',
    line: 'for (let steps = 0; now <= this.limit && steps < MAX_STEPS; steps += 1) {',
    replacement: 'steps <= MAX_STEPS',
    why: EFFORT,
  },
  {
    file: 'src/core/windows/state.ts',
    line: 'for (let steps = 0; now <= limit && steps < MAX_STEPS; steps += 1) {',
    replacement: 'steps <= MAX_STEPS',
    why: EFFORT,
  },
  {
    file: 'src/core/windows/rrule.ts',
    line: 'rule.all((each) => found.push(each.epochMilliseconds) > 0);',
    replacement: 'found.push(each.epochMilliseconds) >= 0',
    why: 'a list is never empty after something was added',
  },
  {
    file: 'src/core/windows/rrule.ts',
    line: 'for (let index = Math.floor(Math.max(from, start) / step); index * step < Math.min(to, last); index += 1) {',
    replacement: 'Math.min(from, start)',
    why: 'pages before both have no starts',
  },
  {
    file: 'src/core/windows/rrule.ts',
    line: 'for (let index = Math.floor(Math.max(from, start) / step); index * step < Math.min(to, last); index += 1) {',
    replacement: 'index * step <= Math.min(to, last)',
    why: 'a page that begins at the end has no start before it',
  },
  {
    file: 'src/core/steps.ts',
    line: 'const newPhase = planned.needs.some((need) => steps[need]?.phase !== planned.phase);',
    replacement: 'planned.needs.every(need => steps[need]?.phase !== planned.phase)',
    why: 'what a step needs is of one phase, and a window is open when the first step begins: it was asked just then',
  },
  {
    file: 'src/core/flow/cycles.ts',
    line: 'const first = cycle.reduce((least, node, at) => (node < cycle[least]! ? at : least), 0);',
    replacement: 'node <= cycle[least]!',
    why: 'no node is in a cycle twice',
  },
  {
    file: 'src/core/wording.ts',
    line: 'if (Math.abs(candidate.length - wrong.length) >= bestDistance) continue;',
    replacement: 'Math.abs(candidate.length - wrong.length) > bestDistance',
    why: 'names are at least as far apart as their lengths, and this far is not nearer',
  },
  {
    file: 'src/core/json-path.ts',
    line: 'if (cache.size >= CACHED) cache.clear();',
    replacement: 'cache.size > CACHED',
    why: CACHE,
  },
  {
    file: 'src/core/windows/zones.ts',
    line: 'for (let index = Math.floor(from / BLOCK); index * BLOCK < to; index += 1) {',
    replacement: 'index * BLOCK <= to',
    why: 'what one block more holds is not before `to`, and is left out below',
  },
  {
    file: 'src/core/approvals/person.ts',
    line: 'for (let i = 0; i < position; i += 1) if (same.has(persons[i] as number)) persons[i] = own;',
    replacement: 'i <= position',
    why: 'the last one is `own` already',
  },
  {
    file: 'src/core/approvals/decide.ts',
    line: 'if (!seen || !spec) return;',
    replacement: '!seen && !spec',
    why: 'whoever has no approval to give was refused above',
  },
  {
    file: 'src/core/windows/keep.ts',
    line: 'if (cache.size >= most) cache.clear();',
    replacement: 'cache.size > most',
    why: CACHE,
  },
  {
    file: 'src/core/windows/keep.ts',
    line: 'if (cache.size >= most) cache.clear();',
    replacement: 'cache.size < most',
    why: CACHE,
  },
];

/** Lines that are said to be equal and do not stand in their file any more. */
export function staleReasons(textOf: (file: string) => string): string[] {
  const files = new Map<string, string>();
  const read = (file: string): string => {
    const known = files.get(file);
    if (known !== undefined) return known;
    const lines = textOf(file)
      .split('\n')
      .map((each) => each.trim())
      .join(' ');
    files.set(file, lines);
    return lines;
  };
  return EQUAL.filter(({ file, line, above }) => !read(file).includes(above ? `${above} ${line}` : line)).map(
    ({ file, line }) => `${file}: ${line}`,
  );
}

export function reasonWhyEqual(
  file: string,
  [above, line]: readonly [string, string],
  replacement: string,
): string | undefined {
  return EQUAL.find(
    (each) =>
      each.file === file && line === each.line && (each.above ?? above) === above && each.replacement === replacement,
  )?.why;
}
