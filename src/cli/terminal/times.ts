const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
}

/** `90s`, `30m`, `1h`, `30d`, `2w` in milliseconds; undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,9})([smhdw])$/.exec(text)
  return match ? Number(match[1]) * (unitMs[match[2] as string] as number) : undefined
}

/** A date, which begins at midnight UTC, or a time with its zone, in unix milliseconds; undefined for anything else. */
export function parseTime(text: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.exec(text)
  const day = match && Date.parse(`${match[1]}T00:00:00Z`)
  // Some engines take a 31st of February for a day in March.
  if (!day || new Date(day).toISOString().slice(0, 10) !== match[1]) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : time
}
