import { type Kysely, sql } from 'kysely'
import type { Schema } from '../schema.ts'
import type { UsageCounts, UsageGroup, UsageQuery, UsageRow, UsageTable, UsageTotals } from './port.ts'

export type UsageSchema = {
  usage_hour: {
    hour: number
    deployment: string
    model: string
    key_name: string
    requests: number
    failed: number
    refused: number
    estimated: number
    prompt_tokens: number
    cached_tokens: number
    completion_tokens: number
    reasoning_tokens: number
    cost_micros: number
  }
}

const countColumns = {
  requests: 'requests',
  failed: 'failed',
  refused: 'refused',
  estimated: 'estimated',
  promptTokens: 'prompt_tokens',
  cachedTokens: 'cached_tokens',
  completionTokens: 'completion_tokens',
  reasoningTokens: 'reasoning_tokens',
  costMicros: 'cost_micros',
} as const satisfies Record<keyof UsageCounts, keyof UsageSchema['usage_hour']>

const groupColumns = {
  hour: 'hour',
  deployment: 'deployment',
  model: 'model',
  keyName: 'key_name',
} as const satisfies Record<UsageGroup, keyof UsageSchema['usage_hour']>

const counts = Object.entries(countColumns) as [keyof UsageCounts, (typeof countColumns)[keyof UsageCounts]][]
/** Databases bound the parameters of a statement; SQLite's oldest limit is 999. */
const rowsPerStatement = 70

/** Runs a statement; the adapter turns its database's failures into Faults. */
type Attempt = <T>(statement: Promise<T>) => Promise<T>

/** In SQL that SQLite and PostgreSQL share. */
export function createUsageTable(db: Kysely<Schema>, attempt: Attempt): UsageTable {
  return {
    async add(rows) {
      if (rows.length === 0) return
      const values = rows.map(writeRow)
      await attempt(
        db.transaction().execute(async (transaction) => {
          for (let at = 0; at < values.length; at += rowsPerStatement) {
            await transaction
              .insertInto('usage_hour')
              .values(values.slice(at, at + rowsPerStatement))
              .onConflict((conflict) =>
                conflict
                  .columns(['hour', 'deployment', 'model', 'key_name'])
                  .doUpdateSet((row) =>
                    Object.fromEntries(
                      counts.map(([, column]) => [
                        column,
                        sql<number>`${row.ref(`usage_hour.${column}`)} + ${row.ref(`excluded.${column}`)}`,
                      ]),
                    ),
                  ),
              )
              .execute()
          }
        }),
      )
    },

    async read({ fromHour, toHour, deployment, keyName, groupBy }) {
      const groups = groupBy.map((group) => groupColumns[group])
      let query = db
        .selectFrom('usage_hour')
        .select(groups)
        .select(({ fn }) => counts.map(([, column]) => fn.sum<number>(column).as(column)))
        .where('hour', '>=', fromHour)
        .where('hour', '<', toHour)
      if (deployment !== undefined) query = query.where(sql`lower(deployment)`, '=', deployment.toLowerCase())
      if (keyName !== undefined) query = query.where(sql`lower(key_name)`, '=', keyName.toLowerCase())
      if (groups.length > 0) query = query.groupBy(groups).orderBy(groups[0] as (typeof groups)[number])
      for (const group of groups.slice(1)) query = query.orderBy(group)
      const rows = (await attempt(query.execute())) as Readonly<Record<string, string | number | null>>[]
      // Without groups a sum over nothing is one row of nulls.
      return rows.filter((row) => row.requests !== null).map((row) => readTotals(row, groupBy))
    },
  }
}

function writeRow(row: UsageRow): UsageSchema['usage_hour'] {
  const { hour, deployment, model, keyName } = row
  const columns = Object.fromEntries(counts.map(([name, column]) => [column, row[name]]))
  return { hour, deployment, model, key_name: keyName, ...columns } as UsageSchema['usage_hour']
}

/** Sums come as text from a database whose numbers are larger than ours. */
function readTotals(
  row: Readonly<Record<string, string | number | null>>,
  groupBy: UsageQuery['groupBy'],
): UsageTotals {
  const sums = Object.fromEntries(counts.map(([name, column]) => [name, Number(row[column])]))
  const groups = Object.fromEntries(
    groupBy.map((group) => [group, group === 'hour' ? Number(row.hour) : row[groupColumns[group]]]),
  )
  return { ...groups, ...sums } as UsageTotals
}
