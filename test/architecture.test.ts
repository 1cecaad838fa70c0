import { expect, test } from 'bun:test'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/** The house rules that a machine can hold: who may import whom, where vendors are named, who reads the environment, sizes. */

const root = resolve(import.meta.dir, '..')
const src = join(root, 'src')

const layers: Record<string, number> = {
  core: 0,
  wire: 1,
  port: 1,
  telemetry: 1,
  policy: 2,
  route: 2,
  backend: 2,
  engine: 2,
  snapshot: 3,
  gateway: 4,
  service: 4,
  control: 4,
  boot: 5,
  cli: 5,
  'main.ts': 6,
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : listFiles(path)
    return /\.(ts|tsx|mjs)$/.test(entry.name) ? [path] : []
  })
}

const files = listFiles(src)
const isTest = (path: string) => /\.(test|fixture)\.ts$/.test(path) || path.endsWith('contract.ts')
const areaOf = (path: string) => relative(src, path).split('/')[0] as string

function importsOf(path: string): { target: string; isType: boolean }[] {
  const text = readFileSync(path, 'utf8')
  const found = text.matchAll(/^\s*(?:import|export)\s+(type\s)?[^'"]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/gm)
  return [...found].map((match) => ({
    target: resolve(dirname(path), (match[2] ?? match[3]) as string),
    isType: match[1] !== undefined,
  }))
}

test('every area has a layer', () => {
  for (const path of files) expect(layers, relative(root, path)).toHaveProperty([areaOf(path)])
})

test('imports go down the layers only', () => {
  const broken = files
    .filter((file) => !isTest(file))
    .flatMap((path) =>
      importsOf(path)
        .filter(({ target, isType }) => target.startsWith(src) && !mayImport(areaOf(path), target, isType))
        .map(({ target }) => `${relative(root, path)} imports ${relative(root, target)}`),
    )
  expect(broken).toEqual([])
})

/**
 * Composition (main, boot) may take adapters; everybody else sees of a port only its interface. The CLI talks to control over HTTP;
 * what a backend may speak it reads from the presets, which are data.
 */
function mayImport(from: string, target: string, isType: boolean): boolean {
  const to = areaOf(target)
  if (from === to) return true
  if (from === 'boot' && to === 'cli') return isType
  if (from === 'cli') return isType || to === 'boot' || to === 'core' || target.endsWith('/backend/presets.ts')
  const isLower = (layers[to] as number) < (layers[from] as number)
  return isLower && (to !== 'port' || from === 'boot' || target.endsWith('/port.ts'))
}

test('the portal takes nothing of the server but types of its management', () => {
  const web = join(root, 'web')
  const management = /^control\/(api|portal\/api|portal\/assets)\.ts$/
  const broken = listFiles(web).flatMap((path) =>
    importsOf(path)
      .filter(({ target }) => !target.startsWith(web))
      .filter(({ target, isType }) => !isType || !management.test(relative(src, target)))
      .map(({ target }) => `${relative(root, path)} imports ${relative(root, target)}`),
  )
  expect(broken).toEqual([])
})

test('the environment is read in main only', () => {
  const readers = files.filter((path) => !isTest(path) && /\b(process|Bun)\.env\b/.test(readFileSync(path, 'utf8')))
  expect(readers.map((path) => relative(src, path))).toEqual(['main.ts'])
})

test('vendors are named where their protocols live', () => {
  const vendor = /anthropic|gemini|bedrock|cohere/i
  const allowed = /^(wire\/|backend\/presets\.ts|backend\/credential\/|snapshot\/catalog\/shipped\/)/
  const naming = files.filter((path) => {
    const name = relative(src, path)
    return !isTest(path) && !allowed.test(name) && vendor.test(stripComments(readFileSync(path, 'utf8')))
  })
  expect(naming.map((path) => relative(src, path))).toEqual([])
})

test('Bun is named at the rim only', () => {
  const rim = /^(gateway\/server|backend\/transport\/|port\/|engine\/|main|boot\/)/
  const users = files.filter((path) => {
    const name = relative(src, path)
    const text = stripComments(readFileSync(path, 'utf8'))
    return !isTest(path) && !rim.test(name) && (/\bBun\./.test(text) || /from 'bun:/.test(text))
  })
  expect(users.map((path) => relative(src, path))).toEqual([])
})

test('files stay small and folders short', () => {
  const tracked = [...files, ...listFiles(join(root, 'test')), ...listFiles(join(root, 'web'))]
  const long = tracked.filter((path) => readFileSync(path, 'utf8').split('\n').length > 501)
  expect(long.map((path) => relative(root, path))).toEqual([])
  const folders = new Set(files.map((path) => dirname(path)))
  const wide = [...folders].filter((folder) => {
    const entries = readdirSync(folder).filter((name) => !isTest(name) || statSync(join(folder, name)).isDirectory())
    return entries.length > 15
  })
  expect(wide.map((folder) => relative(root, folder))).toEqual([])
})

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}
