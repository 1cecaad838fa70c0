import { getDocumentProxy } from 'unpdf'
import { IngestionError, type IngestionLimits } from '../port.ts'
import type { TextWriter } from './text-writer.ts'

/** The text of a PDF, page by page; nothing is drawn, run or fetched. Throws IngestionError. */
export async function readPdf(
  bytes: Uint8Array,
  writer: TextWriter,
  { pages }: Pick<IngestionLimits, 'pages'>,
): Promise<void> {
  const document = await openPdf(bytes)
  if (document.numPages > pages) {
    throw new IngestionError(
      'invalid_file',
      `This PDF has ${document.numPages} pages; at most ${pages} are read. Split it.`,
    )
  }
  for (let number = 1; number <= document.numPages; number++) {
    const page = await document.getPage(number)
    const { items } = await page.getTextContent()
    writer.part()
    for (const item of items) {
      if (!('str' in item)) continue
      writer.add(item.str)
      if (item.hasEOL) writer.line()
    }
    page.cleanup()
  }
  await document.loadingTask.destroy()
}

async function openPdf(bytes: Uint8Array): ReturnType<typeof getDocumentProxy> {
  try {
    return await getDocumentProxy(bytes, {
      isEvalSupported: false,
      disableFontFace: true,
      useSystemFonts: false,
      useWorkerFetch: false,
      verbosity: 0,
    })
  } catch (error) {
    if ((error as Error).name !== 'PasswordException') throw error
    throw new IngestionError('invalid_file', 'This PDF is protected by a password. Upload it without one.')
  }
}
