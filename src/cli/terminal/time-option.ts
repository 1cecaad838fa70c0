import { InvalidArgumentError, Option } from 'commander'
import { parseDurationMs, parseTime } from './times.ts'

/** A flag for a point in time, as the server wants it: in ISO 8601. A person may say how long ago. */
export function makeTime(flags: string, text: string): Option {
  return new Option(flags, text).argParser((value: string) => {
    const agoMs = parseDurationMs(value)
    const timeMs = agoMs === undefined ? parseTime(value) : Date.now() - agoMs
    if (timeMs === undefined)
      throw new InvalidArgumentError(
        'It must be a date (2026-11-01), a time with its zone, or how long ago: 90m, 24h, 7d.',
      )
    return new Date(timeMs).toISOString()
  })
}
