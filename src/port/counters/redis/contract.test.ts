import { afterAll, beforeAll } from 'bun:test'
import { type RedisServer, startRedisServer, withRedisServer } from '../../../../test/support/redis-server.ts'
import { describeCountersContract } from '../contract.ts'
import { testCountersProperty } from '../property.ts'
import { openContractNodes, start } from './nodes.fixture.ts'

withRedisServer('counters port: redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedisServer()
  })
  afterAll(() => server?.stop())

  const open = async () => openContractNodes(server.url)
  describeCountersContract('redis', open)
  testCountersProperty('redis', open, start, 150)
})
