import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { Fault } from '../../core/fault.ts'
import type { AuditRow } from '../../port/tables/audit/port.ts'
import { createAttempts } from '../identity/attempts.ts'
import { openAssets } from './assets.ts'
import { createPortal } from './create-portal.ts'
import { createSessions, type Sessions } from './sessions.ts'

/** For tests: a portal whose clock they turn, with a folder of small files in place of the built ones. */

export const credential = 'ponto-management-credential'
export const resourceKey = 'resource-key-one'
export const script = 'main-abc.js'
export const style = 'main-abc.css'

export type AskOptions = {
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
  readonly address?: string
}

export type Said = { readonly status: number; readonly headers: Headers; readonly text: string; readonly body: unknown }

export type PortalFixture = {
  readonly sessions: Sessions
  readonly audited: readonly AuditRow[]
  readonly faults: readonly Fault[]
  /** What the data plane was asked. */
  readonly chats: readonly Request[]
  /** Everything that was ever answered, but the cookies. */
  readonly answers: readonly string[]
  readonly folder: string
  pass(ms: number): void
  /** Asks as the portal's own page does, unless `headers` say otherwise; undefined takes one away. */
  ask(method: string, path: string, options?: AskOptions): Promise<Said>
  /** Signs in with the credential. Resolves to the `Cookie` header of the session. */
  signIn(): Promise<string>
  stop(): void
}

export const origin = 'https://localhost:8443'

export function startPortal(
  { authority }: { readonly authority: string | undefined } = { authority: 'PEM' },
): PortalFixture {
  const folder = makeAssets()
  let at = 1_000_000
  const now = () => at
  const sessions = createSessions(now)
  const audited: AuditRow[] = []
  const faults: Fault[] = []
  const chats: Request[] = []
  const answers: string[] = []
  const portal = createPortal({
    managementCredential: credential,
    isResourceKey: (key) => key === resourceKey,
    tokens: {
      admit: async () => ({
        principal: { kind: 'token', id: 'somebody', name: 'Somebody', issuer: 'https://issuer.example', roles: [] },
        callerOf: () => {
          throw new Error('nothing is asked in their name here')
        },
      }),
    },
    judgeAddress: () => (address) => {
      if (address === '203.0.113.9') throw new Fault('forbidden', 'Not from there.')
    },
    now,
    hostNames: () => ['ponto.example'],
    audit: { append: async (row) => void audited.push(row), list: async () => audited },
    onAuditLost: (_row, error) => {
      throw error
    },
    sessions,
    attempts: createAttempts(now),
    assets: openAssets(folder),
    version: '0.1.0',
    readAuthority: () => authority,
    onFault: (fault) => void faults.push(fault),
  })

  async function ask(method: string, path: string, { headers, body, address = '127.0.0.1' }: AskOptions = {}) {
    const sent = new Headers()
    const all = {
      host: 'localhost:8443',
      origin: method === 'GET' ? undefined : origin,
      'x-ponto-portal': '1',
      'content-type': body === undefined ? undefined : 'application/json',
      ...headers,
    }
    for (const [name, value] of Object.entries(all)) if (value !== undefined) sent.set(name, value)
    const url = new URL(path, origin)
    const request = new Request(url, { method, headers: sent, body: body === undefined ? null : JSON.stringify(body) })
    const answer = await portal(
      request,
      url,
      () => address,
      async (asked) => {
        chats.push(asked)
        return new Response('told')
      },
    )
    const text = await answer.text()
    const shown = [...answer.headers].filter(([name]) => name !== 'set-cookie')
    answers.push(text, JSON.stringify(shown))
    return { status: answer.status, headers: answer.headers, text, body: parse(text) }
  }

  return {
    sessions,
    audited,
    faults,
    chats,
    answers,
    folder,
    pass(ms) {
      at += ms
    },
    ask,
    async signIn() {
      const { headers } = await ask('POST', '/portal/session', { body: { credential } })
      return readCookie(headers)
    },
    stop: () => rmSync(dirname(folder), { recursive: true, force: true }),
  }
}

/** What a browser would send back of what it was told to keep. */
export function readCookie(headers: Headers): string {
  return headers.get('set-cookie')?.split(';')[0] ?? ''
}

export function codeOf({ body }: Said): string | undefined {
  return (body as { error?: { code: string } } | undefined)?.error?.code
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A secret lies beside the folder, for those who climb out of it. */
function makeAssets(): string {
  const outer = mkdtempSync(join(tmpdir(), 'ponto-portal-'))
  const folder = join(outer, 'built')
  mkdirSync(folder)
  const files = { [script]: 'run()', [style]: '.a{}', 'icon.svg': '<svg/>' }
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content))
  }
  const manifest = { script, style, preload: ['chunk-abc.js'], files: Object.keys(files) }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
  writeFileSync(join(outer, 'management.key.br'), brotliCompressSync('beside'))
  writeFileSync(join(folder, 'unlisted.js.br'), brotliCompressSync('unlisted'))
  return folder
}
