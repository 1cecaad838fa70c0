import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from './cli/program.ts'
import type { UpOptions } from './cli/server/up.ts'

/** The start of every command, and the only reader of the environment. */

const root = join(import.meta.dir, '..')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

// Whoever read the output may have seen enough, as `| head` has: that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await runProgram(
  {
    up: runServer,
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    version,
    probes: {
      database: async (folder, settings) =>
        (await import('./boot/stores/probe.ts')).probeDatabase({ folder, readSecret, ...settings }),
      files: async (folder, settings) =>
        (await import('./boot/stores/probe.ts')).probeFiles({ folder, readSecret, ...settings }),
      counters: async (folder, settings) =>
        (await import('./boot/stores/probe.ts')).probeCounters({ folder, readSecret, ...settings }),
      engine: async () =>
        (await import('./boot/stores/probe.ts')).probeEngine(join(root, 'models'), loaderEnvironment()),
    },
  },
  process.argv.slice(2),
)

/** The model's process is started before the server's own code is loaded, so that the two overlap. */
async function runServer(options: UpOptions): Promise<void> {
  const [{ openBuiltins }, { createLogger }] = await Promise.all([
    import('./engine/builtins.ts'),
    import('./telemetry/logger.ts'),
  ])
  const log = createLogger({ level: options.logLevel, isReadable: process.stderr.isTTY })
  const builtins = openBuiltins(join(root, 'models'), loaderEnvironment(), (level, text) => log[level]({}, text))
  try {
    const { serve } = await import('./boot/serve.ts')
    await serve({
      options,
      version,
      builtins,
      log,
      command: 'npx ponto',
      shellPath: process.env.SHELL,
      proxy: {
        httpsProxy: process.env.HTTPS_PROXY ?? process.env.https_proxy,
        httpProxy: process.env.HTTP_PROXY ?? process.env.http_proxy,
        noProxy: process.env.NO_PROXY ?? process.env.no_proxy,
      },
      otel: Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('OTEL_'))),
      readSecret,
    })
  } finally {
    await builtins.stop()
  }
  // A report to a collector that is away may be on its way for a while yet, and would hold the process.
  process.exit(0)
}

function readSecret(name: string): string | undefined {
  return name.startsWith('PONTO_SECRET_') ? process.env[name] : undefined
}

/** What the dynamic loader and the temporary files of the engine process need; no secrets. */
function loaderEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'LD_LIBRARY_PATH', 'SystemRoot', 'LANG']
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}
