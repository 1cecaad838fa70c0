import { hasEntropy } from '../../entropy.ts'
import type { Recogniser } from '../../recogniser.ts'

/** Keys that say by their first letters whose they are. */

export const awsAccessKey: Recogniser = {
  type: 'AWSAccessKey',
  needs: 'token',
  patterns: [
    { source: String.raw`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b` },
    {
      source: String.raw`\baws_?secret_?(?:access_?)?key["']?\s{0,3}[:=]\s{0,3}["']?[A-Za-z0-9/+]{40}`,
      ignoreCase: true,
    },
  ],
  lead: (match) => (match.length > 40 ? match.length - 40 : 0),
  isChecked: true,
  edges: 'any',
}

export const gitHubToken: Recogniser = {
  type: 'GitHubToken',
  needs: 'token',
  patterns: [
    { source: String.raw`\bgh[pousr]_[A-Za-z0-9]{36,}\b` },
    { source: String.raw`\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b` },
  ],
  isChecked: true,
  edges: 'any',
}

export const gitLabToken: Recogniser = {
  type: 'GitLabToken',
  needs: 'token',
  patterns: [
    { source: String.raw`\bgl(?:pat|dt|rt|cbt|ptt|ft|oas|soat|agent)-[A-Za-z0-9_-]{20,64}(?:\.[0-9a-z.]{2,20})?` },
  ],
  isChecked: true,
  edges: 'any',
}

export const slackToken: Recogniser = {
  type: 'SlackToken',
  needs: 'token',
  patterns: [
    { source: String.raw`\bxox[abeoprs]-[A-Za-z0-9-]{12,}` },
    { source: String.raw`\bxapp-\d-[A-Z0-9]{8,16}-\d{8,20}-[a-f0-9]{32,}\b` },
    { source: String.raw`\bhttps://hooks\.slack\.com/services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,30}\b` },
  ],
  isValid: (value) => /\d/.test(value),
  isChecked: true,
  edges: 'any',
}

export const stripeKey: Recogniser = {
  type: 'StripeKey',
  needs: 'token',
  patterns: [
    { source: String.raw`\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}\b` },
    { source: String.raw`\bwhsec_[A-Za-z0-9]{24,}\b` },
  ],
  isValid: (value) => hasEntropy(value.slice(8)),
  isChecked: true,
  edges: 'any',
}

export const openAiKey: Recogniser = {
  type: 'OpenAIKey',
  needs: 'token',
  patterns: [{ source: String.raw`\bsk-(?:(?:proj|svcacct|admin|ant|or|lf)-)?[A-Za-z0-9_-]{20,}` }],
  isValid: (value) => hasEntropy(value.slice(3)),
  isChecked: true,
  edges: 'any',
}

export const googleApiKey: Recogniser = {
  type: 'GoogleApiKey',
  needs: 'token',
  patterns: [
    { source: String.raw`\bAIza[A-Za-z0-9_-]{35}` },
    { source: String.raw`\bGOCSPX-[A-Za-z0-9_-]{28}` },
    { source: String.raw`\bya29\.[A-Za-z0-9_-]{30,}` },
  ],
  isChecked: true,
  edges: 'any',
}
