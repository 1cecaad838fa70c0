import type { Random } from './random.ts'

/** A value that is written as it stands: what no JavaScript value would be written as. */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** As JSON.stringify, but for RawJson and however odd the keys. */
export function writeJson(value: unknown): string {
  if (value instanceof RawJson) return value.text
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}:${writeJson(item)}`)
      .join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

const oddNumbers = [
  '-0',
  '0',
  '-1',
  '1e999',
  '-1e999',
  '1e-400',
  '9007199254740993',
  '18446744073709551616',
  '2147483648',
  '-2147483649',
  '0.1e1',
  '1.5',
  '1e400000',
  '123456789012345678901234567890',
  '0.00000000000000000000001',
]
/** Not JSON, as sloppy writers have it. */
const notJson = ['NaN', 'Infinity', '-Infinity', 'undefined', '01', '+1', '.5', '1.', "'x'", '{a:1}', '[1,]', '']
const oddStrings = [
  '',
  ' ',
  '\0',
  '\n\r\n\r\ndata: [DONE]\n\n',
  '__proto__',
  'constructor',
  'toString',
  '../../../../etc/passwd',
  '%00%2e%2e%2f',
  '</script><script>',
  '<|im_start|>system',
  'data: {"error":{}}',
  '\u2028\u2029\ufeff',
  '\u{1f600}'.repeat(10),
  'e\u0301'.repeat(20),
  '\u202e reversed',
  'null',
  'true',
  '1e5',
  'file:///etc/passwd',
  'data:image/png;base64,',
  'data:image/png;base64,%%%',
  'http://127.0.0.1:1/x.png',
  'A'.repeat(65),
]
const protoKeys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__', 'length']

type Mutator = (value: unknown, random: Random) => unknown

/** A case that is changed once more must not grow without bound. */
const maxTextLength = 8_000_000

/** A list of the value, as often as there is room for. */
export function repeat(value: unknown, count: number): unknown[] {
  const room = Math.floor(maxTextLength / (writeJson(value).length + 1))
  return Array.from({ length: Math.min(count, room) }, () => value)
}

const nest = (open: string, close: string, depth: number): RawJson =>
  new RawJson(`${open.repeat(depth)}1${close.repeat(depth)}`)

/** What a value may be replaced by. */
const replacements: readonly Mutator[] = [
  () => null,
  (_, random) => random.chance(0.5),
  (_, random) => new RawJson(random.pick(oddNumbers)),
  (_, random) => random.pick(oddStrings),
  () => [],
  () => ({}),
  (value) => [value],
  (value) => ({ value }),
  (value) => (typeof value === 'object' ? '[object Object]' : String(value)),
  (value) => (typeof value === 'string' ? Number(value) || 0 : 1),
  (value, random) => repeat(value, random.int(2, 200)),
  (_, random) => 'x'.repeat(random.pick([100, 1000, 10_000, 100_000])),
  (_, random) => '\ud83d\ude00'.repeat(random.pick([10, 3000])),
  () => new RawJson('"\\ud800"'),
  () => new RawJson('"\\udc00\\ud83d x"'),
  (_, random) => nest('[', ']', random.pick([50, 500, 5000])),
  (_, random) => nest('{"a":', '}', random.pick([50, 500, 5000])),
  () => new RawJson('{"__proto__":{"isAdmin":true,"model":"x"}}'),
  () => new RawJson('{"constructor":{"prototype":{"x":1}}}'),
  () => new RawJson('{"type":"text","type":"image_url","text":"a","text":5}'),
]
const rareReplacements: readonly Mutator[] = [
  (_, random) => new RawJson(random.pick(notJson)),
  (value, random) => repeat(value, random.int(1000, 5000)),
  (_, random) => 'y'.repeat(random.int(500_000, 2_000_000)),
  (_, random) => nest('[', ']', random.pick([50_000, 200_000])),
  (_, random) => nest('{"properties":{"a":', '}}', random.pick([20_000, 100_000])),
  () => Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`key${i}`, i])),
]

/** `value` changed at one place, drawn at random. The argument stays as it is. */
export function mutateJson(value: unknown, random: Random): unknown {
  const paths = listPaths(value)
  const path = random.pick(paths)
  const changed = change(value, path, (old, parent, key) => mutateAt(old, parent, key, random))
  return writeJson(changed).length > maxTextLength ? value : changed
}

type Path = readonly (string | number)[]

function listPaths(value: unknown, path: Path = [], found: Path[] = []): Path[] {
  found.push(path)
  if (found.length > 2000 || value instanceof RawJson) return found
  if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      listPaths(item, [...path, Array.isArray(value) ? Number(key) : key], found)
    }
  }
  return found
}

type Parent = Record<string, unknown> | unknown[] | undefined

function change(value: unknown, path: Path, at: (old: unknown, parent: Parent, key: string) => unknown): unknown {
  const root = { root: structuredCopy(value) }
  let parent: Record<string, unknown> = root
  let key = 'root'
  for (const part of path) {
    parent = parent[key] as Record<string, unknown>
    key = String(part)
  }
  const holder = parent === root ? undefined : parent
  const next = at(parent[key], holder, key)
  if (next !== gone) parent[key] = next
  return root.root
}

const gone = Symbol('removed')

function mutateAt(old: unknown, parent: Parent, key: string, random: Random): unknown {
  const draw = random.next()
  if (parent && draw < 0.12) {
    if (Array.isArray(parent)) parent.splice(Number(key), 1)
    else delete parent[key]
    return gone
  }
  if (parent && !Array.isArray(parent) && draw < 0.2) {
    parent[random.pick([...protoKeys, `${key} `, key.toUpperCase(), `x_${key}`, ''])] = old
    return old
  }
  if (parent && !Array.isArray(parent) && draw < 0.25) {
    // Twice the same key, of which readers take the last or the first.
    return new RawJson(`${writeJson(old)},${JSON.stringify(key)}:${random.pick(['null', '1', '"x"', writeJson(old)])}`)
  }
  if (Array.isArray(parent) && draw < 0.25) {
    parent.splice(Number(key), 0, random.pick(parent))
    return gone
  }
  if (typeof old === 'string' && old !== '' && draw < 0.4) return cutString(old, random)
  return random.pick(random.chance(0.03) ? rareReplacements : replacements)(old, random)
}

function cutString(text: string, random: Random): unknown {
  const at = random.int(0, text.length - 1)
  const insert = random.pick(['\0', '"', '\\', '\ud83d\ude00', '\u00e9', '\n', '\r\n', '\t', '/', '%', '\u2028'])
  return random.chance(0.5) ? text.slice(0, at) : text.slice(0, at) + insert + text.slice(at)
}

function structuredCopy(value: unknown): unknown {
  if (value instanceof RawJson || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(structuredCopy)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, structuredCopy(item)]))
}

/** JSON text broken as a text: cut short, bytes flipped, not UTF-8, something before or behind. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.int(0, Math.max(0, bytes.length - 1))
  const insert = (more: Buffer): Buffer => Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)])
  switch (random.int(0, 9)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      return insert(Buffer.from([random.int(0, 255)]))
    case 2:
      return insert(Buffer.from([0xff, 0xfe, 0xc0, 0x80]))
    case 3:
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes])
    case 4:
      return Buffer.concat([bytes, Buffer.from(random.pick(['}', ' \n', 'null', '{}', '\0']))])
    case 5: {
      const copy = Buffer.from(bytes)
      for (let i = 0; i < 3 && copy.length > 0; i++) copy[random.int(0, copy.length - 1)] = random.int(0, 255)
      return copy
    }
    case 6:
      return insert(Buffer.from([0xed, 0xa0, 0x80]))
    case 7:
      return Buffer.from(bytes.toString('utf8'), 'utf16le')
    case 8:
      return Buffer.alloc(0)
    default:
      return insert(Buffer.from(random.pick(['"', '\\', '{', '[', ',', ':', '\u2028', '/* */'])))
  }
}
