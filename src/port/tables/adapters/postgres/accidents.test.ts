import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { Client } from 'pg'
import { type PostgresServer, startPostgresServer, withPostgres } from '../../../../../test/support/postgres-server.ts'
import { issueAuthority, issueServer } from '../../../../boot/tls/x509/issue-certificate.ts'
import { Fault } from '../../../../core/fault.ts'
import { type Migration, migrations } from '../../migrations/index.ts'
import type { Tables } from '../../port.ts'
import { openPostgresTables } from './open-postgres-tables.ts'

const authority = issueAuthority('Test', ['localhost'], new Date())
const pair = issueServer(['localhost'], authority, createPrivateKey(authority.key), new Date())
const otherAuthority = issueAuthority('Other', ['localhost'], new Date())

let server: PostgresServer
let schemas = 0
const newSchema = () => `accident_${schemas++}`

async function faultOf(run: Promise<unknown>): Promise<Fault> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof Fault) return error
  throw new Error(`expected a Fault, got ${String(error)}`)
}

/** What no message may hold. */
function expectNoSecrets({ message }: Fault): void {
  for (const secret of [
    server.password,
    encodeURIComponent(server.password),
    '127.0.0.1',
    'localhost',
    `${server.port}`,
  ]) {
    expect(message).not.toContain(secret)
  }
  expect(message).not.toMatch(/\bponto\b/)
}

async function ask(text: string): Promise<Record<string, unknown>[]> {
  const client = new Client(server.url())
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

const versionOf = async (schema: string) => (await ask(`select version from ${schema}.schema_version`))[0]?.version
const tablesOf = async (schema: string) =>
  (await ask(`select table_name from information_schema.tables where table_schema = '${schema}'`)).map(
    (row) => row.table_name,
  )

const addNotes: Migration = async (db) => {
  await db.schema.createTable('note').addColumn('text', 'text').execute()
}

withPostgres('postgres, when something goes wrong', () => {
  beforeAll(async () => {
    server = await startPostgresServer({ tls: pair })
  }, 60_000)
  afterAll(() => server.stop())

  describe('migrations on postgres', () => {
    test('are in a schema of their own, whose text is ordered by octets', async () => {
      const schema = newSchema()
      await (await openPostgresTables({ url: server.url({ schema }) })).close()
      expect(await versionOf(schema)).toBe(migrations.length)
      expect(await tablesOf('public')).toEqual([])
      const collations = await ask(`select distinct collation_name from information_schema.columns
        where table_schema = '${schema}' and data_type = 'text'`)
      expect(collations).toEqual([{ collation_name: 'C' }])
    })

    test('of servers that start together, one does each step', async () => {
      const url = server.url({ schema: newSchema() })
      const script = `
        const { openPostgresTables } = await import(${JSON.stringify(join(import.meta.dir, 'open-postgres-tables.ts'))})
        const tables = await openPostgresTables({ url: ${JSON.stringify(url)} })
        console.log((await tables.listDeployments()).length)
        await tables.close()`
      const started = Array.from({ length: 4 }, () => Bun.spawn([process.execPath, '-e', script], { stderr: 'pipe' }))
      for (const child of started) {
        expect(await new Response(child.stderr).text()).toBe('')
        expect(await new Response(child.stdout).text()).toBe('0\n')
      }
    })

    test('a later version finds what an earlier one left', async () => {
      const schema = newSchema()
      const url = server.url({ schema })
      const old = await openPostgresTables({ url })
      await old.putDeployment('gpt', {})
      await old.close()
      const tables = await openPostgresTables({ url, migrations: [...migrations, addNotes] })
      expect(await tables.listDeployments()).toHaveLength(1)
      await tables.close()
      expect(await versionOf(schema)).toBe(migrations.length + 1)
    })

    test('a newer schema is refused and left as it is', async () => {
      const schema = newSchema()
      const url = server.url({ schema })
      await (await openPostgresTables({ url, migrations: [...migrations, addNotes] })).close()
      const fault = await faultOf(openPostgresTables({ url }))
      expect(fault.code).toBe('state-unusable')
      expect(fault.message).toBe(
        `The schema "${schema}" of the database has version ${migrations.length + 1}; this Ponto knows versions up to ` +
          `${migrations.length}. It was left untouched. Start the newer Ponto that wrote it, or restore a backup.`,
      )
      expect(await versionOf(schema)).toBe(migrations.length + 1)
    })

    test('a schema of another program is refused and left as it is', async () => {
      const schema = newSchema()
      await ask(`create schema ${schema}; create table ${schema}.recipe (text text)`)
      const fault = await faultOf(openPostgresTables({ url: server.url({ schema }) }))
      expect(fault.message).toContain('holds tables of another program')
      expect(await tablesOf(schema)).toEqual(['recipe'])
    })

    test('a step that fails leaves everything as it was before', async () => {
      const schema = newSchema()
      const url = server.url({ schema })
      await (await openPostgresTables({ url })).close()
      const failing: Migration = async (db) => {
        await addNotes(db)
        await sql`insert into nowhere values (1)`.execute(db)
      }
      const fault = await faultOf(openPostgresTables({ url, migrations: [...migrations, failing] }))
      expect(fault.code).toBe('state-unusable')
      expect(fault.message).toContain(`from version ${migrations.length} to ${migrations.length + 1} failed`)
      expect(await versionOf(schema)).toBe(migrations.length)
      expect(await tablesOf(schema)).not.toContain('note')
    })

    test('a user without rights to a schema of its own is told so', async () => {
      await ask(`create role guest login password 'guest'`)
      const url = new URL(server.url({ schema: newSchema() }))
      Object.assign(url, { username: 'guest', password: 'guest' })
      const fault = await faultOf(openPostgresTables({ url: url.href }))
      expect(fault.code).toBe('state-unusable')
      expect(fault.message).toContain('must own the schema')
    })

    test('what one server at a time may do, one does', async () => {
      const url = server.url({ schema: newSchema() })
      const both = [await openPostgresTables({ url }), await openPostgresTables({ url })]
      let inside = 0
      let most = 0
      const run = async (tables: Tables): Promise<void> => {
        most = Math.max(most, ++inside)
        await tables.listDeployments()
        inside--
      }
      await Promise.all(
        Array.from({ length: 8 }, (_, i) => {
          const tables = both[i % 2] as Tables
          return tables.exclusively(() => run(tables))
        }),
      )
      expect(most).toBe(1)
      for (const tables of both) await tables.close()
    })
  })

  test("servers that add the usage of the same keys, in any order, are not in each other's way", async () => {
    const url = server.url({ schema: newSchema() })
    const both = [await openPostgresTables({ url }), await openPostgresTables({ url })]
    const counts = { requests: 1, failed: 0, refused: 0, estimated: 0, costMicros: 0 }
    const tokens = { promptTokens: 1, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 }
    const rows = Array.from({ length: 300 }, (_, i) => ({
      hour: i % 3,
      resource: '',
      deployment: 'd',
      model: 'm',
      keyName: `k-${i}`,
      ...counts,
      ...tokens,
    }))
    const adds = Array.from({ length: 20 }, (_, i) => both[i % 2]?.usage.add(i % 2 ? rows : rows.toReversed()))
    await Promise.all(adds)
    const read = await both[0]?.usage.read({ fromHour: 0, toHour: 3, groupBy: [] })
    expect(read).toMatchObject([{ requests: 20 * rows.length }])
    for (const tables of both) await tables.close()
  })

  describe('servers that listen to each other', () => {
    const until = async (isSo: () => boolean): Promise<void> => {
      while (!isSo()) await sleep(10)
    }

    test('are told of what one writes, once it is there, and of nothing that is no configuration', async () => {
      const url = server.url({ schema: newSchema() })
      const [writer, reader] = [await openPostgresTables({ url }), await openPostgresTables({ url })]
      const seen: string[][] = []
      let told = 0
      const unsubscribe = reader.subscribe(() => {
        told++
        void reader.listDeployments().then((rows) => seen.push(rows.map(({ name }) => name)))
      })
      // It is told when it begins to listen: something may have changed before.
      await until(() => seen.length === 1)
      await writer.putDeployment('gpt', {})
      await until(() => seen.length === 2)
      expect(seen).toEqual([[], ['gpt']])
      const row = { name: 'k', document: {}, digest: 'd', previous: undefined, revokedAt: undefined, createdAt: 1 }
      for (const write of [
        () => writer.namedKeys.put({ ...row, updatedAt: 1 }, null),
        () => writer.putKey({ name: 'key1', sealed: 's', createdAt: 1 }),
        () => writer.quota.put({ name: 'Standard', sku: 'Standard', limit: 1 }, 1),
        () => writer.filters.put('topic', 't', {}, null, 1),
        () => writer.filters.delete('topic', 't'),
        () => writer.deleteDeployment('gpt'),
      ]) {
        const before = told
        await writer.jobs.add({ kind: 'batch', id: `${before}`, state: {}, runAt: 1 })
        await write()
        await until(() => told > before)
        expect(told).toBe(before + 1)
      }
      unsubscribe()
      await writer.close()
      await reader.close()
    })

    test('learn what they missed while the database was away, and what comes after it', async () => {
      const url = server.url({ schema: newSchema() })
      const reader = await openPostgresTables({ url })
      let told = 0
      reader.subscribe(() => told++)
      await until(() => told === 1)
      await server.restart()
      await until(() => told === 2)
      const writer = await openPostgresTables({ url, waitMs: 10_000 })
      await writer.putDeployment('gpt', {})
      await until(() => told === 3)
      await writer.close()
      await reader.close()
    }, 60_000)
  })

  describe('a start that cannot be', () => {
    const change = (part: Partial<URL>) => Object.assign(new URL(server.url()), part).href
    test.each([
      ['password', () => change({ password: 'wrong' }), 'it refuses the user or the password (SQLSTATE 28P01)'],
      ['user', () => change({ username: 'nobody' }), 'it refuses the user or the password (SQLSTATE 28P01)'],
      ['database', () => change({ pathname: '/nothing' }), 'there is no database of that name (SQLSTATE 3D000)'],
    ])('for a wrong %s says so, and gives nothing away', async (_, url, reason) => {
      const fault = await faultOf(openPostgresTables({ url: url() }))
      expect(fault.code).toBe('state-unusable')
      expect(fault.message).toStartWith('The database cannot be used: ')
      expect(fault.message).toContain(reason)
      expectNoSecrets(fault)
    })

    test('for a host that is not known says so, and that waiting may help', async () => {
      const fault = await faultOf(openPostgresTables({ url: change({ hostname: 'nowhere.invalid' }) }))
      expect(fault.code).toBe('storage-unavailable')
      expect(fault.message).toContain('its name')
      expectNoSecrets(fault)
    })

    test('where nobody listens says so, at once and when it has waited', async () => {
      const probe = createServer().listen(0, '127.0.0.1')
      const { port } = probe.address() as { port: number }
      await new Promise((done) => probe.close(done))
      const told: string[] = []
      const onWait = ({ message }: Fault) => void told.push(message)
      const reason = 'The database cannot be used at the moment: nothing listens at its address.'
      const fault = await faultOf(openPostgresTables({ url: change({ port: `${port}` }), waitMs: 600, onWait }))
      expect(fault).toMatchObject({ code: 'storage-unavailable', message: reason })
      expect(told).toEqual([reason])
    })

    test('waits for a database that is starting too', async () => {
      await server.kill()
      const opening = openPostgresTables({ url: server.url({ schema: newSchema() }), waitMs: 60_000 })
      await sleep(300)
      await server.restart()
      await (await opening).close()
    }, 60_000)
  })

  describe('TLS to postgres', () => {
    const open = async (parameters: Record<string, string>, host: string, ca?: string): Promise<void> => {
      const url = new URL(server.url({ schema: 'tls', ...parameters }))
      url.hostname = host
      await (await openPostgresTables({ url: url.href, ca })).close()
    }
    test('require takes any certificate, and hides what is sent', async () => {
      // Whoever does not speak TLS is refused by the server from here on.
      const folder = (await ask('show hba_file'))[0]?.hba_file as string
      const before = await Bun.file(folder).text()
      writeFileSync(folder, 'hostssl all all 127.0.0.1/32 scram-sha-256\n')
      await askWithTls('select pg_reload_conf()')
      try {
        await open({ sslmode: 'require' }, '127.0.0.1')
        const fault = await faultOf(open({ sslmode: 'disable' }, '127.0.0.1'))
        expect(fault.message).toContain('SQLSTATE 28000')
      } finally {
        writeFileSync(folder, before)
        await askWithTls('select pg_reload_conf()')
      }
    })

    test('verify-full takes a certificate of the authority for the host, from the option or a file', async () => {
      await open({ sslmode: 'verify-full' }, 'localhost', authority.certificate)
      const folder = mkdtempSync(join(tmpdir(), 'ponto-authority-'))
      const file = join(folder, 'ca.pem')
      writeFileSync(file, authority.certificate)
      await open({ sslmode: 'verify-full', sslrootcert: file }, 'localhost')
      rmSync(folder, { recursive: true })
    })

    test.each([
      ['verify-full', 'localhost', undefined, 'its certificate is not trusted'],
      ['verify-full', 'localhost', otherAuthority.certificate, 'its certificate is not trusted'],
      ['verify-ca', 'localhost', undefined, 'its certificate is not trusted'],
      ['verify-full', '127.0.0.1', authority.certificate, 'its certificate is for another name'],
    ])('%s refuses %s', async (sslmode, host, ca, reason) => {
      const fault = await faultOf(open({ sslmode }, host, ca))
      expect(fault.code).toBe('state-unusable')
      expect(fault.message).toContain(reason)
      expectNoSecrets(fault)
    })

    test('verify-ca takes a certificate for another name', async () => {
      await open({ sslmode: 'verify-ca' }, '127.0.0.1', authority.certificate)
    })

    async function askWithTls(text: string): Promise<void> {
      const client = new Client({ connectionString: server.url(), ssl: { rejectUnauthorized: false } })
      await client.connect()
      await client.query(text)
      await client.end()
    }
  })

  describe('a database that goes away', () => {
    test('fails calls while it is away, and they work again when it is back, with what was there', async () => {
      const tables = await openPostgresTables({ url: server.url({ schema: newSchema() }) })
      await tables.putDeployment('gpt', { before: true })
      // More connections than one, all of which break.
      await Promise.all(Array.from({ length: 8 }, () => tables.listDeployments()))
      await server.kill()
      for (const run of [
        () => tables.listDeployments(),
        () => tables.putDeployment('gpt', { before: false }),
        () => tables.jobs.claim(['batch'], 'worker', 1_000),
        () => tables.filters.delete('blocklist', 'none'),
      ]) {
        const fault = await faultOf(run())
        expect(fault.code).toBe('storage-unavailable')
        expectNoSecrets(fault)
      }
      await server.restart()
      expect(await tables.getDeployment('gpt')).toMatchObject({ document: { before: true } })
      await tables.close()
    }, 60_000)

    test('in the middle of a transaction: nothing of it is there', async () => {
      const tables = await openPostgresTables({ url: server.url({ schema: newSchema() }) })
      const items = Array.from({ length: 50_000 }, (_, i) => ({ name: `n-${i}`, pattern: 'x', isRegex: false }))
      const writing = faultOf(tables.filters.put('blocklist', 'list', {}, null, 1, { remove: [], put: items }))
      await sleep(50)
      await server.kill()
      expect((await writing).code).toBe('storage-unavailable')
      await server.restart()
      expect(await tables.filters.list('blocklist')).toEqual([])
      expect(await tables.filters.listItems('list')).toEqual([])
      await tables.close()
    }, 60_000)

    test('one that is connected and dumb is given up, and so are its connections', async () => {
      const tables = await openPostgresTables({ url: server.url({ schema: newSchema() }), answerMs: 300 })
      await tables.putDeployment('gpt', {})
      const pids = await ask(`select pid from pg_stat_activity where application_name = 'ponto'`)
      server.pause()
      for (const { pid } of pids) process.kill(Number(pid), 'SIGSTOP')
      try {
        expect((await faultOf(tables.listDeployments())).code).toBe('storage-unavailable')
      } finally {
        for (const { pid } of pids) process.kill(Number(pid), 'SIGCONT')
        server.resume()
      }
      expect(await tables.listDeployments()).toHaveLength(1)
      await tables.close()
    }, 60_000)
  })
})
