import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync, gzipSync } from 'node:zlib'
import { Fault } from '../../core/fault.ts'

/** What `web/build.ts` wrote: names of files below the folder, each stored as `<name>.br`. */
export type Manifest = {
  readonly script: string
  readonly style: string
  /** Scripts that the first one imports. */
  readonly preload: readonly string[]
  readonly files: readonly string[]
}

export type Assets = {
  /** The page, or one of the files below `/portal/assets/`. Throws Fault `not-found`. */
  serve(path: string, headers: Headers): Response
}

const root = '/portal/assets/'
const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}
const encodings = ['br', 'gzip', 'identity'] as const
type Encoding = (typeof encodings)[number]

const common = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** The portal's files, built beforehand and compressed once. They are read when somebody asks for them, and kept. */
export function openAssets(folder: string): Assets {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>()
  let manifest: Manifest | undefined

  function readManifest(): Manifest {
    manifest ??= JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest
    return manifest
  }

  function read(name: string, encoding: Encoding): Uint8Array<ArrayBuffer> {
    const key = `${encoding} ${name}`
    const found = kept.get(key)
    if (found) return found
    const made = new Uint8Array(
      encoding === 'br'
        ? readFileSync(join(folder, `${name}.br`))
        : encoding === 'gzip'
          ? gzipSync(read(name, 'identity'), { level: 9 })
          : brotliDecompressSync(read(name, 'br')),
    )
    kept.set(key, made)
    return made
  }

  return {
    serve(path, headers) {
      if (!path.startsWith(root)) return servePage(readManifest())
      const name = path.slice(root.length)
      const { files } = readManifest()
      if (!files.includes(name)) throw new Fault('not-found', `There is nothing at ${path}.`)
      const encoding = chooseEncoding(headers.get('accept-encoding') ?? '')
      return new Response(read(name, encoding), {
        headers: {
          ...common,
          'content-type': types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
          // The name has a digest of the content in it.
          'cache-control': 'public, max-age=31536000, immutable',
          vary: 'accept-encoding',
          ...(encoding !== 'identity' && { 'content-encoding': encoding }),
        },
      })
    },
  }
}

function chooseEncoding(accepted: string): Encoding {
  const taken = accepted.split(',').map((part) => part.trim().toLowerCase())
  return (
    encodings.find((encoding) => taken.some((one) => one.split(';')[0] === encoding && !/;\s*q=0(\.0*)?$/.test(one))) ??
    'identity'
  )
}

/** One page for all paths: what it shows is its own affair. Styles are made by scripts, which need the nonce for that. */
function servePage({ script, style, preload }: Manifest): Response {
  const nonce = randomBytes(16).toString('base64')
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ')
  const lines = [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<title>Ponto</title>',
    `<link rel="icon" href="${root}icon.svg" type="image/svg+xml">`,
    `<link rel="stylesheet" href="${root}${style}" nonce="${nonce}">`,
    ...preload.map((name) => `<link rel="modulepreload" href="${root}${name}">`),
    `<script type="module" src="${root}${script}"></script>`,
    '</head>',
    '<body><div id="portal"><noscript>The portal needs JavaScript.</noscript></div></body>',
    '</html>',
  ]
  return new Response(lines.join('\n'), {
    headers: {
      ...common,
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      'x-frame-options': 'DENY',
      'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
      'cache-control': 'no-store',
    },
  })
}
