import cliTruncate from 'cli-truncate';
import type pc from 'picocolors';
import stringWidth from 'string-width';
import { duration } from '../output.ts';
import { causeOf, nounOf, type PromotionShown, type ReleaseShown, versionOf } from '../release-shown.ts';

export type Colors = ReturnType<typeof pc.createColors>;

export interface Scene {
  release: ReleaseShown;
  /** Newest last, without colours. */
  events: string[];
  /** Why nothing is heard at the moment. */
  lost?: string;
}

export interface Frame {
  columns: number;
  rows: number;
  /** Milliseconds since the epoch. */
  now: number;
  /** Counts the frames; turns the spinner. */
  tick: number;
  colors: Colors;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const MOST_EVENTS = 6;
/** Below this the explanation to the right of each environment is left out. */
const WIDE = 60;

/** What a status looks like: its sign, its colour, and the word for it. */
interface Look {
  sign: string;
  paint: keyof Colors;
  word: string;
}

const LOOKS: Record<string, Look> = {
  PENDING: { sign: '·', paint: 'dim', word: 'waiting' },
  WAITING: { sign: '◷', paint: 'yellow', word: 'waiting' },
  SUSPENDED: { sign: '‖', paint: 'yellow', word: 'suspended' },
  RUNNING: { sign: '', paint: 'cyan', word: 'running' },
  SUCCEEDED: { sign: '✔', paint: 'green', word: 'succeeded' },
  FAILED: { sign: '✖', paint: 'red', word: 'failed' },
  TERMINATED: { sign: '■', paint: 'magenta', word: 'terminated' },
  SKIPPED: { sign: '-', paint: 'dim', word: 'skipped' },
};

const lookOf = (status: string): Look => LOOKS[status] ?? { sign: '?', paint: 'yellow', word: words(status) };
const words = (constant: string): string => constant.toLowerCase().replaceAll('_', '-');

/**
 * The live view as lines: never wider than the terminal, always one line less than its height, so that nothing scrolls.
 * Pure: the same scene at the same time is the same picture.
 */
export function picture(scene: Scene, frame: Frame): string[] {
  const fit = (line: string): string => cliTruncate(line, Math.max(frame.columns - 1, 1));
  const reasons = scene.release.waitingFor.slice(0, 2).map((reason) => frame.colors.yellow(`waits: ${reason}`));
  const head = [title(scene.release, frame), bar(scene.release, frame), ...reasons, ''];
  const foot = footer(scene, frame);
  const room = Math.max(frame.rows - 1 - head.length - foot.length, 1);
  const body = fewer(rowsOf(scene.release, frame), room, frame);
  const left = room - body.length - 1;
  const events = scene.events.slice(-Math.min(MOST_EVENTS, Math.max(left, 0)));
  const told = left > 0 && events.length > 0 ? ['', ...events.map((line) => frame.colors.dim(line))] : [];
  return [...head, ...body, ...told, ...foot].slice(0, frame.rows - 1).map(fit);
}

function title(release: ReleaseShown, { colors, columns }: Frame): string {
  const { product, flow, rollback, shortId } = release;
  const why = rollback === null ? `through ${flow}` : `rollback, ${causeOf(rollback)}`;
  const more = columns < WIDE ? '' : colors.dim(`  ${why}, ${shortId}`);
  return `${colors.bold(`${product} ${versionOf(release)}`)}${more}`;
}

function bar(release: ReleaseShown, { colors, columns, now }: Frame): string {
  const all = release.promotions.length;
  const done = release.promotions.filter(({ status }) => status === 'SUCCEEDED').length;
  const look = lookOf(release.status);
  const status = colors[look.paint as 'red'](release.status.padEnd(10));
  const said = `${done}/${all}  ${duration(elapsed(release, now))}`;
  const width = Math.max(Math.min(columns - 10 - stringWidth(said) - 6, 40), 4);
  const full = all === 0 ? 0 : Math.round((done / all) * width);
  return `${status} ${colors[look.paint as 'red']('━'.repeat(full))}${colors.dim('─'.repeat(width - full))}  ${said}`;
}

interface Row {
  text: string;
  /** What is at work or went wrong stays visible when there is not room for everything. */
  weight: number;
}

function rowsOf(release: ReleaseShown, frame: Frame): Row[] {
  const names = release.promotions.map(({ name, group }) => stringWidth(name) + (group ? 2 : 0));
  const width = Math.min(Math.max(...names) + 2, Math.floor(frame.columns / 2));
  let group: string | null = null;
  return release.promotions.flatMap((promotion) => {
    const opened = promotion.group !== null && promotion.group !== group;
    group = promotion.group;
    const heading = { text: `${frame.colors.dim('┌')} ${frame.colors.bold(promotion.group ?? '')}`, weight: 1 };
    return [...(opened ? [heading] : []), rowOf(promotion, width, frame)];
  });
}

function rowOf(promotion: PromotionShown, width: number, { colors, columns, now, tick }: Frame): Row {
  const look = lookOf(promotion.status);
  const paint = colors[look.paint as 'red'];
  const sign = look.sign || SPINNER[tick % SPINNER.length]!;
  const name = promotion.group
    ? `${colors.dim('│')} ${paint(sign)} ${promotion.name}`
    : `${paint(sign)} ${promotion.name}`;
  const working = promotion.status === 'RUNNING' && promotion.phase !== null;
  const state = working ? words(promotion.phase!) : look.word;
  const time = promotion.startedAt === null ? '' : duration(elapsed(promotion, now));
  const detail = columns < WIDE ? '' : colors.dim(detailOf(promotion));
  return {
    text: `${pad(name, width + 2)}${pad(paint(state), 12)}${pad(time, 9)}${detail}`.trimEnd(),
    weight: { PENDING: 1, SKIPPED: 0, SUCCEEDED: 0 }[promotion.status] ?? 2,
  };
}

/** The most useful thing to know: what went wrong, what it waits for, what it made. */
function detailOf({ problem, waitingFor, commit, status }: PromotionShown): string {
  if (problem !== null && status !== 'SUCCEEDED') return problem;
  if (waitingFor.length > 0) return waitingFor.join('; ');
  return commit === null ? '' : `commit ${commit.slice(0, 7)}`;
}

/** Leaves out what is settled first, then what has not begun; says how much is not shown. */
function fewer(rows: Row[], room: number, { colors }: Frame): string[] {
  if (rows.length <= room) return rows.map(({ text }) => text);
  const kept = new Set(rows.toSorted((a, b) => b.weight - a.weight).slice(0, Math.max(room - 1, 0)));
  const shown = rows.filter((row) => kept.has(row)).map(({ text }) => text);
  return [...shown, colors.dim(`… ${rows.length - shown.length} more lines, not shown in this small window`)];
}

function footer({ release, lost }: Scene, { colors, columns }: Frame): string[] {
  if (lost !== undefined) return ['', colors.yellow(`Connection lost, trying again. ${lost}`)];
  if (release.endedAt === null)
    return columns < WIDE ? [] : ['', colors.dim(`Ctrl-C leaves; the ${nounOf(release)} goes on`)];
  return release.problem === null ? [] : ['', colors.red(release.problem)];
}

function elapsed({ startedAt, endedAt }: { startedAt: string | null; endedAt: string | null }, now: number): number {
  return startedAt === null ? 0 : (endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt);
}

const pad = (text: string, width: number): string => {
  const cut = stringWidth(text) > width - 1 ? cliTruncate(text, Math.max(width - 1, 1)) : text;
  return cut + ' '.repeat(Math.max(width - stringWidth(cut), 0));
};
