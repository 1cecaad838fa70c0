/** 53 bits of a key, as a whole number other than 0. Two keys of one server share it with a chance of about one in 10^9 at 4,000 keys. */
export function hashKey(key: string): number {
  let low = 0x811c9dc5
  let high = 0x9e3779b9
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ code, 0x85ebca6b) ^ (high >>> 13)
  }
  low ^= low >>> 16
  high ^= high >>> 15
  return (low >>> 0) * 0x20_0000 + ((high >>> 0) & 0x1f_ffff) || 1
}
