import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createDataFolder, type DataFolder, writeServerRecord } from '../boot/folder/data-folder.ts'
import { openManagementCredential } from '../boot/secrets.ts'
import { listServerNames } from '../boot/server-names.ts'
import { openLocalCertificate } from '../boot/tls/certificate.ts'
import type { Pair } from '../boot/tls/x509/issue-certificate.ts'

export type SeenRequest = {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: unknown
}

export type Answer = { readonly status: number; readonly body?: unknown }

export type FakeManagement = { readonly port: number; readonly seen: SeenRequest[]; stop(): Promise<void> }

/**
 * A management server with scripted answers on a data folder of its own: real TLS, real credential. A call without the right
 * credential gets 401 whatever is scripted.
 */
export async function startFakeManagement(
  folder: DataFolder,
  answer: (request: SeenRequest) => Answer,
  operatorPair?: Pair & { readonly file: string },
): Promise<FakeManagement> {
  createDataFolder(folder)
  const pair = operatorPair ?? openLocalCertificate(folder, listServerNames({}), new Date())
  const credential = openManagementCredential(folder)
  const seen: SeenRequest[] = []
  const server = createServer({ cert: pair.certificate, key: pair.key }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      const { method = '', url: path = '', headers } = request
      const call = { method, path, headers, body: text === '' ? undefined : JSON.parse(text) }
      const isAllowed = headers.authorization === `Bearer ${credential}`
      if (isAllowed) seen.push(call)
      const { status, body } = isAllowed
        ? answer(call)
        : { status: 401, body: { error: { code: 'Unauthorized', message: 'Wrong credential.' } } }
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(body === undefined ? undefined : JSON.stringify(body))
    })
  })
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle))
  const { port } = server.address() as AddressInfo
  writeServerRecord(folder, {
    pid: process.pid,
    startedAt: new Date().toISOString(),
    version: '1.2.3',
    httpsUrl: `https://localhost:${port}`,
    trust: operatorPair ? { kind: 'pinned', file: operatorPair.file } : { kind: 'authority', file: folder.caFile },
  })
  return { port, seen, stop: () => new Promise((settle) => server.close(() => settle())) }
}
