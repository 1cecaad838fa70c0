import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Started, upstreamPath } from './target.ts'

const startLimitMs = 5_000

/** nginx as a plain reverse proxy with one worker, as every other target has one thread. Undefined when it is not installed. */
export async function startNginx(upstreamPort: number): Promise<Started | undefined> {
  const program = Bun.which('nginx', { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` })
  if (!program) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'ponto-bench-nginx-'))
  const port = await findFreePort()
  const configFile = join(folder, 'nginx.conf')
  writeFileSync(configFile, writeConfig(folder, port, upstreamPort))
  const spawnedMs = performance.now()
  const child = spawn(program, ['-e', 'stderr', '-p', folder, '-c', configFile], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = once(child, 'exit')
  while (!(await canConnect(port))) {
    if (child.exitCode !== null) throw new Error(`nginx ended with code ${child.exitCode}`)
    if (performance.now() - spawnedMs > startLimitMs) throw new Error('nginx did not start in time')
    await Bun.sleep(1)
  }
  return {
    targets: [
      {
        name: 'nginx proxy_pass',
        port,
        pid: child.pid,
        path: upstreamPath,
        headers: {},
        model: (workload) => workload,
      },
    ],
    startMs: performance.now() - spawnedMs,
    async stop() {
      child.kill()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function writeConfig(folder: string, port: number, upstreamPort: number): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  client_body_buffer_size 64k;
  ${paths.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  upstream mock {
    server 127.0.0.1:${upstreamPort};
    keepalive 512;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://mock;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`
}

/** nginx cannot listen on a port of the system's choice. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      done(true)
    })
    socket.once('error', () => done(false))
  })
}
