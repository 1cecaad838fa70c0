import { findProgram, withProgram } from './find-program.ts'
import { type StoreServer, startStoreServer } from './store-server.ts'

/** Moto's server, a stand-in for S3 that keeps everything in memory: `pip install 'moto[server]'`. */
const program = () => findProgram('PONTO_TEST_MOTO', 'moto_server')

/** Declares tests that need S3. */
export function withS3Server(title: string, declare: () => void): void {
  withProgram(title, program(), 'moto_server on PATH or in PONTO_TEST_MOTO', declare)
}

/** It takes every signature, or with `checksAfter` only good ones after so many requests, those by which users are made. */
export function startS3Server(checksAfter?: number): Promise<StoreServer> {
  const env: Record<string, string> =
    checksAfter === undefined ? {} : { INITIAL_NO_AUTH_ACTION_COUNT: `${checksAfter}` }
  return startStoreServer(program(), ['--host', '127.0.0.1', '--port', '0'], /Running on (http:\S+)/, env)
}
