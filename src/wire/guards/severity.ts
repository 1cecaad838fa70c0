import { type EngineOptions, numberOption, recordOption } from './option-row.ts'

/** The least score, of 0 to 1, of each level. */
export type Calibration = { readonly low: number; readonly medium: number; readonly high: number }

/** Below 0.2 safe, below 0.5 low, below 0.8 medium, else high. Guessed, not fitted: `ponto filter eval` tells how right it is. */
export const defaultCalibration: Calibration = { low: 0.2, medium: 0.5, high: 0.8 }

/** What an engine without levels and scores calls unsafe is of medium severity. */
export const defaultUnsafeSeverity = 4

/** What is binary and there. */
export const binarySeverity = 7

/** The severity (0, 2, 4 or 6) of a score. */
export function calibrate(score: number, { low, medium, high }: Calibration): number {
  if (score >= high) return 6
  if (score >= medium) return 4
  return score >= low ? 2 : 0
}

export function readCalibration(options: EngineOptions): Calibration {
  return { ...defaultCalibration, ...(recordOption(options, 'calibration') as Partial<Calibration>) }
}

export function readUnsafeSeverity(options: EngineOptions): number {
  return numberOption(options, 'unsafeSeverity') ?? defaultUnsafeSeverity
}
