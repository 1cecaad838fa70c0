import { mutateBytes, mutateJson, writeJson } from '../json-text.ts'
import type { Random } from '../random.ts'

/** What is there to be asked for: ids of the key that asks, and of another one. */
export type KnownIds = {
  readonly files: readonly string[]
  readonly uploads: readonly string[]
  readonly parts: readonly string[]
  readonly batches: readonly string[]
  /** Of somebody else. */
  readonly foreign: readonly string[]
}

export type FilesDraft = {
  /** What it asks for, for people and for the judge. */
  readonly name: string
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer | undefined
  /** Whether nothing of the request was damaged, so that it has to be answered as what it is. */
  readonly isWhole: boolean
}

const oddIds = [
  'file-',
  'file-0',
  `file-${'0'.repeat(32)}`,
  'batch_',
  `batch_${'0'.repeat(32)}`,
  'batch_..%2f..%2fetc%2fpasswd',
  '..',
  '%2e%2e%2f',
  '%00',
  '%ff',
  '%',
  '__proto__',
  'a'.repeat(4_000),
  '%F0%9F%99%82',
  "'%20or%201=1--",
  '*',
  ':cancel',
]
const oddNames = [
  'a.jsonl',
  '../../etc/passwd.jsonl',
  'C:\\x\\y.jsonl',
  '.jsonl',
  '',
  'é🙂.jsonl',
  'a\u202eb.jsonl',
  `${'n'.repeat(300)}.jsonl`,
  'a"b.jsonl',
  'a;b=c.jsonl',
  'a%00.jsonl',
  'x.exe',
  '__proto__.jsonl',
]
const oddRanges = [
  'bytes=0-0',
  'bytes=0-',
  'bytes=-1',
  'bytes=-0',
  'bytes=5-2',
  'bytes=0-0,2-3',
  'bytes=99999999999999999999-',
  'bytes=0-99999999999999999999',
  'bytes=-99999999999999999999',
  'bytes=a-b',
  'bytes=',
  'bytes',
  'items=0-1',
  'bytes= 1 - 2 ',
  'bytes=1-1\t',
]
const oddCursors = ['', '0', '-1', '1', '2', '1e9', '100', '10000', '10001', ' 5', '5.0', 'x', '99999999999']
const purposes = ['batch', 'assistants', 'user_data', 'vision', 'evals', 'fine-tune', 'batch_output', '', 'x', 'BATCH']

/** A request for files, uploads or batches: most of it right, something of it hostile. */
export function drawRequest(random: Random, known: KnownIds): FilesDraft {
  const isDated = random.chance(0.4)
  const base = isDated ? '/openai' : '/openai/v1'
  const version = isDated && random.chance(0.95) ? ['api-version=2024-10-21'] : []
  const draw = random.pick(kinds)
  const { method, below, query = [], headers = [], body, isWhole = true } = draw.make(random, known)
  const search = [...version, ...query].join('&')
  const path = `${base}${below}${search === '' ? '' : `?${search}`}`
  return { name: draw.name, method, path, headers, body, isWhole }
}

type Made = {
  readonly method: string
  readonly below: string
  readonly query?: readonly string[]
  readonly headers?: readonly (readonly [string, string])[]
  readonly body?: Buffer
  readonly isWhole?: boolean
}
type Kind = { readonly name: string; make(random: Random, known: KnownIds): Made }

function pickId(random: Random, own: readonly string[], { foreign }: KnownIds): string {
  if (own.length > 0 && random.chance(0.7)) return random.pick(own)
  return foreign.length > 0 && random.chance(0.3) ? random.pick(foreign) : random.pick(oddIds)
}

const json = (value: unknown, random: Random): Pick<Made, 'body' | 'headers' | 'isWhole'> => {
  const isMutated = random.chance(0.5)
  const text = writeJson(isMutated ? mutateJson(value, random) : value)
  const hasBytes = random.chance(0.1)
  const body = hasBytes ? mutateBytes(Buffer.from(text), random) : Buffer.from(text)
  return { body, headers: [['content-type', 'application/json']], isWhole: !isMutated && !hasBytes }
}

function listQuery(random: Random, ids: readonly string[], known: KnownIds): string[] {
  const query: string[] = []
  const maybe = (text: () => string): void => void (random.chance(0.5) && query.push(text()))
  maybe(() => `limit=${encodeURIComponent(random.pick(oddCursors))}`)
  maybe(() => `after=${encodeURIComponent(pickId(random, ids, known))}`)
  maybe(() => `order=${random.pick(['asc', 'desc', '', 'ASC', 'x'])}`)
  maybe(() => `purpose=${random.pick(purposes)}`)
  if (random.chance(0.1)) query.push(random.pick(['limit=1&limit=2', '$filter=x', '%ff=%ff', 'after', '=', '&&']))
  return query
}

/** A form as clients write it, or nearly so. */
function drawForm(random: Random, fields: readonly (readonly [string, string])[], content: Buffer | undefined): Made {
  const boundary = random.pick(['xyz', '----WebKitFormBoundary7MA4', 'a'.repeat(70)])
  const parts = fields.map(([name, value]) =>
    Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`),
  )
  if (content) {
    const filename = random.chance(0.6) ? 'in.jsonl' : random.pick(oddNames)
    const shown = random.chance(0.9)
      ? `; filename="${filename.replaceAll('"', '%22')}"`
      : random.pick(['', `; filename*=UTF-8''${encodeURIComponent(filename)}`])
    const name = random.chance(0.95) ? random.pick(['file', 'data']) : random.pick(['file', 'File', '', '__proto__'])
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${shown}\r\ncontent-type: ${random.pick(['application/jsonl', 'x', ''])}\r\n\r\n`
    parts.push(Buffer.concat([Buffer.from(head), content, Buffer.from('\r\n')]))
  }
  if (random.chance(0.2)) parts.reverse()
  if (random.chance(0.05)) parts.push(...parts)
  let body: Buffer = Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)])
  const isDamaged = random.chance(0.3)
  if (isDamaged) body = random.chance(0.3) ? body.subarray(0, random.int(0, body.length)) : mutateBytes(body, random)
  const type = random.chance(0.93)
    ? `multipart/form-data; boundary="${boundary}"`
    : random.pick([
        'multipart/form-data',
        'multipart/form-data; boundary=',
        'multipart/mixed; boundary=xyz',
        `multipart/form-data; boundary=${'b'.repeat(200)}`,
      ])
  return { method: 'POST', below: '', body, headers: [['content-type', type]], isWhole: false }
}

function drawFields(random: Random): [string, string][] {
  const fields: [string, string][] = [['purpose', random.chance(0.7) ? 'batch' : random.pick(purposes)]]
  if (random.chance(0.2)) fields.push(['expires_after[anchor]', random.pick(['created_at', '', 'x'])])
  if (random.chance(0.2))
    fields.push(['expires_after[seconds]', random.pick(['3600', '2592000', '0', '-1', '1e5', 'x', '99999999999'])])
  if (random.chance(0.1))
    fields.push([
      random.pick(['extra', '__proto__', 'expires_after', 'purpose']),
      'x'.repeat(random.pick([1, 2_000, 70_000])),
    ])
  return fields
}

const line = (model: string, id: string) =>
  JSON.stringify({
    custom_id: id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model, messages: [{ role: 'user', content: id }] },
  })

function drawContent(random: Random): Buffer {
  const lines = Array.from({ length: random.int(0, 5) }, (_, i) =>
    line(random.chance(0.9) ? 'work' : 'none', `task-${random.chance(0.9) ? i : 0}`),
  )
  const content = Buffer.from(lines.map((text) => `${text}\n`).join(''))
  return random.chance(0.2) ? mutateBytes(content, random) : content
}

const get = (below: string, more: Partial<Made> = {}): Made => ({ method: 'GET', below, ...more })
const times = (kind: Kind, count: number): Kind[] => Array.from({ length: count }, () => kind)

const kinds: readonly Kind[] = [
  ...times(
    { name: 'list files', make: (random, known) => get('/files', { query: listQuery(random, known.files, known) }) },
    2,
  ),
  {
    name: 'list batches',
    make: (random, known) => get('/batches', { query: listQuery(random, known.batches, known) }),
  },
  ...times(
    {
      name: 'upload',
      make: (random) => ({ ...drawForm(random, drawFields(random), drawContent(random)), below: '/files' }),
    },
    4,
  ),
  { name: 'get file', make: (random, known) => get(`/files/${pickId(random, known.files, known)}`) },
  ...times(
    {
      name: 'content',
      make: (random, known) => {
        const headers: (readonly [string, string])[] = []
        if (random.chance(0.7)) headers.push(['range', random.pick(oddRanges)])
        if (random.chance(0.2)) headers.push(['if-range', random.pick(['"x"', 'W/"x"', '', 'x'])])
        const method = random.chance(0.9) ? 'GET' : 'HEAD'
        return { method, below: `/files/${pickId(random, known.files, known)}/content`, headers }
      },
    },
    3,
  ),
  {
    name: 'delete file',
    make: (random, known) => ({ method: 'DELETE', below: `/files/${pickId(random, known.files.slice(3), known)}` }),
  },
  {
    name: 'begin upload',
    make: (random) => {
      const asked = {
        purpose: random.pick(purposes),
        filename: random.pick(oddNames),
        bytes: random.pick([0, 1, 5, 1e12, -1, 0.5]),
        mime_type: 'application/jsonl',
      }
      return { method: 'POST', below: '/uploads', ...json(asked, random) }
    },
  },
  {
    name: 'add part',
    make: (random, known) => ({
      ...drawForm(random, [], drawContent(random)),
      below: `/uploads/${pickId(random, known.uploads, known)}/parts`,
    }),
  },
  {
    name: 'complete upload',
    make: (random, known) => {
      const ids = Array.from({ length: random.int(0, 3) }, () => pickId(random, known.parts, known))
      const verb = random.pick(['complete', 'complete', 'cancel', 'parts', 'x'])
      return {
        method: 'POST',
        below: `/uploads/${pickId(random, known.uploads, known)}/${verb}`,
        ...json({ part_ids: ids }, random),
      }
    },
  },
  ...times(
    {
      name: 'create batch',
      make: (random, known) => {
        const asked = {
          input_file_id: pickId(random, known.files, known),
          endpoint: random.chance(0.8) ? '/v1/chat/completions' : random.pick(['/chat/completions', '/v1/x', '', '//']),
          completion_window: random.chance(0.9) ? '24h' : random.pick(['', '1h', 24]),
          ...(random.chance(0.3) && { metadata: random.pick([{}, { a: 'b' }, { a: 1 }, null, []]) }),
          ...(random.chance(0.1) && {
            output_expires_after: { anchor: 'created_at', seconds: random.pick([3600, 0, 1e9, '5']) },
          }),
        }
        return { method: 'POST', below: '/batches', ...json(asked, random) }
      },
    },
    2,
  ),
  {
    name: 'ask for a batch',
    make: (random, known) => {
      const verb = random.pick(['', '', '/cancel', '/events', '/x'])
      const method = verb === '/cancel' && random.chance(0.9) ? 'POST' : 'GET'
      return { method, below: `/batches/${pickId(random, known.batches, known)}${verb}` }
    },
  },
  {
    name: 'other method',
    make: (random, known) => ({
      method: random.pick(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'POST']),
      below: random.pick([
        '/files',
        '/batches',
        '/uploads',
        `/files/${pickId(random, known.files, known)}`,
        '/files/',
        '/files//content',
      ]),
    }),
  },
]
