/** Upper ends of buckets. Those of durations and tokens are what the GenAI conventions of OpenTelemetry advise. */
export const buckets = {
  seconds: [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
  firstToken: [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  betweenTokens: [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5],
  tokens: [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864],
  msPerToken: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300],
  tokensPerSecond: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000],
} as const satisfies Record<string, readonly number[]>
