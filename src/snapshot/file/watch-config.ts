import { type FSWatcher, type Stats, statSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as setTimeoutAsync } from 'node:timers/promises'
import { type Config, type ConfigFailure, type ConfigLoad, loadConfig } from './load-config.ts'
import type { ConfigOptions } from './parse-config.ts'

export type ConfigWatch = { close(): void }

export type ConfigWatchHandlers = {
  /** The file is valid and may have changed. What this throws is told to `onError`. */
  readonly onChange: (config: Config) => void
  /** The file is gone, unreadable or invalid: what was valid last stays in force. */
  readonly onError: (failure: ConfigFailure) => void
}

/** Milliseconds. A save is often several events: truncate, write, rename. */
const settleMs = 75
/** Milliseconds. What the system does not report (network file systems, a link's target elsewhere) is noticed by looking. */
const pollMs = 2_000

/**
 * Reads the file, calls a handler, and does so again whenever the file changes; resolves after the first time. The folder is watched,
 * not the file: editors replace a file by renaming another over it, and Kubernetes swaps a link beside it.
 */
export async function watchConfig(
  file: string,
  options: ConfigOptions,
  handlers: ConfigWatchHandlers,
): Promise<ConfigWatch> {
  const folder = dirname(file)
  let seen: string | undefined
  let watcher: FSWatcher | undefined
  let watchedFolder: string | undefined
  let timer: NodeJS.Timeout | undefined
  let isChecking = false
  let isClosed = false

  // Timed from the first event, not the last: a folder in which something is always written must not hold a change back.
  function schedule(): void {
    if (!isClosed) timer ??= setTimeout(check, settleMs)
  }

  async function check(): Promise<void> {
    timer = undefined
    if (isChecking) return
    isChecking = true
    for (let current = fingerprint(file); current !== seen; current = fingerprint(file)) {
      const load = await loadConfig(file, options)
      if (isClosed) return
      if (fingerprint(file) === current) {
        seen = current
        deliver(load)
      } else {
        // Written to while it was read: what was read may be half of it.
        await setTimeoutAsync(settleMs)
      }
    }
    isChecking = false
  }

  function deliver(load: ConfigLoad): void {
    if ('failure' in load) {
      handlers.onError(load.failure)
      return
    }
    try {
      handlers.onChange(load.config)
    } catch (error) {
      handlers.onError({ file, problems: [{ text: error instanceof Error ? error.message : String(error) }] })
    }
  }

  function watchFolder(): void {
    const current = fingerprintFolder(folder)
    if (current === watchedFolder) return
    watcher?.close()
    watcher = undefined
    watchedFolder = current
    if (current === undefined) return
    try {
      watcher = watch(folder, schedule)
      watcher.on('error', () => {
        watchedFolder = undefined
      })
    } catch {
      // Out of inotify watches, or the folder went away again: polling goes on.
      watchedFolder = undefined
    }
  }

  watchFolder()
  await check()
  const poll = setInterval(() => {
    watchFolder()
    if (fingerprint(file) !== seen) schedule()
  }, pollMs)
  poll.unref()

  return {
    close() {
      isClosed = true
      clearTimeout(timer)
      clearInterval(poll)
      watcher?.close()
    },
  }
}

/** Changes whenever the content can have changed; links are followed. Empty when there is no such file. */
function fingerprint(file: string): string {
  const stat = statOrNothing(file)
  return stat ? `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}` : ''
}

function fingerprintFolder(folder: string): string | undefined {
  const stat = statOrNothing(folder)
  return stat && `${stat.dev}:${stat.ino}`
}

function statOrNothing(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
