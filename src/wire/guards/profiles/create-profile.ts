import type { EngineOptions } from '../option-row.ts'
import type { ProfileName } from '../profile-kinds.ts'
import { makeGraniteGuardian } from './granite-guardian.ts'
import type { GuardProfile, ProfileMaker } from './guard-profile.ts'
import { makeJudge, makeSafeguard } from './judge.ts'
import { makeLlamaGuard } from './llama-guard.ts'
import { makeNemoGuard } from './nemoguard.ts'
import { makeQwen3Guard } from './qwen3guard.ts'
import { makeShieldGemma } from './shieldgemma.ts'
import { makeWildGuard } from './wildguard.ts'

const makers: Readonly<Record<ProfileName, ProfileMaker>> = {
  'llama-guard-3': makeLlamaGuard('llama-guard-3'),
  'llama-guard-4': makeLlamaGuard('llama-guard-4'),
  qwen3guard: makeQwen3Guard,
  'granite-guardian': makeGraniteGuardian,
  shieldgemma: makeShieldGemma,
  nemoguard: makeNemoGuard,
  wildguard: makeWildGuard,
  'gpt-oss-safeguard': makeSafeguard,
  judge: makeJudge,
}

/** The profile of that name with the operator's options, which were judged before. */
export function createProfile(name: ProfileName, options: EngineOptions): GuardProfile {
  return makers[name](options)
}
