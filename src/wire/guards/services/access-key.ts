/** `ACCESS_KEY_ID:SECRET`, with `:SESSION` of temporary keys. API keys have no colon. */
export const accessKeyPattern = /^([A-Z0-9]{16,128}):([^:\s]+)(?::(\S+))?$/
