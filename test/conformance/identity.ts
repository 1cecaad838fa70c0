import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerProcess } from '../support/server-process.ts'
import { startTestIssuer, type TestIssuer } from '../support/test-issuer.ts'

/** Who may manage the server, and use it without a key: whoever has its credential, a service principal of its own, and somebody of another issuer. */

const owner = 'conformance-owner'

export type ConformanceIssuer = Pick<TestIssuer, 'stop'> & {
  /** The section of the configuration file that has it trusted. */
  readonly section: string
  /** A token of somebody who owns the server. */
  sign(): Promise<string>
}

export async function startIssuer(): Promise<ConformanceIssuer> {
  const issuer = await startTestIssuer()
  const assignments = [{ principal: owner, role: 'Owner' }]
  return {
    section: `identity: ${JSON.stringify({ issuers: [{ name: 'conformance', issuer: issuer.url, assignments }] })}\n`,
    sign: () => issuer.sign({ sub: owner, aud: 'https://management.azure.com' }),
    stop: issuer.stop,
  }
}

/** What clients of the management API show, as variables of their processes. */
export async function listManagementVariables(
  ponto: ServerProcess,
  issuer: ConformanceIssuer,
): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await ponto.run([
    'identity',
    'create',
    'conformance',
    '--role',
    'Owner',
    // Who owns the server may not ask its models by that alone.
    '--role',
    'Cognitive Services User',
    '--output',
    'json',
  ])
  if (code !== 0) throw new Error(`ponto identity create ended with ${code}:\n${stderr}`)
  const { tenantId, appId, secret } = JSON.parse(stdout)
  return {
    CONFORMANCE_MANAGEMENT_CREDENTIAL: readFileSync(join(ponto.dataFolder, 'management.key'), 'utf8').trim(),
    CONFORMANCE_TENANT_ID: tenantId,
    CONFORMANCE_CLIENT_ID: appId,
    CONFORMANCE_CLIENT_SECRET: secret,
    CONFORMANCE_ISSUER_TOKEN: await issuer.sign(),
  }
}
