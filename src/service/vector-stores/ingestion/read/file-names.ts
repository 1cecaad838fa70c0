import { extname } from 'node:path'
import type { DocumentKind } from '../port.ts'

/** What a file is by its name; content has the last word. */
const kinds = new Map<string, DocumentKind>([
  ...pairs('txt', 'txt text log'),
  ...pairs('md', 'md markdown mdx rst adoc'),
  ...pairs('html', 'html htm xhtml'),
  ...pairs('json', 'json jsonl ndjson geojson'),
  ...pairs('csv', 'csv tsv'),
  ...pairs('pdf', 'pdf'),
  ...pairs('docx', 'docx docm dotx'),
  ...pairs('pptx', 'pptx pptm ppsx potx'),
  ...pairs('xlsx', 'xlsx xlsm xltx'),
  ...pairs(
    'code',
    'c h cc cpp cxx hpp cs css go java js mjs cjs jsx ts mts tsx kt kts scala swift m rs rb php pl lua r jl py ipynb sh bash',
  ),
  ...pairs(
    'code',
    'ps1 bat sql graphql proto tex yaml yml toml ini conf cfg xml xsd svg vue svelte dart ex exs erl hs clj fs vb zig gradle tf',
  ),
])

function pairs(kind: DocumentKind, extensions: string): [string, DocumentKind][] {
  return extensions.split(' ').map((extension) => [`.${extension}`, kind])
}

/** With its point, in small letters; empty where there is none. Cut short, since it is shown. */
export function extensionOf(filename: string): string {
  return extname(filename.replaceAll('\\', '/')).toLowerCase().slice(0, 16)
}

/** Undefined for a name that tells nothing. */
export function kindByName(filename: string): DocumentKind | undefined {
  return kinds.get(extensionOf(filename))
}
