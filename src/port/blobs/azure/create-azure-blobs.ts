import { randomBytes } from 'node:crypto'
import { checkBlobKey, checkBlobPrefix, isBlobKey } from '../keys.ts'
import type { Blobs, StoredBlob } from '../port.ts'
import { joinBlobs, type PartTarget } from '../remote/join-blobs.ts'
import type { PartRange } from '../remote/join-plan.ts'
import { createRemoteReader } from '../remote/reader.ts'
import { createSender } from '../remote/send-request.ts'
import { writePieces } from '../remote/write-pieces.ts'
import { elementsOf, textOf } from '../remote/xml.ts'
import type { AzureAccount } from './account.ts'
import { createAzureRequests } from './requests.ts'

export type AzureOptions = {
  readonly account: AzureAccount
  readonly container: string
  /** Before every key in the container: `ponto` for `ponto/files/file-a`. */
  readonly prefix?: string | undefined
  /** For tests: of requests that failed. */
  readonly firstDelayMs?: number | undefined
}

/** Of a write, in memory and in one request. With 50,000 blocks at most a blob can have 390 GiB. */
const blockBytes = 8 * 1024 * 1024
/** Copies that fail are read and written, so that they must fit in memory. Below the least a copy is not worth its request. */
const joinLimits = { leastBytes: 1024 * 1024, mostBytes: blockBytes }

/**
 * Blobs as block blobs of a container of Azure Blob Storage, without hierarchical namespace. Does not wait for the store. Of those who write large blobs of
 * one key at the same time the first to end wins and others are turned away; what a writer left that died the store itself removes after a
 * week.
 */
export function createAzureBlobs({ account, container, prefix: given, firstDelayMs }: AzureOptions): Blobs {
  const requests = createAzureRequests(account, container)
  const send = createSender({ ...requests, firstDelayMs })
  const prefix = given ? `${given}/` : ''
  const { pathOf, size, read } = createRemoteReader(send, prefix, requests)

  const writeParts = async (key: string, fill: (target: PartTarget) => Promise<void>): Promise<void> => {
    const path = pathOf(key)
    // All ids of a blob have the same length, and those of two writers must not meet.
    const writeId = randomBytes(12).toString('hex')
    const idOf = (index: number): string => Buffer.from(`${writeId}-${`${index}`.padStart(5, '0')}`).toString('base64')
    let blocks = 0
    const queryOf = (index: number) => {
      blocks = Math.max(blocks, index + 1)
      return { comp: 'block', blockid: idOf(index) }
    }
    const add = async (index: number, body: Uint8Array): Promise<void> => {
      await send({ method: 'PUT', path, query: queryOf(index), body }, [201])
    }
    let canCopy = true
    const copy = async (index: number, { key: source, start, end }: PartRange): Promise<void> => {
      const headers = {
        'x-ms-copy-source': requests.sourceOf(prefix + source),
        'x-ms-source-range': `bytes=${start}-${end - 1}`,
      }
      await send({ method: 'PUT', path, query: queryOf(index), headers }, [201])
    }
    await fill({
      add,
      async copy(index, range) {
        // Firewalls can keep the store from reading itself.
        if (canCopy) {
          const isCopied = await copy(index, range).then(
            () => true,
            () => false,
          )
          if (isCopied) return
          canCopy = false
        }
        const { key: source, start, end } = range
        await add(index, Buffer.concat(await Array.fromAsync(read(source, { start, end }))))
      },
    })
    const list = Array.from({ length: blocks }, (_, index) => `<Latest>${idOf(index)}</Latest>`).join('')
    const body = new TextEncoder().encode(`<?xml version="1.0" encoding="utf-8"?><BlockList>${list}</BlockList>`)
    await send({ method: 'PUT', path, query: { comp: 'blocklist' }, body }, [201])
  }

  const put = async (key: string, body: Uint8Array): Promise<void> => {
    await send({ method: 'PUT', path: pathOf(key), headers: { 'x-ms-blob-type': 'BlockBlob' }, body }, [201])
  }

  const list = async function* (keyPrefix: string): AsyncGenerator<StoredBlob> {
    let marker = ''
    do {
      const query = { restype: 'container', comp: 'list', prefix: prefix + keyPrefix, ...(marker && { marker }) }
      const { body } = await send({ method: 'GET', path: requests.pathOf(''), query }, [200])
      const page = new TextDecoder().decode(body)
      for (const blob of elementsOf(page, 'Blob')) {
        const key = textOf(blob, 'Name')?.slice(prefix.length) ?? ''
        // What others keep in the container is not ours.
        if (!isBlobKey(key)) continue
        yield {
          key,
          bytes: Number(textOf(blob, 'Content-Length')),
          changedAt: Date.parse(textOf(blob, 'Last-Modified') ?? ''),
        }
      }
      marker = textOf(page, 'NextMarker') ?? ''
    } while (marker !== '')
  }

  const write: Blobs['write'] = (key, content) => writePieces({ put, writeParts }, key, content, blockBytes)

  return {
    write,
    read,
    size,
    join: async (key, parts) => {
      checkBlobKey(key)
      return joinBlobs({ read, size, write, writeParts }, key, parts, joinLimits)
    },
    async delete(key) {
      const headers = { 'x-ms-delete-snapshots': 'include' }
      const { status } = await send({ method: 'DELETE', path: pathOf(key), headers }, [202, 404])
      return status === 202
    },
    list(keyPrefix) {
      checkBlobPrefix(keyPrefix)
      return list(keyPrefix)
    },
    close: async () => {},
  }
}
