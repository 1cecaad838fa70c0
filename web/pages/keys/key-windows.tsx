import { Field, Input } from '@fluentui/react-components'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { NamedKeyView } from '../../../src/control/api.ts'
import { refresh } from '../../api/queries.ts'
import { managementPath, request } from '../../api/request.ts'
import { useSession } from '../../app/session.tsx'
import { useSpeech } from '../../text/text.tsx'
import { Ask } from '../../ui/ask.tsx'

type Props = { readonly target: NamedKeyView; readonly onClose: () => void }

const hourS = 3_600

type RotateProps = Props & { readonly onSecret: (name: string, secret: string) => void }

export function RotateKeyWindow({ target: { name }, onSecret, onClose }: RotateProps) {
  const { t } = useSpeech()
  const { withConfirmation } = useSession()
  const queries = useQueryClient()
  const [hours, setHours] = useState('24')
  const [made, setMade] = useState<NamedKeyView>()
  return (
    <Ask
      title={t('keys.rotateOf', { name })}
      action={t('keys.rotate')}
      onClose={() => (made ? onSecret(name, made.secret ?? '') : onClose())}
      onAct={async () => {
        const body = { overlapSeconds: Math.round(Number(hours) * hourS) }
        const path = `${managementPath('named-keys', name)}/rotate`
        const key = await withConfirmation(() => request<NamedKeyView>('POST', path, body))
        setMade(key)
        await refresh(queries, 'named-keys')
        onSecret(name, key.secret ?? '')
      }}
    >
      <p>{t('keys.rotateEffect')}</p>
      <Field label={t('keys.overlap')} hint={t('keys.overlapHint')}>
        <Input type="number" min={0} value={hours} onChange={(_event, { value }) => setHours(value)} />
      </Field>
    </Ask>
  )
}

export function RevokeKeyWindow({ target: { name }, onClose }: Props) {
  const { t } = useSpeech()
  const queries = useQueryClient()
  return (
    <Ask
      title={t('keys.revokeOf', { name })}
      action={t('keys.revoke')}
      onClose={onClose}
      onAct={async () => {
        await request('POST', `${managementPath('named-keys', name)}/revoke`)
        await refresh(queries, 'named-keys')
      }}
    >
      <p>{t('keys.revokeEffect')}</p>
    </Ask>
  )
}

export function DeleteKeyWindow({ target: { name, etag }, onClose }: Props) {
  const { t } = useSpeech()
  const queries = useQueryClient()
  return (
    <Ask
      title={t('keys.deleteOf', { name })}
      action={t('action.delete')}
      onClose={onClose}
      onAct={async () => {
        await request('DELETE', managementPath('named-keys', name), undefined, { 'if-match': `"${etag}"` })
        await refresh(queries, 'named-keys')
      }}
    >
      <p>{t('keys.deleteEffect')}</p>
    </Ask>
  )
}
