import { createServer } from 'node:net'
import { listTrustVariables, type Variable } from '../../boot/client-environment.ts'
import type { DataFolder, ServerRecord } from '../../boot/folder/data-folder.ts'
import { errorCode, readFileIfThere } from '../../boot/folder/private-file.ts'
import type { Check, Environment } from '../context.ts'

/** Whether the server could listen where it would. Only asked when it does not run: then the ports are its own. */
export async function checkPorts(host: string, ports: readonly { flag: string; port: number }[]): Promise<Check[]> {
  return Promise.all(ports.map(({ flag, port }) => checkPort(host, port, flag)))
}

async function checkPort(host: string, port: number, flag: string): Promise<Check> {
  const name = `port ${port}`
  const code = await tryListen(host, port)
  switch (code) {
    case undefined:
      return { name, level: 'ok', detail: `free on ${host}` }
    case 'EADDRINUSE':
      return {
        name,
        level: 'fail',
        detail: `another program listens on ${host}`,
        fix: `Stop it, or choose another port: ${flag} N`,
      }
    case 'EACCES':
      return {
        name,
        level: 'fail',
        detail: 'this user may not listen there',
        fix: `Choose a port above 1023: ${flag} N`,
      }
    case 'EADDRNOTAVAIL':
      return {
        name,
        level: 'fail',
        detail: `this machine has no address ${host}`,
        fix: 'Choose another with --host ADDRESS',
      }
    default:
      return {
        name,
        level: 'fail',
        detail: `cannot be opened on ${host} (${code})`,
        fix: `Choose another port: ${flag} N`,
      }
  }
}

function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((settle) => {
    const server = createServer()
    server.once('error', (error) => settle(errorCode(error) ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => settle(undefined)))
  })
}

/** Whether clients started from this shell would trust the server. */
export function checkTrustVariables(folder: DataFolder, record: ServerRecord | undefined, env: Environment): Check[] {
  if (record?.trust.kind === 'pinned') return []
  const authority = readFileIfThere(folder.caFile)?.trim()
  if (authority === undefined) return []
  const wanted = listTrustVariables(folder)
  const unset = wanted.filter(([name]) => !env[name]).map(([name]) => name)
  const fix = 'eval "$(ponto env)"'
  const checks = wanted.flatMap((variable) => checkVariable(variable, env[variable[0]], authority, fix))
  if (unset.length > 0) {
    checks.push({ name: 'trust', level: 'warn', detail: `not set in this shell: ${unset.join(', ')}`, fix })
  }
  return checks.length > 0
    ? checks
    : [{ name: 'trust', level: 'ok', detail: 'the variables of this shell point at the authority' }]
}

function checkVariable(
  [name, expected]: Variable,
  actual: string | undefined,
  authority: string,
  fix: string,
): Check[] {
  if (!actual || actual.includes(expected)) return []
  if (name === 'JAVA_TOOL_OPTIONS') {
    return [{ name: 'trust', level: 'warn', detail: `${name} does not name the trust store of this data folder`, fix }]
  }
  const text = readFileIfThere(actual)
  if (text === undefined)
    return [{ name: 'trust', level: 'fail', detail: `${name} names ${actual}, which does not exist`, fix }]
  if (text.includes(authority)) return []
  return [
    {
      name: 'trust',
      level: 'warn',
      detail: `${name} names ${actual}, which lacks the authority of this data folder`,
      fix,
    },
  ]
}
