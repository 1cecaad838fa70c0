import type { Recogniser } from '../../recogniser.ts'

/** Decimal degrees that name a place to eleven metres or better, and degrees, minutes and seconds. */
export const gpsCoordinates: Recogniser = {
  type: 'EUGPSCoordinates',
  needs: 'digit',
  patterns: [
    { source: String.raw`[+-]?\b\d{1,2}\.\d{4,15}°?(?: ?[NS])?(?:, ?| )[+-]?\d{1,3}\.\d{4,15}\b(?:°? ?[EWO]\b)?` },
    {
      source: String.raw`\b\d{1,2}° ?\d{1,2}['′’] ?(?:\d{1,2}(?:\.\d{1,6})?["″”]? ?)?[NS],? ?\d{1,3}° ?\d{1,2}['′’] ?(?:\d{1,2}(?:\.\d{1,6})?["″”]? ?)?[EWO]\b`,
    },
  ],
  isValid(value) {
    const [latitude = 0, longitude = 0] = degreesOf(value)
    return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 && (latitude !== 0 || longitude !== 0)
  },
  edges: 'any',
}

function degreesOf(value: string): number[] {
  const degrees =
    value.includes('′') || /°.*['’]/.test(value) ? value.matchAll(/(\d+)°/g) : value.matchAll(/(\d+\.\d+)/g)
  return [...degrees].map((match) => Number(match[1]))
}
