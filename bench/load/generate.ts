import { connect } from 'node:net'
import { serveParent } from './child.ts'

/** Makes load over keep-alive connections, as cheaply as can be, in a process of its own. Every run ends by itself. */

export type Run = {
  readonly port: number
  /** A whole HTTP request, sent again and again. */
  readonly request: string
  readonly connections: number
  /** No request is begun after this many milliseconds, nor beyond this number of them. */
  readonly forMs: number
  readonly maxRequests: number
  /** A connection rests for so long after an answer, half of it or one and a half, as callers do who do something with it. None when absent. */
  readonly pauseMs?: number
}

export type RunResult = {
  readonly requests: number
  readonly elapsedMs: number
  readonly p50Us: number
  readonly p99Us: number
}

const lateMs = 20_000
const chunkedEnd = '\r\n0\r\n\r\n'

async function run({ port, request, connections, forMs, maxRequests, pauseMs = 0 }: Run): Promise<RunResult> {
  const text = Buffer.from(request)
  const latencies: number[] = []
  const startMs = performance.now()
  let begun = 0
  const mayBegin = () => begun < maxRequests && performance.now() - startMs < forMs

  const drive = (): Promise<void> =>
    new Promise((done, fail) => {
      const socket = connect(port, '127.0.0.1')
      const timer = setTimeout(() => socket.destroy(new Error('an answer took too long')), forMs + lateMs)
      let sentMs = 0
      let reading: Reading = newReading()
      const next = () => {
        if (!mayBegin()) {
          socket.end()
          return
        }
        begun++
        reading = newReading()
        sentMs = performance.now()
        socket.write(text)
      }
      socket.setNoDelay(true)
      socket.on('connect', next)
      socket.on('data', (bytes: Buffer) => {
        try {
          if (!readSome(reading, bytes)) return
        } catch (error) {
          socket.destroy(error as Error)
          return
        }
        latencies.push(performance.now() - sentMs)
        if (pauseMs === 0) next()
        else setTimeout(next, pauseMs * (0.5 + Math.random()))
      })
      socket.on('error', fail)
      socket.on('end', () => {
        if (mayBegin()) fail(new Error('the server closed a connection that was in use'))
      })
      socket.on('close', () => {
        clearTimeout(timer)
        done()
      })
    })

  await Promise.all(Array.from({ length: connections }, drive))
  const elapsedMs = performance.now() - startMs
  latencies.sort((a, b) => a - b)
  const quantile = (part: number) => (latencies[Math.floor(latencies.length * part)] ?? Number.NaN) * 1000
  return { requests: latencies.length, elapsedMs, p50Us: quantile(0.5), p99Us: quantile(0.99) }
}

type Reading = { head: string; bytesLeft: number; isChunked: boolean; tail: string }

function newReading(): Reading {
  return { head: '', bytesLeft: -1, isChunked: false, tail: '' }
}

/** Whether the answer is complete. Knows lengths and where a chunked answer ends; throws unless the status is 200. */
function readSome(reading: Reading, bytes: Buffer): boolean {
  if (reading.isChunked)
    return endsChunked(reading, bytes.toString('latin1', Math.max(0, bytes.length - chunkedEnd.length)))
  if (reading.bytesLeft >= 0) {
    reading.bytesLeft -= bytes.length
    return reading.bytesLeft === 0
  }
  reading.head += bytes.toString('latin1')
  const { head } = reading
  const end = head.indexOf('\r\n\r\n')
  if (end < 0) return false
  if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`not a good answer: ${head.slice(0, 500)}`)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) {
    reading.isChunked = true
    return endsChunked(reading, head.slice(end + 2))
  }
  reading.bytesLeft = Number(length) - (head.length - end - 4)
  return reading.bytesLeft === 0
}

function endsChunked(reading: Reading, text: string): boolean {
  reading.tail = (reading.tail + text).slice(-chunkedEnd.length)
  return reading.tail === chunkedEnd
}

serveParent(undefined, run)
