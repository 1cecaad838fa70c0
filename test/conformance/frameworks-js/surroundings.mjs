import { nameClientsIn } from '../javascript/surroundings.mjs'

export * from '../javascript/surroundings.mjs'

/** By the packages of this folder. */
export const nameClient = nameClientsIn(new URL('node_modules/', import.meta.url))
