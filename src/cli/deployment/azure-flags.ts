/**
 * Flags of `az cognitiveservices account deployment`, which scripts and fingers know: taken here too, in words of our own. They are in no
 * help. The account is the resource; the group that it lies in says nothing here.
 */
const renamed: Readonly<Record<string, string>> = {
  '--model-name': '--model',
  '--sku-name': '--sku',
  '--sku-capacity': '--capacity',
  '--scale-type': '--sku',
  '--scale-capacity': '--capacity',
  '--name': '--resource',
  '-n': '--resource',
}
const ignored: readonly string[] = ['--resource-group', '-g']
const nameFlag = '--deployment-name'
/** The older word for what is the SKU `Standard`. */
const scaleTypes: Readonly<Record<string, string>> = { Manual: 'Standard', manual: 'Standard', standard: 'Standard' }

/** The arguments of `ponto deployment COMMAND`, without flags of the vendor's own. What stands behind `--` is left alone. */
export function rewriteAzureFlags(args: readonly string[]): string[] {
  const rewritten: string[] = []
  const names: string[] = []
  const end = args.includes('--') ? args.indexOf('--') : args.length
  for (let index = 0; index < end; index++) {
    const given = args[index] as string
    const cut = given.startsWith('--') ? given.indexOf('=') : -1
    const flag = cut < 0 ? given : given.slice(0, cut)
    const isOurs = flag === nameFlag || Object.hasOwn(renamed, flag) || ignored.includes(flag)
    if (!isOurs) {
      rewritten.push(given)
      continue
    }
    const value = cut < 0 ? args[++index] : given.slice(cut + 1)
    // Without a value commander says that one is missing.
    if (value === undefined || index >= end) rewritten.push(renamed[flag] ?? given)
    else if (flag === nameFlag) names.push(value)
    else if (!ignored.includes(flag)) {
      rewritten.push(renamed[flag] as string, flag === '--scale-type' ? (scaleTypes[value] ?? value) : value)
    }
  }
  return [...rewritten, ...names, ...args.slice(end)]
}
