import { type Workload, writeRequestBody } from './workloads.ts'

/** Something that stands between the load and the mock upstream, and how to ask through it. */
export type Target = {
  readonly name: string
  readonly port: number
  /** The process whose cost counts; undefined where nothing stands between. */
  readonly pid: number | undefined
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** The model's name as this target's callers write it. */
  readonly model: (workload: Workload) => string
  /** Headers without which an answer is not what is to be measured. */
  readonly answerHeaders?: readonly string[]
  /** At most so many events of a stream beyond those of the upstream: annotations of the prompt, and what was held to the end. */
  readonly ownEvents?: number
}

/** A started process, which may be more than one target. */
export type Started = {
  readonly targets: readonly Target[]
  /** Milliseconds from the start of the process until it took connections. */
  readonly startMs: number
  stop(): Promise<void>
}

export const upstreamPath = '/v1/chat/completions'

export function directTarget(port: number): Target {
  return { name: 'direct', port, pid: undefined, path: upstreamPath, headers: {}, model: (workload) => workload }
}

/** The request as one text for the load generator. */
export function writeRequest(target: Target, workload: Workload): string {
  const body = writeRequestBody(target.model(workload), workload !== 'chat')
  const headers = {
    host: `127.0.0.1:${target.port}`,
    'content-type': 'application/json',
    'user-agent': 'ponto-bench',
    ...target.headers,
    'content-length': Buffer.byteLength(body),
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST ${target.path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}
