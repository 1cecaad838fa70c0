/** `/health/live` says that the process answers; `/health/ready` that it can serve what is deployed, and if not why. No key needed. */
export function respondHealth(path: string, whyNotReady: () => string | undefined): Response {
  if (path === '/health/live') return Response.json({ status: 'live' })
  if (path !== '/health/ready')
    return Response.json({ error: { code: '404', message: 'Resource not found' } }, { status: 404 })
  const reason = whyNotReady()
  return reason === undefined
    ? Response.json({ status: 'ready' })
    : Response.json({ status: 'not ready', reason }, { status: 503 })
}
