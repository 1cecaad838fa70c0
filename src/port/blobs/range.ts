import type { ByteRange } from './port.ts'

/** Throws where the range is none. One that goes beyond the end is cut there. */
export function checkRange({ start, end }: ByteRange): void {
  const isWhole = (value: number) => Number.isSafeInteger(value) && value >= 0
  if (!isWhole(start) || (end !== undefined && !isWhole(end)))
    throw new RangeError('a range of bytes needs whole numbers')
}
