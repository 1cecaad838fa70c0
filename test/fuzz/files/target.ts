import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { json, startFakeUpstream } from '../../support/fake-upstream.ts'
import { makeTempFolder, removeFolder, startServer } from '../../support/server-process.ts'

/** A server of its own with a deployment that answers lines, and two keys that see nothing of each other. */
export type FilesTarget = {
  readonly port: number
  readonly key: string
  /** Of somebody else. */
  readonly otherKey: string
  errors(): string
  isAlive(): boolean
  ask(key: string, method: string, path: string, init?: RequestInit): Promise<Response>
  stop(): Promise<void>
}

export async function startFilesTarget(): Promise<FilesTarget> {
  const upstream = await startFakeUpstream()
  const choice = { index: 0, message: { role: 'assistant', content: 'answer' }, finish_reason: 'stop' }
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
  upstream.respond(() => {
    upstream.requests.length = 0
    return json({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [choice], usage })
  })
  const folder = makeTempFolder()
  const config = join(folder, 'ponto.yaml')
  const backends = [{ url: `${upstream.url}/v1` }]
  const deployment = { name: 'work', model: { name: 'm' }, raiPolicyName: 'Microsoft.Nil', backends }
  writeFileSync(config, JSON.stringify({ deployments: [deployment] }))
  const server = await startServer({
    dataFolder: join(folder, 'data'),
    args: ['--config', config, '--log-level', 'info'],
  })
  const made = await server.run(['key', 'create', 'other', '--output', 'json'])
  const { secret } = JSON.parse(made.stdout) as { secret: string }
  let isAlive = true
  return {
    port: Number(new URL(server.httpUrl).port),
    key: server.key,
    otherKey: secret,
    errors: server.errors,
    isAlive: () => isAlive && isRunning(server.pid),
    ask: (key, method, path, init = {}) =>
      fetch(`${server.httpUrl}${path}`, { ...init, method, headers: { 'api-key': key, ...init.headers } }),
    async stop() {
      isAlive = false
      await server.stop('SIGKILL')
      await upstream.stop()
      removeFolder(folder)
    },
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
