/**
 * Reads that many ask for at the same time, by key. A caller that asks while a read is under way shares the next one with all others
 * who do: each answer was read after its question, and a flood of questions is two reads at a time. A read that fails fails for
 * those who share it.
 */
export class SharedReads<T> {
  readonly #read: (key: string) => Promise<T>;
  readonly #underWay = new Map<string, UnderWay<T>>();

  constructor(read: (key: string) => Promise<T>) {
    this.#read = read;
  }

  read(key: string): Promise<T> {
    const at = this.#underWay.get(key);
    if (at === undefined) return this.#begin(key);
    at.next ??= at.now.catch(() => undefined).then(() => this.#begin(key));
    return at.next;
  }

  #begin(key: string): Promise<T> {
    const begun: UnderWay<T> = { now: this.#read(key), next: null };
    this.#underWay.set(key, begun);
    const over = (): void => {
      if (this.#underWay.get(key) === begun) this.#underWay.delete(key);
    };
    begun.now.catch(() => undefined).finally(over);
    return begun.now;
  }
}

interface UnderWay<T> {
  now: Promise<T>;
  next: Promise<T> | null;
}
