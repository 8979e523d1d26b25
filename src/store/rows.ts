/** Of a column in a list of rows; `json`: a document. */
type ColumnType = 'uuid' | 'integer' | 'float8' | 'boolean' | 'text' | 'timestamptz' | 'json';

export type Columns = readonly (readonly [name: string, type: ColumnType])[];

/** Rows as the parameter of a statement, gathered by column: which columns are sent is known when all rows are there. */
export class Rows<Row extends readonly unknown[]> {
  readonly #columns: Columns;
  readonly #values: unknown[][];

  constructor(columns: Columns) {
    this.#columns = columns;
    this.#values = columns.map(() => []);
  }

  get size(): number {
    return this.#values[0]?.length ?? 0;
  }

  /** In the order of the columns; null and undefined are NULL. */
  add(...row: Row): void {
    for (let index = 0; index < row.length; index += 1) (this.#values[index] as unknown[]).push(row[index]);
  }

  /** Whether any row has a value there. */
  has(column: string): boolean {
    return this.#valuesOf(column).some((each) => each != null);
  }

  /** As one JSON document: a list of objects, without what is null. */
  parameter(columns = this.#columns): string {
    const lists = columns.map(([name]) => [name, this.#valuesOf(name)] as const);
    const rows: Record<string, unknown>[] = [];
    for (let index = 0; index < this.size; index += 1) {
      const row: Record<string, unknown> = {};
      for (const [name, values] of lists) if (values[index] != null) row[name] = values[index];
      rows.push(row);
    }
    return JSON.stringify(rows);
  }

  #valuesOf(column: string): unknown[] {
    return this.#values[this.#columns.findIndex(([name]) => name === column)] as unknown[];
  }
}

/** Such rows in a FROM clause, as `i`. */
export function rowsFrom(columns: Columns, parameter: number): string {
  const types = columns.map(([name, type]) => `${name} ${type === 'json' ? 'jsonb' : type}`).join(', ');
  return `jsonb_to_recordset($${parameter}::jsonb) AS i(${types})`;
}
