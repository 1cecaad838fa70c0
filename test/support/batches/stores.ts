import { type PostgresServer, startPostgresServer } from '../postgres-server.ts'
import { startS3Server } from '../s3-server.ts'
import type { StoreServer } from '../store-server.ts'

/** How a server is told where it keeps what it has. */
export type StorePlace = { readonly env: Readonly<Record<string, string>>; readonly args: readonly string[] }

/** A PostgreSQL and, if asked for, an S3 of one's own, for any number of servers. */
export type Stores = {
  readonly postgres: PostgresServer
  /** What of them is for servers of that name alone: small letters, digits and _. */
  placeOf(name: string): StorePlace
  stop(): Promise<void>
}

const bucket = 'batches'

export async function startStores({ hasS3 }: { readonly hasS3: boolean }): Promise<Stores> {
  const postgres = await startPostgresServer()
  let s3: StoreServer | undefined
  const stop = async (): Promise<void> => {
    await s3?.stop()
    await postgres.stop()
  }
  try {
    if (hasS3) {
      s3 = await startS3Server()
      const { status } = await fetch(`${s3.url}/${bucket}`, { method: 'PUT' })
      if (status !== 200) throw new Error(`the bucket was not made: ${status}`)
    }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    postgres,
    placeOf(name) {
      // Connections of servers that were killed are there for a moment longer.
      const env = { PONTO_SECRET_POSTGRES_URL: postgres.url({ schema: name, pool_size: '5' }) }
      if (!s3) return { env, args: [] }
      const secrets = { PONTO_SECRET_S3_ACCESS_KEY_ID: 'id', PONTO_SECRET_S3_SECRET_ACCESS_KEY: 'secret' }
      const store = `s3://${bucket}/${name}?endpoint=${encodeURIComponent(s3.url)}&style=path`
      return { env: { ...env, ...secrets }, args: ['--blobs', store] }
    },
    stop,
  }
}
