/** How much of the beginning tells what the bytes are. */
const sampleBytes = 65_536

/**
 * What the bytes of a text say: UTF-8 and UTF-16, with their mark or without, and else Windows-1252, which Latin-1 is part of. Undefined
 * where they are no text.
 */
export function decodeText(bytes: Uint8Array): string | undefined {
  const sample = bytes.subarray(0, sampleBytes)
  const wide = findWideEncoding(sample)
  if (wide) return new TextDecoder(wide).decode(bytes)
  if (!looksLikeText(sample)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const guess = new TextDecoder('utf-8').decode(bytes)
    return isMostlyRight(guess) ? guess : new TextDecoder('windows-1252').decode(bytes)
  }
}

function findWideEncoding(sample: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (sample[0] === 0xff && sample[1] === 0xfe) return 'utf-16le'
  if (sample[0] === 0xfe && sample[1] === 0xff) return 'utf-16be'
  // Without a mark it shows by the zeros of what is written in Latin letters.
  const zeros = [0, 0]
  for (let i = 0; i < sample.length; i++) if (sample[i] === 0) zeros[i & 1] = (zeros[i & 1] as number) + 1
  const [even = 0, odd = 0] = zeros
  const many = sample.length / 5
  if (odd > many && even < odd / 20) return 'utf-16le'
  if (even > many && odd < even / 20) return 'utf-16be'
  return undefined
}

/** Hardly a control. */
function looksLikeText(sample: Uint8Array): boolean {
  let controls = 0
  for (const byte of sample) {
    if (byte < 0x20 && (byte < 0x08 || byte > 0x0d) && byte !== 0x1b) controls++
  }
  return controls <= sample.length / 100
}

/** One broken character does not make another encoding of a text with many sound ones. */
function isMostlyRight(text: string): boolean {
  const broken = text.match(/\ufffd/g)?.length ?? 0
  const wide = text.match(/[\u0080-\u{10ffff}]/gu)?.length ?? 0
  return broken * 10 <= wide
}
