import { Button } from '@fluentui/react-components'
import { ArrowSyncRegular, EyeOffRegular, EyeRegular } from '@fluentui/react-icons'
import { useState } from 'react'
import type { KeyView } from '../../../src/control/api.ts'
import { readKeys } from '../../api/queries.ts'
import { managementPath, request } from '../../api/request.ts'
import { NotConfirmed, useSession } from '../../app/session.tsx'
import { useSpeech } from '../../text/text.tsx'
import { Ask } from '../../ui/ask.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { Section } from '../../ui/page.tsx'
import { ErrorNote } from '../../ui/states.tsx'

type KeyName = KeyView['name']
const names: readonly KeyName[] = ['key1', 'key2']

/** The resource's two keys. They are read when somebody wants to see them, and forgotten when they are hidden again. */
export function Keys() {
  const { t } = useSpeech()
  const { withConfirmation } = useSession()
  const [shown, setShown] = useState<Readonly<Partial<Record<KeyName, KeyView>>>>({})
  const [renewing, setRenewing] = useState<KeyName>()
  const [error, setError] = useState<unknown>()

  async function read(name: KeyName): Promise<KeyView> {
    const found = (await withConfirmation(readKeys)).find((key) => key.name === name)
    if (!found) throw new Error(name)
    return found
  }

  async function show(name: KeyName): Promise<void> {
    setError(undefined)
    try {
      const key = await read(name)
      setShown((before) => ({ ...before, [name]: key }))
    } catch (failure) {
      if (!(failure instanceof NotConfirmed)) setError(failure)
    }
  }
  return (
    <Section title={t('keys.ofResource')}>
      {error !== undefined && <ErrorNote error={error} />}
      <dl className="endpoints">
        {names.map((name) => {
          const key = shown[name]
          return (
            <div key={name}>
              <dt>{t(`keys.${name}`)}</dt>
              <dd>
                <span className="mono key-value">{key?.value ?? '•'.repeat(24)}</span>
                <Button
                  appearance="subtle"
                  size="small"
                  icon={key ? <EyeOffRegular /> : <EyeRegular />}
                  aria-label={t(key ? 'keys.hideOf' : 'keys.showOf', { what: t(`keys.${name}`) })}
                  onClick={() => (key ? setShown({ ...shown, [name]: undefined }) : void show(name))}
                />
                <CopyButton label={t(`keys.${name}`)} read={async () => (key ?? (await read(name))).value} />
                <Button
                  appearance="subtle"
                  size="small"
                  icon={<ArrowSyncRegular />}
                  aria-label={t('keys.regenerateOf', { what: t(`keys.${name}`) })}
                  onClick={() => setRenewing(name)}
                />
              </dd>
            </div>
          )
        })}
      </dl>
      {renewing && (
        <Ask
          title={t('keys.regenerateOf', { what: t(`keys.${renewing}`) })}
          action={t('keys.regenerate')}
          onClose={() => setRenewing(undefined)}
          onAct={async () => {
            const path = `${managementPath('keys', renewing)}/regenerate`
            const key = await withConfirmation(() => request<KeyView>('POST', path))
            setShown({ ...shown, [renewing]: key })
          }}
        >
          <p>{t('keys.regenerateWarning', { other: t(`keys.${renewing === 'key1' ? 'key2' : 'key1'}`) })}</p>
        </Ask>
      )}
    </Section>
  )
}
