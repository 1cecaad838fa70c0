/** Where the tokens of a text end, as places in it (UTF-16 units), one for each token, ascending. */
export type LocateTokens = (text: string, maxTokens: number) => Uint32Array | undefined

/** Units that are looked at together; the vocabulary knows no token that is longer. */
const blockUnits = 1024
/** Of a block without a blank: what takes the vocabulary's pairs together needs time that grows with the square of a word's length. */
const wordUnits = 256

/**
 * Loads the vocabulary cl100k_base, which takes a tenth of a second and 60 MB; meant for processes and threads beside the server's own.
 * The function that it resolves to gives undefined where a text, which must be free of lone surrogates, has more than `maxTokens`. A token
 * that ends within a character ends before it. Names of special tokens are text like any other.
 */
export async function openCl100k(): Promise<LocateTokens> {
  const [{ encode }, { default: vocabulary }] = await Promise.all([
    import('gpt-tokenizer/encoding/cl100k_base'),
    import('gpt-tokenizer/bpeRanks/cl100k_base'),
  ])
  const asText = { disallowedSpecial: new Set<string>() }
  return (text, maxTokens) => {
    let ends = new Uint32Array(Math.min(maxTokens, Math.ceil(text.length / 3) + 16))
    let count = 0
    for (let start = 0; start < text.length; ) {
      const blockEnd = findBlockEnd(text, start)
      let place = start
      /** Of a character under way: bytes that it still lacks, and the units it will be. */
      let lacking = 0
      let units = 1
      for (const id of encode(text.slice(start, blockEnd), asText)) {
        const token = vocabulary[id]
        if (typeof token === 'string') place += token.length
        else {
          for (const byte of token ?? []) {
            if (lacking > 0) lacking--
            else {
              lacking = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0
              units = lacking === 3 ? 2 : 1
            }
            if (lacking === 0) place += units
          }
        }
        if (count === maxTokens) return undefined
        if (count === ends.length) ends = grow(ends, maxTokens)
        ends[count++] = place
      }
      start = blockEnd
    }
    return ends.subarray(0, count)
  }
}

function grow(ends: Uint32Array, maxTokens: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.min(maxTokens, ends.length * 2))
  larger.set(ends)
  return larger
}

/** Before a blank where there is one, since the vocabulary has blanks at the beginning of words. */
function findBlockEnd(text: string, start: number): number {
  const end = start + blockUnits
  if (end >= text.length && text.length - start <= wordUnits) return text.length
  for (let place = Math.min(end, text.length - 1); place > start + wordUnits; place--) {
    if (isBlank(text.charCodeAt(place)) && !isBlank(text.charCodeAt(place - 1))) return place
  }
  const cut = Math.min(start + wordUnits, text.length)
  const unit = text.charCodeAt(cut - 1)
  return unit >= 0xd800 && unit < 0xdc00 && cut < text.length ? cut + 1 : cut
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a
}
