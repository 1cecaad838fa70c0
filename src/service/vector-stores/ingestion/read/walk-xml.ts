import { Parser } from 'htmlparser2'
import { IngestionError } from '../port.ts'
import { decodeText } from './decode-text.ts'

/** Names are without the prefixes of their namespaces; attributes have theirs: `r:id`. */
export type XmlHandlers = {
  open?(name: string, attributes: Readonly<Record<string, string>>): void
  text?(text: string): void
  close?(name: string): void
}

const deepest = 512

/**
 * Reads a part of an Office document from start to end, without a tree. Document types, which entities are declared in, are refused, so nothing
 * grows and nothing is fetched. Throws IngestionError for them and for elements in more than 512 others.
 */
export function walkXml(bytes: Uint8Array, { open, text, close }: XmlHandlers): void {
  const xml = decodeText(bytes)
  if (xml === undefined) throw new IngestionError('invalid_file', 'This file is damaged: a part of it is not XML.')
  let depth = 0
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (++depth > deepest) throw new IngestionError('invalid_file', 'The parts of this file are nested too deep.')
        open?.(localName(name), attributes)
      },
      ontext: text,
      onclosetag(name) {
        depth--
        close?.(localName(name))
      },
      onprocessinginstruction(name) {
        if (name.toLowerCase() === '!doctype')
          throw new IngestionError('invalid_file', 'This file declares a document type, which no Office document does.')
      },
    },
    { xmlMode: true },
  )
  parser.end(xml)
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}
