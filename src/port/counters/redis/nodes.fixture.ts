import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { randomHex } from '../../../core/text/id.ts'
import type { CountersFixture } from '../contract.ts'
import { createRedisCounters, type RedisCounters } from './create-redis-counters.ts'
import { memberLifeMs } from './scripts.ts'
import { heartbeatMs } from './store.ts'

/** The beginning of a window of any usual length. */
export const start = 1_800_000_000_000

export type NodeOptions = {
  /** How far its clock is ahead of the store's. */
  readonly skewMs?: number
  readonly nodeId?: string
  /** Its own way to the store. */
  readonly url?: string
  /** The machine may be slow; in virtual time only a test of waiting asks for less than ever so long. */
  readonly budgetMs?: number
  readonly expectedMembers?: number
}

export type VirtualNodes = Omit<CountersFixture, 'openNode'> & {
  openNode(options?: NodeOptions): Promise<RedisCounters>
  now(): number
  /** Until what every node settled has reached the store. */
  told(): Promise<void>
}

/** Nodes on one store in virtual time: the store is given its time, and upkeep runs whenever time passes. */
export function openVirtualNodes(url: string): VirtualNodes {
  let time = start
  const prefix = randomHex()
  const alive = new Set<RedisCounters>()
  const opened: RedisCounters[] = []
  return {
    now: () => time,
    deathMs: memberLifeMs,
    async openNode(options = {}) {
      const { skewMs = 0 } = options
      const node = createRedisCounters({
        url: options.url ?? url,
        prefix,
        nodeId: options.nodeId ?? `node-${opened.length}`,
        expectedMembers: options.expectedMembers,
        now: () => time + skewMs,
        storeNow: () => time,
        budgetMs: options.budgetMs ?? 20_000,
        repeat: () => ({ stop() {} }),
      })
      alive.add(node)
      opened.push(node)
      await node.read([])
      return node
    },
    async advance(ms) {
      for (let left = ms; left !== 0; ) {
        // In steps in which nobody seems to have fallen silent.
        const step = Math.min(left, heartbeatMs)
        time += step
        left -= step
        await Promise.all([...alive].map((node) => node.tend()))
      }
    },
    async told() {
      await Promise.all([...alive].map((node) => node.told()))
    },
    crash(node) {
      alive.delete(node as RedisCounters)
    },
    async remove() {
      await Promise.all(opened.map((node) => node.close()))
    },
  }
}

/** As the contract has it, where what one node settles is seen by the others at once. Here it takes a moment. */
export function openContractNodes(url: string): CountersFixture {
  const nodes = openVirtualNodes(url)
  const inner = new Map<unknown, RedisCounters>()
  return {
    ...nodes,
    async openNode() {
      const node = await nodes.openNode()
      const outer: RedisCounters = {
        ...node,
        reserve: (demands) => nodes.told().then(() => node.reserve(demands)),
        read: (rules) => nodes.told().then(() => node.read(rules)),
      }
      inner.set(outer, node)
      return outer
    },
    advance: (ms) => nodes.told().then(() => nodes.advance(ms)),
    crash: (node) => nodes.crash(inner.get(node) as RedisCounters),
  }
}

/** Resolves when a condition holds that the outside world brings about. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((done) => setTimeout(done, 5))
}

/** A way to the store that can be cut. */
export async function openWire(url: string): Promise<{ readonly url: string; cut(): void; mend(): Promise<void> }> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
  })
  const listen = (port: number): Promise<void> => new Promise((done) => server.listen(port, '127.0.0.1', done))
  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    url: `redis://127.0.0.1:${port}`,
    cut() {
      server.close()
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    },
    mend: () => listen(port),
  }
}
