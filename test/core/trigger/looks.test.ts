import { expect, test } from 'vitest';
import { judgeMove } from '../../../src/core/trigger/move.ts';
import type { Cursor, MoveFacts } from '../../../src/core/trigger/move.ts';
import { fc } from '../property.ts';

// A branch as git keeps it, and looks at it that come in any order, twice, late, and from several workers at once: whatever the hints
// said, each content that the branch came to be at while it was looked at is a change once.

interface Commit {
  id: string;
  parent: number | null;
  content: string;
}

/** What the branch did: a commit on top of its head, or a push with force to any commit there ever was. */
type Step = { kind: 'push'; content: number } | { kind: 'force'; to: number } | Look;
/** A look that is told a head which the branch once had; `worker` remembers the cursor that it read. */
type Look = { kind: 'read'; worker: number } | { kind: 'judge'; worker: number; told: number };

class World {
  readonly commits: Commit[] = [{ id: '0'.repeat(40), parent: null, content: '0' }];
  readonly heads = [0];
  cursor: Cursor & { revision: number } = { head: null, commit: null, digest: null, epoch: 0, revision: 0 };
  readonly read = new Map<number, Cursor & { revision: number }>();
  readonly states: string[] = [];
  readonly changes: string[] = [];

  get head(): Commit {
    return this.commits[this.heads.at(-1)!]!;
  }

  at(id: string): Commit {
    return this.commits.find((each) => each.id === id)!;
  }

  descends(from: Commit, to: Commit): boolean {
    for (let at: Commit | undefined = to; at; at = at.parent === null ? undefined : this.commits[at.parent])
      if (at.id === from.id) return true;
    return false;
  }

  /** As the driver answers: what was told is a reason to ask where the branch stands now, unless it is what is known. */
  move(from: string | null, told: Commit): MoveFacts {
    const { head } = this;
    if (from === told.id) return { relation: 'SAME', head: from };
    if (from === null) return { relation: 'FIRST', head: head.id };
    if (from === head.id) return { relation: 'SAME', head: head.id };
    const before = this.at(from);
    const relation = this.descends(before, head) ? 'AHEAD' : 'LEFT';
    const content = {
      commit: head.id,
      author: 'Ada',
      message: 'm',
      date: '2026-01-01T00:00:00Z',
      digest: head.content,
    };
    return { relation, head: head.id, content, changed: head.content !== before.content, commits: [content] };
  }

  judge(worker: number, told: number): void {
    const cursor = this.read.get(worker);
    if (!cursor) return;
    this.read.delete(worker);
    const seen = this.commits[told % this.commits.length]!;
    const verdict = judgeMove(cursor, this.move(cursor.head, seen), {
      branch: 'main',
      seen: seen.id,
      known: new Set(),
    });
    // Compare-and-set: another worker moved it meanwhile.
    if (verdict.next === null || cursor.revision !== this.cursor.revision) return;
    this.cursor = { ...verdict.next, revision: cursor.revision + 1 };
    if (verdict.kind !== 'CHANGED') return;
    this.changes.push(this.at(verdict.next.head!).content);
    this.states.push(`${verdict.next.commit} ${verdict.next.epoch}`);
  }

  do(step: Step): void {
    if (step.kind === 'push') {
      const parent = this.heads.at(-1)!;
      this.commits.push({ id: String(this.commits.length).padStart(40, '0'), parent, content: String(step.content) });
      this.heads.push(this.commits.length - 1);
    } else if (step.kind === 'force') this.heads.push(step.to % this.commits.length);
    else if (step.kind === 'read') this.read.set(step.worker, this.cursor);
    else this.judge(step.worker, step.told);
  }
}

const worker = fc.integer({ min: 0, max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), content: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ kind: fc.constant('force' as const), to: fc.nat(20) }),
  fc.record({ kind: fc.constant('read' as const), worker }),
  fc.record({ kind: fc.constant('judge' as const), worker, told: fc.nat(20) }),
  fc.record({ kind: fc.constant('judge' as const), worker, told: fc.nat(20) }),
);

test('looks in any order, twice and late make one state once, end where the branch is, and again make nothing', () => {
  const reached = { changes: 0, epochs: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 15, maxLength: 40 }), (steps) => {
      const world = new World();
      world.do({ kind: 'read', worker: 0 });
      world.judge(0, 0);
      for (const each of steps) world.do(each);
      // No state is a candidate twice, and no change is one to what was there.
      expect(new Set(world.states).size).toBe(world.states.length);
      const contents = ['0', ...world.changes];
      expect(contents.filter((each, index) => index > 0 && contents[index - 1] === each)).toEqual([]);
      // A last look, whatever it is told: what is there is what was found last, and looking again changes nothing.
      for (let again = 0; again < 3; again += 1) {
        world.do({ kind: 'read', worker: 0 });
        world.judge(0, world.heads.at(-1)!);
      }
      expect(world.cursor.head).toBe(world.head.id);
      expect(world.changes.at(-1) ?? '0').toBe(world.head.content);
      const { length } = world.changes;
      for (let told = 0; told < world.commits.length; told += 1) {
        world.do({ kind: 'read', worker: 1 });
        world.judge(1, told);
      }
      expect(world.changes).toHaveLength(length);
      reached.changes += length;
      reached.epochs += world.cursor.epoch;
    }),
    { numRuns: 2_000, seed: 10 },
  );
  expect(reached.changes).toBeGreaterThan(2_000);
  expect(reached.epochs).toBeGreaterThan(1_000);
});
