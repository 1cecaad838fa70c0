import { isJsonObject, type Json } from '../../../core/json.ts'
import { armProvider, type ExportedResource, exportApiVersion, noteOthers, noteOwn, type Written } from './exported.ts'
import { type ArmChild, listResources } from './write-arm.ts'

/** Bicep, for an account that is there. What only Ponto has is told in comments. */
export function writeBicep(resource: ExportedResource): Written {
  const children = listResources(resource)
  const symbols = nameSymbols(children)
  const symbolOf = ({ type, name }: Pick<ArmChild, 'type' | 'name'>) => symbols.get(`${type}:${name}`) as string
  const blocks = children.map((child) => {
    const { type, name, body, own, after } = child
    const isItem = type === 'raiBlocklists/raiBlocklistItems'
    const cut = name.indexOf('/')
    const parent = isItem ? symbolOf({ type: 'raiBlocklists', name: name.slice(0, cut) }) : 'account'
    // A parent is waited for as it is.
    const waits = after.map(symbolOf).filter((symbol) => symbol !== parent)
    return [
      ...noteOwn('this one', own).map((note) => `// ${note}`),
      `resource ${symbolOf(child)} '${armProvider}/accounts/${type}@${exportApiVersion}' = {`,
      `  parent: ${parent}`,
      `  name: ${text(isItem ? name.slice(cut + 1) : name)}`,
      ...Object.entries(body).map(([field, value]) => `  ${key(field)}: ${write(value, '  ')}`),
      ...(waits.length > 0 ? ['  dependsOn: [', ...waits.map((symbol) => `    ${symbol}`), '  ]'] : []),
      '}',
    ].join('\n')
  })
  const head = [
    `param accountName string = ${text(resource.name)}`,
    `resource account '${armProvider}/accounts@${exportApiVersion}' existing = {\n  name: accountName\n}`,
  ]
  const notes = [...noteOthers(resource), ...children.flatMap(({ name, own }) => noteOwn(name, own))]
  return { text: `${[...head, ...blocks].join('\n\n')}\n`, notes }
}

/** A symbol for each, of letters, digits and underscores, no two alike. */
function nameSymbols(children: readonly ArmChild[]): ReadonlyMap<string, string> {
  const taken = new Set(['account', 'accountName'])
  return new Map(
    children.map(({ type, name }) => {
      const kind = type.split('/').at(-1)?.replace(/s$/, '').replace('Policie', 'Policy') ?? ''
      const base = `${kind}_${name.replace(/\W+/g, '_')}`
      let symbol = base
      for (let i = 2; taken.has(symbol); i++) symbol = `${base}_${i}`
      taken.add(symbol)
      return [`${type}:${name}`, symbol] as const
    }),
  )
}

function write(value: Json, indent: string): string {
  const inner = `${indent}  `
  if (typeof value === 'string') return text(value)
  // Bicep has whole numbers only.
  if (typeof value === 'number' && !Number.isInteger(value)) return `json('${value}')`
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    return `[\n${value.map((item) => inner + write(item, inner)).join('\n')}\n${indent}]`
  }
  if (!isJsonObject(value)) return String(value)
  const fields = Object.entries(value)
  if (fields.length === 0) return '{}'
  return `{\n${fields.map(([name, item]) => `${inner}${key(name)}: ${write(item, inner)}`).join('\n')}\n${indent}}`
}

function key(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : text(name)
}

function text(value: string): string {
  const escaped = value
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")
    .replaceAll('${', '\\${')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those have no other way to be written.
  return `'${escaped.replace(/[\u0000-\u001f\u007f]/g, (sign) => `\\u{${sign.charCodeAt(0).toString(16)}}`)}'`
}
