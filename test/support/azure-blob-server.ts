import { findProgram, withProgram } from './find-program.ts'
import { type StoreServer, startStoreServer } from './store-server.ts'

/** Azurite's blob service, a stand-in for Azure Blob Storage that keeps everything in memory: `npm install azurite`. */
const program = () => findProgram('PONTO_TEST_AZURITE', 'azurite-blob')

/** Account and key of the one account it has, which everybody knows. */
export const azureAccount = {
  name: 'devstoreaccount1',
  key: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
}

/** Declares tests that need Azure Blob Storage. */
export function withAzureBlobServer(title: string, declare: () => void): void {
  withProgram(title, program(), 'azurite-blob on PATH or in PONTO_TEST_AZURITE', declare)
}

/** It checks signatures. The account stands in the path. */
export function startAzureBlobServer(): Promise<StoreServer> {
  const options = [
    '--blobHost',
    '127.0.0.1',
    '--blobPort',
    '0',
    '--inMemoryPersistence',
    '--disableTelemetry',
    '--silent',
  ]
  return startStoreServer(program(), options, /listens on (http:\S+)/)
}
