import { Parser } from 'htmlparser2'
import { IngestionError } from '../port.ts'
import type { TextWriter } from './text-writer.ts'

const unread = new Set(['script', 'style', 'template', 'svg', 'math', 'iframe', 'object', 'noscript', 'canvas'])
const paragraphs = new Set(
  'p h1 h2 h3 h4 h5 h6 ul ol dl table pre blockquote section article main aside header footer nav figure form fieldset title hr'.split(
    ' ',
  ),
)
const lines = new Set('div li dt dd tr br option figcaption caption address summary details legend label'.split(' '))
/** Of elements in each other; a page that forgets to end its elements has many. */
const deepest = 4_000

/** The text of a page as a reader sees it. Throws IngestionError for elements in more than 4,000 others. */
export function readHtml(html: string, writer: TextWriter): void {
  let skipping = 0
  let preformatted = 0
  let depth = 0
  const isBreaking = (name: string): void => {
    if (/^h[1-2]$/.test(name)) writer.part()
    else if (paragraphs.has(name)) writer.paragraph()
    else if (lines.has(name)) writer.line()
  }
  const parser = new Parser({
    onopentag(name, attributes) {
      if (++depth > deepest)
        throw new IngestionError('invalid_file', 'The elements of this page are nested too deep to be read.')
      if (unread.has(name)) skipping++
      if (skipping > 0) return
      isBreaking(name)
      if (name === 'pre') preformatted++
      else if (name === 'li') writer.add('- ')
      else if (name === 'img' && attributes.alt) writer.flow(` ${attributes.alt} `)
    },
    ontext(text) {
      if (skipping > 0) return
      if (preformatted > 0) writer.add(text)
      else writer.flow(text)
    },
    onclosetag(name) {
      depth--
      if (unread.has(name)) skipping--
      if (skipping > 0) return
      if (name === 'pre') preformatted--
      if (name === 'td' || name === 'th') writer.cell()
      else if (/^h[1-6]$/.test(name)) writer.paragraph()
      else isBreaking(name)
    },
  })
  parser.end(html)
}
