// The engine half of evaluate.py: answers the cases greedily and prints the scores as JSON.
// node-llama-cpp and @huggingface/jinja are looked up from the working directory.
import { readFileSync } from 'node:fs'
import { openEngine } from './engine.mjs'

const [casesPath, modelPath, flag] = process.argv.slice(2)
if (!casesPath || !modelPath) throw new Error('usage: node evaluate.mjs cases.jsonl model.gguf [--failures]')
const cases = readFileSync(casesPath, 'utf8').trim().split('\n').map(line => JSON.parse(line))

const isRight = (answer, { must, exact }) => exact ? must.includes(answer) : must.every(part => answer.includes(part))

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0)
const cosine = (a, b) => dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1)

function bagOfWords(texts) {
  const words = text => text.toLowerCase().match(/[a-z0-9]+/g) ?? []
  const vocabulary = [...new Set(texts.flatMap(words))]
  return text => vocabulary.map(word => words(text).filter(other => other === word).length)
}

/** How often a text is nearer to its paraphrase than to each unrelated text: 1 is perfect, 0.5 is chance; ties count half. */
function nearness(pairs, vectors) {
  let won = 0
  let asked = 0
  pairs.forEach((_, i) => pairs.forEach((__, j) => {
    if (i === j) return
    const own = cosine(vectors[i][0], vectors[i][1])
    const other = cosine(vectors[i][0], vectors[j][1])
    won += own - other > 1e-9 ? 1 : Math.abs(own - other) <= 1e-9 ? 0.5 : 0
    asked++
  }))
  return Number((won / asked).toFixed(3))
}

const engine = await openEngine(modelPath)
const scores = {}
for (const chat of cases.filter(item => item.messages)) {
  const answer = await engine.answer(chat)
  const score = scores[chat.kind] ??= { right: 0, of: 0 }
  score.of++
  if (chat.names && chat.kind === 'beyond') {
    const named = scores['beyond-names-topic'] ??= { right: 0, of: 0 }
    named.of++
    if (answer.includes(chat.names)) named.right++
  }
  if (isRight(answer, chat)) score.right++
  else if (flag === '--failures') console.error(JSON.stringify({ kind: chat.kind, asked: chat.messages.at(-1).content, answer, must: chat.must }))
}
const embed = await engine.embedder()
for (const { kind, pairs } of cases.filter(item => item.pairs)) {
  const vectors = []
  for (const pair of pairs) vectors.push([await embed(pair[0]), await embed(pair[1])])
  const bag = bagOfWords(pairs.flat())
  scores[kind] = { model: nearness(pairs, vectors), bagOfWords: nearness(pairs, pairs.map(pair => pair.map(bag))), pairs: pairs.length }
}
console.log(JSON.stringify(scores, null, 2))
await engine.close()
