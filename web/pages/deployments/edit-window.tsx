import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import type { DeploymentView } from '../../../src/control/api.ts'
import { modelsQuery, refresh } from '../../api/queries.ts'
import { managementPath, request } from '../../api/request.ts'
import { useSpeech } from '../../text/text.tsx'
import { FormActions } from '../../ui/form-actions.tsx'
import { Window } from '../../ui/window.tsx'
import { SharedFields } from './fields.tsx'
import { type DeploymentForm, findModel, toForm, toPatch } from './form.ts'

type Props = { readonly deployment: DeploymentView; readonly onClose: () => void }

/** Changes what is there, unless somebody else has changed it meanwhile. */
export function EditWindow({ deployment, onClose }: Props) {
  const { t } = useSpeech()
  const queries = useQueryClient()
  const { data: models = [] } = useQuery(modelsQuery)
  const [form, setForm] = useState(() => toForm(deployment))
  const [error, setError] = useState<unknown>()
  const [isBusy, setBusy] = useState(false)
  const change = (part: Partial<DeploymentForm>) => setForm((before) => ({ ...before, ...part }))

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      const path = managementPath('deployments', deployment.name)
      await request<DeploymentView>('PATCH', path, toPatch(form), { 'if-match': `"${deployment.etag}"` })
      await refresh(queries, 'deployments', 'quota')
      onClose()
    } catch (failure) {
      setError(failure)
      setBusy(false)
    }
  }
  return (
    <Window title={t('deployments.editOf', { name: deployment.name })} isWide onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <SharedFields form={form} model={findModel(models, form)} change={change} />
        <FormActions action={t('action.save')} error={error} isBusy={isBusy} onClose={onClose} />
      </form>
    </Window>
  )
}
