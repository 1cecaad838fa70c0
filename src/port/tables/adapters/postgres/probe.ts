import { Client } from 'pg'
import { describeFailure } from './failures.ts'
import { readPostgresUrl } from './settings.ts'

export type PostgresProbe = {
  /** Where it is, without a secret: `db.example.com:5432/ponto, schema ponto`. */
  readonly place: string
  /** Asks it and changes nothing. Throws a Fault that says why it cannot be used. `schemaVersion` is undefined where no server was there before. */
  ask(): Promise<{ readonly version: string; readonly schemaVersion: number | undefined }>
}

/** Throws Fault `invalid-request` for a URL that is none. */
export function createPostgresProbe(url: string, ca: string | undefined): PostgresProbe {
  const { pool: config, schema } = readPostgresUrl(url, ca)
  return {
    place: `${config.host}:${config.port}/${config.database}, schema ${schema}`,
    async ask() {
      const client = new Client(config)
      client.on('error', () => {})
      try {
        await client.connect()
        const { rows } = await client.query(
          `select current_setting('server_version') as version, to_regclass($1) is not null as is_there`,
          [`${schema}.schema_version`],
        )
        const { version, is_there: isThere } = rows[0] as { version: string; is_there: boolean }
        const found = isThere ? await client.query('select version from schema_version where id = 1') : undefined
        return { version, schemaVersion: found?.rows[0]?.version }
      } catch (error) {
        throw describeFailure(error)
      } finally {
        void client.end().catch(() => {})
      }
    },
  }
}
