import { type DocumentKind, IngestionError, type IngestionLimits } from '../port.ts'
import { type Archive, openArchive } from './archive.ts'
import { decodeText } from './decode-text.ts'
import { extensionOf, kindByName } from './file-names.ts'

/** What a file is, with as much as had to be opened to see it. */
export type Detected =
  | { readonly kind: 'pdf' }
  | { readonly kind: 'docx' | 'pptx' | 'xlsx'; readonly archive: Archive }
  | { readonly kind: Exclude<DocumentKind, 'pdf' | OfficeKind>; readonly text: string }

type OfficeKind = 'docx' | 'pptx' | 'xlsx'

const officeParts: readonly (readonly [OfficeKind, string])[] = [
  ['docx', 'word/document.xml'],
  ['pptx', 'ppt/presentation.xml'],
  ['xlsx', 'xl/workbook.xml'],
]
/** How formats that are not read begin, as Latin-1. */
const strangers: readonly (readonly [string, string])[] = [
  ['\x89PNG', 'a picture'],
  ['\xff\xd8\xff', 'a picture'],
  ['GIF8', 'a picture'],
  ['RIFF', 'sound, a film or a picture'],
  ['ID3', 'sound'],
  ['OggS', 'sound or a film'],
  ['\x1aE\xdf\xa3', 'a film'],
  ['\x1f\x8b', 'an archive'],
  ['7z\xbc\xaf', 'an archive'],
  ['Rar!', 'an archive'],
  ['\x7fELF', 'a program'],
  ['MZ\x90', 'a program'],
  ['SQLite format 3', 'a database'],
  ['{\\rtf', 'a document in RTF'],
]
const supported = 'Supported are txt, md, html, json, csv, code, pdf, docx, pptx and xlsx.'

/** Looks at the content first and at the name where that leaves it open. Throws IngestionError for what cannot be read. */
export function detectKind(
  bytes: Uint8Array,
  filename: string,
  limits: Pick<IngestionLimits, 'unpackedBytes' | 'archiveEntries'>,
): Detected {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024)).toString('latin1')
  if (head.includes('%PDF-')) return { kind: 'pdf' }
  if (head.startsWith('PK\x03\x04')) return detectOffice(bytes, limits)
  // Word, Excel and PowerPoint before 2007 use this, and newer ones for documents with a password.
  if (head.startsWith('\xd0\xcf\x11\xe0')) throw unsupported(oldOffice)
  const stranger = strangers.find(([start]) => head.startsWith(start))
  if (stranger || head.slice(4, 8) === 'ftyp')
    throw unsupported(`This file is ${stranger?.[1] ?? 'a film or sound'}, which has no text to be read. ${supported}`)
  return detectText(bytes, head, filename)
}

const oldOffice =
  'This file is an Office document of the format before 2007, or one with a password. Save it as docx, pptx or xlsx without a password.'

function detectOffice(bytes: Uint8Array, limits: Pick<IngestionLimits, 'unpackedBytes' | 'archiveEntries'>): Detected {
  const archive = openArchive(bytes, limits)
  const found = officeParts.find(([, part]) => archive.has(part))
  if (found) return { kind: found[0], archive }
  throw unsupported(
    `This file is an archive, and no document of Word, PowerPoint or Excel. Upload the files in it. ${supported}`,
  )
}

function detectText(bytes: Uint8Array, head: string, filename: string): Detected {
  const named = kindByName(filename)
  if (named === 'pdf' || named === 'docx' || named === 'pptx' || named === 'xlsx')
    throw new IngestionError(
      'invalid_file',
      `The name of this file ends with ${extensionOf(filename)}, but its content is not ${named}: it is damaged, or has the wrong name.`,
    )
  const text = decodeText(bytes)
  if (text !== undefined) return { kind: named ?? (/^\s*<(!doctype html|html)\b/i.test(head) ? 'html' : 'txt'), text }
  if (named)
    throw new IngestionError(
      'invalid_file',
      'This file is not text: it is damaged, or has the wrong name. Save text as UTF-8.',
    )
  throw unsupported(`This file is not text, and no format that can be read. ${supported}`)
}

function unsupported(message: string): IngestionError {
  return new IngestionError('unsupported_file', message)
}
