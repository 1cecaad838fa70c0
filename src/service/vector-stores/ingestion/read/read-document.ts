import { type Extracted, IngestionError, type IngestionLimits } from '../port.ts'
import { type Detected, detectKind } from './detect-kind.ts'
import { openText, type TextWriter } from './text-writer.ts'

/** The text of a document. What reads a kind is loaded with the first document of it. Throws IngestionError. */
export async function readDocument(bytes: Uint8Array, filename: string, limits: IngestionLimits): Promise<Extracted> {
  const detected = detectKind(bytes, filename, limits)
  const writer = openText(limits.characters)
  try {
    await read(detected, bytes, writer, limits)
  } catch (error) {
    if (error instanceof IngestionError) throw error
    throw new IngestionError(
      'invalid_file',
      `This ${detected.kind} file is damaged and could not be read. Save it again, and upload it anew.`,
      {
        cause: error,
      },
    )
  }
  const { text, breaks } = writer.finish()
  if (text.trim() === '') {
    const hint = detected.kind === 'pdf' ? ' If its pages are pictures, run text recognition (OCR) on it first.' : ''
    throw new IngestionError('invalid_file', `There is no text in this file.${hint}`)
  }
  return { kind: detected.kind, text, breaks }
}

async function read(detected: Detected, bytes: Uint8Array, writer: TextWriter, limits: IngestionLimits): Promise<void> {
  switch (detected.kind) {
    case 'pdf':
      return (await import('./read-pdf.ts')).readPdf(bytes, writer, limits)
    case 'docx':
      return (await import('./read-docx.ts')).readDocx(detected.archive, writer)
    case 'pptx':
      return (await import('./read-pptx.ts')).readPptx(detected.archive, writer)
    case 'xlsx':
      return (await import('./read-xlsx.ts')).readXlsx(detected.archive, writer)
    case 'html':
      return (await import('./read-html.ts')).readHtml(detected.text, writer)
    default:
      return writer.add(detected.text)
  }
}
