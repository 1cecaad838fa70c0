/**
 * One JSON line per check, for the runner: the client is the outermost suite. Node reports one file after the other.
 */
// biome-ignore lint/style/noDefaultExport: node takes a reporter as the default export of its module
export default async function* reportChecks(events) {
  let client
  for await (const { type, data } of events) {
    if (type === 'test:start' && data.nesting === 0) client = data.name
    if (type === 'test:stderr' || type === 'test:stdout') yield `${data.message.trimEnd()}\n`
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details?.type === 'suite') continue
    const outcome = type === 'test:fail' ? 'failed' : data.skip === undefined ? 'passed' : 'skipped'
    const detail = outcome === 'failed' ? describeError(data.details.error) : data.skip
    yield `${JSON.stringify({ client, name: data.name, outcome, detail })}\n`
  }
}

function describeError(error) {
  const cause = error.cause ?? error
  return String(cause.stack ?? cause.message ?? cause)
}
