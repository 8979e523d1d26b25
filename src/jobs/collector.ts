/**
 * Does what is asked for at the same time together: what comes while as many batches are under way as may be waits for the next one.
 *
 * @typeParam T what is asked for
 * @typeParam R what is answered
 */
export class Collector<T, R> {
  readonly #most: number;
  readonly #atOnce: number;
  readonly #work: (batch: T[]) => Promise<R[]>;
  #waiting: { asked: T; resolve(answer: R): void; reject(error: unknown): void }[] = [];
  #underWay = 0;

  /** `most`: of one batch. `work`: answers in the order of the batch; when it rejects, all of the batch have failed. */
  constructor(most: number, atOnce: number, work: (batch: T[]) => Promise<R[]>) {
    this.#most = most;
    this.#atOnce = atOnce;
    this.#work = work;
  }

  add(asked: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ asked, resolve, reject });
      // What is asked for in the same turn of the event loop goes together.
      if (this.#waiting.length === 1) queueMicrotask(() => this.#next());
    });
  }

  #next(): void {
    if (this.#waiting.length === 0 || this.#underWay >= this.#atOnce) return;
    const batch = this.#waiting.splice(0, this.#most);
    this.#underWay += 1;
    this.#work(batch.map((each) => each.asked))
      .then(
        (answers) => batch.forEach((each, index) => each.resolve(answers[index] as R)),
        (error: unknown) => batch.forEach((each) => each.reject(error)),
      )
      .finally(() => {
        this.#underWay -= 1;
        this.#next();
      });
    if (this.#waiting.length > 0) this.#next();
  }
}
