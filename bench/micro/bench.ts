/** One thing to be timed. `run` does it `times` times, so that the loop and not the call is what is measured. */
export type Bench = {
  readonly name: string
  run(times: number): void | Promise<void>
}

export type Timing = { readonly minNs: number; readonly medianNs: number }

const samples = 15

/** Nanoseconds of one go. The least of the samples is what the code costs, the median what it cost on this machine today. */
export async function time(bench: Bench, sampleMs: number): Promise<Timing> {
  let times = 1
  while ((await elapsedMs(bench, times)) < sampleMs) times *= 2
  const perGoNs: number[] = []
  for (let sample = 0; sample < samples; sample++) perGoNs.push(((await elapsedMs(bench, times)) / times) * 1e6)
  perGoNs.sort((a, b) => a - b)
  return { minNs: perGoNs[0] as number, medianNs: perGoNs[samples >> 1] as number }
}

async function elapsedMs(bench: Bench, times: number): Promise<number> {
  const startMs = performance.now()
  await bench.run(times)
  return performance.now() - startMs
}
