import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { Fault } from '../../../../core/fault.ts'
import { readPostgresUrl } from './settings.ts'

const url = 'postgresql://us%40er:p%25w%2F%3A@db.example:6543/data'

function faultOf(text: string): Fault {
  try {
    readPostgresUrl(text, undefined)
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('it was taken')
}

describe('a PostgreSQL URL', () => {
  test('says where the database is and who comes', () => {
    const { pool, schema } = readPostgresUrl(url, undefined)
    expect(pool).toMatchObject({ host: 'db.example', port: 6543, database: 'data', user: 'us@er', password: 'p%w/:' })
    expect(pool).toMatchObject({ ssl: false, application_name: 'ponto', options: '-c search_path=ponto', max: 10 })
    expect(schema).toBe('ponto')
  })

  test('has defaults, and parameters that change them', () => {
    const { pool, schema } = readPostgresUrl(
      'postgres://u@[::1]/d?schema=my_ponto&pool_size=25&application_name=east',
      undefined,
    )
    expect(schema).toBe('my_ponto')
    expect(pool).toMatchObject({ host: '::1', port: 5432, max: 25, application_name: 'east' })
    expect(pool).not.toHaveProperty('password')
    expect(
      readPostgresUrl('postgres://u@local/d?host=/run/postgresql&sslmode=verify-full', undefined).pool,
    ).toMatchObject({
      host: '/run/postgresql',
      ssl: false,
    })
  })

  test('bounds every wait', () => {
    const { pool } = readPostgresUrl(url, undefined)
    for (const name of [
      'connectionTimeoutMillis',
      'statement_timeout',
      'lock_timeout',
      'idle_in_transaction_session_timeout',
      'query_timeout',
    ] as const) {
      expect(pool[name], name).toBeGreaterThan(0)
    }
  })

  test.each([
    ['require', false, false],
    ['verify-ca', true, false],
    ['verify-full', true, true],
  ])('sslmode=%s: the chain is checked %p, the name %p', (mode, isChecked, isNamed) => {
    const ssl = readPostgresUrl(`${url}?sslmode=${mode}`, 'OWN').pool.ssl
    if (typeof ssl !== 'object') throw new Error('there is no TLS')
    expect(ssl.rejectUnauthorized).toBe(isChecked)
    expect(ssl.ca).toEqual([...rootCertificates, 'OWN'])
    const other = ssl.checkServerIdentity?.('db.example', {
      subject: { CN: 'other' },
      subjectaltname: 'DNS:other',
    } as never)
    expect(other !== undefined).toBe(isNamed)
  })

  test('sslrootcert is trusted alone, and checked with require too', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ponto-settings-'))
    const file = join(folder, 'ca.pem')
    writeFileSync(file, 'PEM')
    const { ssl } = readPostgresUrl(`${url}?sslmode=require&sslrootcert=${encodeURIComponent(file)}`, 'OWN').pool
    expect(ssl).toMatchObject({ ca: ['PEM'], rejectUnauthorized: true })
    rmSync(folder, { recursive: true })
    expect(faultOf(`${url}?sslmode=require&sslrootcert=${encodeURIComponent(file)}`).message).toContain('ENOENT')
  })

  test.each([
    ['secret', 'is not a PostgreSQL URL'],
    ['mysql://us:secret@h/d', 'is not a PostgreSQL URL'],
    ['postgres://us:secret@h:port/d', 'is not a PostgreSQL URL'],
    ['postgres:///secret', 'names no host'],
    ['postgres://us:secret@a,b/d', 'names several hosts'],
    ['postgres://us:secret@h', 'names no database'],
    ['postgres://us:secret@h/d/e', 'names no database'],
    ['postgres://h/secret', 'names no user'],
    ['postgres://us:secret%@h/d', 'percent sign'],
    ['postgres://us:secret@h/d?sslmode=prefer', 'known are disable, require, verify-ca, verify-full'],
    ['postgres://us:secret@h/d?pgbouncer=true', 'the parameter "pgbouncer"'],
    ['postgres://us:secret@h/d?secret%20is=1', 'a parameter that is not known'],
    ['postgres://us:secret@h/d?schema=Secret', 'names a schema that is none'],
    ['postgres://us:secret@h/d?schema=a,public', 'names a schema that is none'],
    ['postgres://us:secret@h/d?pool_size=1', 'from 2 to 100'],
  ])('%s is refused without being repeated', (text, problem) => {
    const fault = faultOf(text)
    expect(fault.code).toBe('invalid-request')
    expect(fault.message).toContain('PONTO_SECRET_POSTGRES_URL')
    expect(fault.message).toContain(problem)
    expect(fault.message.toLowerCase()).not.toContain('secret@')
    expect(fault.message.replace('PONTO_SECRET', '').toLowerCase()).not.toContain('secret')
  })
})
