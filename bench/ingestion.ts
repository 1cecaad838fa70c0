import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import {
  asFile,
  writeDocx,
  writePdf,
  writePptx,
  writeXlsx,
} from '../src/service/vector-stores/ingestion/documents.fixture.ts'
import { openExtractor } from '../src/service/vector-stores/ingestion/open-extractor.ts'
import { defaultChunking, type SourceFile } from '../src/service/vector-stores/ingestion/port.ts'

/** How many documents of 20 kB of text are read and cut into pieces in a second, and what the processes that do it take. Linux only. */

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '300' },
    processes: { type: 'string', default: '2' },
    help: { type: 'boolean' },
  },
})
if (values.help) {
  console.log('node bin/ponto.mjs --run-script bench/ingestion.ts [--files 300] [--processes 2]')
  process.exit()
}

const textBytes = 20_000
const lines: string[] = []
for (let i = 0, length = 0; length < textBytes; i++) {
  const line = `Order ${i * 7919} was sent to the customer on day ${i % 365}, and came back unopened; nobody knows why.`
  lines.push(line)
  length += line.length + 1
}
const text = lines.join('\n')
const documents: readonly SourceFile[] = [
  asFile('a.txt', text),
  asFile('a.html', `<!doctype html><body>${lines.map((line) => `<p class="x">${line}</p>`).join('\n')}`),
  asFile('a.json', JSON.stringify(lines)),
  asFile('a.docx', writeDocx(lines)),
  asFile('a.pptx', writePptx(lines)),
  asFile('a.xlsx', writeXlsx('Orders', [lines.slice(0, 100), lines.slice(100)])),
  asFile(
    'a.pdf',
    writePdf(
      Array.from({ length: Math.ceil(lines.length / 50) }, (_, page) => lines.slice(page * 50, page * 50 + 50)),
      true,
    ),
  ),
]
const count = Number(values.files)
const { signal } = new AbortController()

console.log('kind   files/s   first, ms   pieces   server busy, ms   process at most, MB')
for (const file of documents) {
  const extractor = openExtractor({ processes: Number(values.processes) })
  const read = () => extractor.extractChunks(file, defaultChunking, signal)
  const cold = performance.now()
  const { chunks } = await read()
  const firstMs = performance.now() - cold
  await Promise.all(Array.from({ length: 20 }, read))
  const cpu = process.cpuUsage()
  const start = performance.now()
  await Promise.all(Array.from({ length: count }, read))
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const columns = [
    file.filename.slice(2).padEnd(4),
    (count / seconds).toFixed(0).padStart(9),
    firstMs.toFixed(0).padStart(11),
    String(chunks.length).padStart(8),
    `${((user + system) / 1000 / count).toFixed(2)} a file`.padStart(17),
    largestReaderMb().toFixed(0).padStart(21),
  ]
  console.log(columns.join(' '))
  await extractor.close()
}

/** Of the processes of this one that are there now: the most that any has taken. */
function largestReaderMb(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  const peaks = children.map((pid) =>
    Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0),
  )
  return Math.max(0, ...peaks) / 1024
}
