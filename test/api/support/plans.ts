import pg from 'pg';

/** A statement as it went to the database. */
export interface Statement {
  text: string;
  values: unknown[];
  /** Whether the pool that reads lists sent it. */
  isRead: boolean;
}

export interface Plan {
  statement: Statement;
  /** What was read of which table, by which index. */
  scans: Scan[];
}

export interface Scan {
  node: string;
  table: string;
  index: string | null;
  condition: string | null;
  /** Rows that were looked at, those that did not fit included. */
  rows: number;
}

/** The statements that the API's own connections send while somebody asks. */
export async function statementsOf(question: () => Promise<unknown>): Promise<Statement[]> {
  // oxlint-disable-next-line typescript/unbound-method -- it is bound again where it is called
  const { query } = pg.Client.prototype;
  const seen: Statement[] = [];
  pg.Client.prototype.query = function (
    this: pg.Client & { connectionParameters: { application_name: string } },
    ...rest: unknown[]
  ) {
    if (/^sluice(-reads)?$/.test(this.connectionParameters.application_name)) {
      const [first, values] = rest as [string | { text: string; values?: unknown[] }, unknown[] | undefined];
      const text = typeof first === 'string' ? first : first.text;
      if (/^\s*(SELECT|WITH|UPDATE)/i.test(text))
        seen.push({
          isRead: this.connectionParameters.application_name === 'sluice-reads',
          text,
          values: (typeof first === 'string' ? values : (first.values ?? values)) ?? [],
        });
    }
    return (query as (...args: unknown[]) => unknown).apply(this, rest);
  } as never;
  try {
    await question();
    return seen;
  } finally {
    pg.Client.prototype.query = query;
  }
}

interface Node {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Node[];
}

/** Runs it and tells how. */
export async function planOf(client: pg.Client, statement: Statement): Promise<Plan> {
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Node }] }>(
    `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${statement.text}`,
    statement.values,
  );
  return { statement, scans: scansIn(rows[0]!['QUERY PLAN'][0].Plan, null) };
}

/**
 * The same of a statement that is prepared: by the plan that its connection keeps for all values. What it writes is rolled back.
 * @param client with the settings of the pool whose statement it is
 */
export async function keptPlanOf(client: pg.Client, statement: Statement): Promise<Plan> {
  const values = statement.values.map(literalOf).join(', ');
  await client.query(`BEGIN; PREPARE explained AS ${statement.text}`);
  try {
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Node }] }>(
      `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE explained${values === '' ? '' : `(${values})`}`,
    );
    return { statement, scans: scansIn(rows[0]!['QUERY PLAN'][0].Plan, null) };
  } finally {
    await client.query('ROLLBACK; DEALLOCATE explained');
  }
}

/** Of text, numbers, and lists of them. */
function literalOf(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof Date) return literalOf(value.toISOString());
  if (Array.isArray(value)) return literalOf(`{${value.map((each) => JSON.stringify(each)).join(',')}}`);
  return pg.escapeLiteral(value as string);
}

function scansIn(node: Node, table: string | null): Scan[] {
  const inner = (node.Plans ?? []).flatMap((each) => scansIn(each, node['Relation Name'] ?? table));
  if (!node['Node Type'].includes('Scan') || (!node['Relation Name'] && !node['Index Name'])) return inner;
  const each =
    node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
  const scan = {
    node: node['Node Type'],
    table: node['Relation Name'] ?? table ?? '',
    index: node['Index Name'] ?? null,
    condition: node['Index Cond'] ?? null,
    rows: Math.round(each * node['Actual Loops']),
  };
  return [scan, ...inner];
}
