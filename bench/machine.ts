import { readFileSync, readdirSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import type { Pool } from 'pg';

const TICKS_PER_SECOND = 100;

export function describeMachine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown processor'}, ${memory} GiB, ${type()} ${release()}, Node ${process.versions.node}`;
}

/** Processor seconds that the whole machine was busy for, since it started. */
export function busySeconds(): number {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n')[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = fields;
  return (user + nice + system + irq + softIrq) / TICKS_PER_SECOND;
}

/** Processor seconds of a process, with those of its children that have ended. */
export function cpuSeconds(pid: number): number {
  const fields = statOf(pid);
  return fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0) / TICKS_PER_SECOND;
}

/** Of the server behind `pool`: the postmaster, its backends, and those that have ended. */
export async function postgresCpuSeconds(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const postmaster = Number(statOf(rows[0]?.pid as number)[1]);
  const children = readdirSync('/proc').filter((each) => /^\d+$/.test(each) && parentOf(Number(each)) === postmaster);
  return [postmaster, ...children.map(Number)].reduce((sum, pid) => sum + cpuSeconds(pid), 0);
}

function parentOf(pid: number): number {
  try {
    return Number(statOf(pid)[1]);
  } catch {
    return 0; // It has ended since it was listed.
  }
}

/** The fields of /proc/pid/stat after the command's name, which may itself hold spaces: [state, ppid, …]. */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Resident memory in MiB. */
export const rssMiB = (): number => process.memoryUsage.rss() / 2 ** 20;
