import type { Complaint } from '../oracle.ts'
import type { RawAnswer } from '../raw-client.ts'

/** What answers say about limits: whether and when to come back, and how much is left. */

const retryNames = ['retry-after', 'retry-after-ms', 'x-ms-retry-after-ms'] as const
/** Told to wait longer, clients come back at once; so they are told not to. */
const longestWaitMs = 60_000

export function judgeLimitHeaders({
  status,
  headers,
  head,
  body,
}: Pick<RawAnswer, 'status' | 'headers' | 'head' | 'body'>): Complaint[] {
  const found: Complaint[] = []
  const text = body.toString('utf8')
  const note = (name: string): void => void found.push({ name, detail: `${head}\n\n${text.slice(0, 1500)}` })
  const times = retryNames.filter((name) => headers[name] !== undefined)
  const isFinal = headers['x-should-retry'] === 'false'
  if (times.length > 0 && status !== 429 && status !== 503) note(`a time to come back with status ${status}`)
  if (times.length > 0 && times.length < retryNames.length) note(`only ${times.join(', ')} of the three retry headers`)
  if (status === 429 && times.length === 0 && !isFinal) note('429 without a time to come back')
  if (times.length === retryNames.length) {
    const [seconds, ms, msAgain] = retryNames.map((name) => headers[name] as string)
    if (!/^[1-9]\d*$/.test(seconds as string) || !/^[1-9]\d*$/.test(ms as string))
      note('a time to come back that is no number')
    if (ms !== msAgain || Math.ceil(Number(ms) / 1000) !== Number(seconds)) note('times to come back that differ')
    if (Number(ms) > longestWaitMs !== isFinal) note('x-should-retry does not fit the time to come back')
  }
  if (status >= 400 && /can never fit/.test(text) && (status !== 400 || times.length > 0 || !isFinal))
    note('what never fits is not told so')
  for (const unit of ['requests', 'tokens']) {
    const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map(
      (what) => headers[`x-ratelimit-${what}-${unit}`],
    )
    const values = [limit, remaining, reset].filter((value) => value !== undefined)
    if (values.length !== 0 && values.length !== 3) note(`not all of x-ratelimit-*-${unit}`)
    if (!values.every((value) => /^\d+$/.test(value))) note(`x-ratelimit-*-${unit} is no whole number`)
    if (values.length === 3 && Number(remaining) > Number(limit)) note(`more ${unit} remaining than the limit`)
  }
  const level = headers['azure-openai-deployment-utilization']
  if (level !== undefined && !/^\d+\.\d%$/.test(level)) note('the utilization is no percentage')
  const spillError = headers['x-ms-spillover-error']
  if (spillError !== undefined && !/^[45]\d\d$/.test(spillError)) note('x-ms-spillover-error is no status')
  if (headers['x-ms-spillover-from-deployment'] !== undefined && status !== 200)
    note('a refusal that is said to have spilled over')
  return found
}
