import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Manifest } from '../src/control/portal/assets.ts'

/**
 * `npm run portal`: bundles the portal into web/built, which is kept with the source, so that nobody who runs a server has to install what
 * the portal is made of. Prints how much a browser loads, gzipped.
 */

const root = import.meta.dir
const built = join(root, 'built')

export type BuiltManifest = Manifest & {
  /** Of everything that goes into the files; a test compares it. */
  readonly fingerprint: string
  /** Octets, gzipped, before anything lazy. */
  readonly firstLoadBytes: number
}

/** A digest of the portal's sources and of what they are built with. */
export function fingerprintSources(): string {
  const hash = createHash('sha256').update(Bun.version)
  const { devDependencies } = JSON.parse(readFileSync(join(root, '../package.json'), 'utf8'))
  for (const [name, version] of Object.entries(devDependencies)) {
    if (/react|tanstack|fluentui/.test(name)) hash.update(`${name}@${version}\n`)
  }
  for (const path of listSources(root)) hash.update(`${relative(root, path)}\n`).update(readFileSync(path))
  return hash.digest('hex')
}

function listSources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return path === built ? [] : listSources(path)
      return /\.test\.tsx?$/.test(entry.name) ? [] : [path]
    })
}

async function build(): Promise<BuiltManifest> {
  const { outputs } = await Bun.build({
    entrypoints: [join(root, 'main.tsx')],
    minify: true,
    splitting: true,
    target: 'browser',
    publicPath: '/portal/assets/',
    naming: '[name]-[hash].[ext]',
    define: { 'process.env.NODE_ENV': '"production"' },
  })
  rmSync(built, { recursive: true, force: true })
  mkdirSync(built)
  const files: Record<string, string | Uint8Array> = { 'icon.svg': readFileSync(join(root, 'icon.svg')) }
  for (const output of outputs) files[output.path.replace(/^\.\//, '')] = await output.text()
  for (const [name, content] of Object.entries(files)) writeFileSync(join(built, `${name}.br`), compress(content))

  const names = Object.keys(files)
  const script = outputs.find(({ kind }) => kind === 'entry-point')?.path.replace(/^\.\//, '') as string
  const style = names.find((name) => name.endsWith('.css')) as string
  const preload = listImports(script, files)
  const firstLoadBytes = [script, style, ...preload].reduce(
    (sum, name) => sum + gzipSync(files[name] as string).length,
    0,
  )
  const manifest = { script, style, preload, files: names, fingerprint: fingerprintSources(), firstLoadBytes }
  writeFileSync(join(built, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  return manifest
}

/** What a script imports at once, and what that imports; what it imports later is lazy. */
function listImports(script: string, files: Readonly<Record<string, string | Uint8Array>>): string[] {
  const found = new Set<string>()
  const follow = (name: string): void => {
    for (const [, path] of String(files[name]).matchAll(
      /(?:from|import)\s*"(?:\.\/|\/portal\/assets\/)([^"]+\.js)"/g,
    )) {
      if (path === undefined || path === script || found.has(path)) continue
      found.add(path)
      follow(path)
    }
  }
  follow(script)
  return [...found]
}

function compress(content: string | Uint8Array): Uint8Array {
  return brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } })
}

if (import.meta.main) {
  const { firstLoadBytes, files } = await build()
  process.stdout.write(
    `${files.length} files; a browser loads ${Math.round(firstLoadBytes / 1000)} kB first, gzipped\n`,
  )
}
