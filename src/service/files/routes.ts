import { openaiAction } from '../../core/access/data-actions.ts'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ServiceAnswer, ServiceRequest, ServiceRoute } from '../../core/service-route.ts'
import { readPage, refuseParameter, writePage } from '../read-page.ts'
import { ownerOf } from '../stored-completions/owner.ts'
import { createFile, type FileWorld } from './create-file.ts'
import { readListPurpose } from './fields.ts'
import { canBeFileId } from './ids.ts'
import { writeFile, writePart, writeUpload } from './item.ts'
import { refuseUnknownFile } from './store.ts'
import { createUploads } from './uploads.ts'

type Surface = { readonly name: 'dated' | 'v1'; readonly base: string; readonly apiVersion: ServiceRoute['apiVersion'] }

const surfaces: readonly Surface[] = [
  { name: 'dated', base: '/openai', apiVersion: 'required' },
  { name: 'v1', base: '/openai/v1', apiVersion: 'optional' },
]

/** The fields of a form beside the file, and what stands between them. */
const formRoom = 1024 * 1024
const pageSizes = { most: 10_000, usual: 10_000 }

/**
 * Files and uploads, as Azure OpenAI has them under `/openai` (2024-10-21) and OpenAI under `/openai/v1`. The two differ in the status of a
 * creation, in its `Location`, and in the shape of errors.
 */
export function createFileRoutes(world: FileWorld): ServiceRoute[] {
  const { store, limits } = world
  const uploads = createUploads(world)

  const list = async ({ caller, query }: ServiceRequest): Promise<JsonObject> => {
    const page = readPage(query, 'desc', pageSizes)
    if (page.after !== undefined && !canBeFileId(page.after)) {
      throw refuseParameter('after', page.after, 'an id of this list')
    }
    const purpose = readListPurpose(query.get('purpose'))
    const files = await store.list({ owner: ownerOf(caller), purpose }, page)
    return writePage(files.slice(0, page.limit).map(writeFile), files.length > page.limit)
  }
  const find = async ({ caller, params }: ServiceRequest) => {
    const id = params.file_id as string
    const file = await store.find(ownerOf(caller), id)
    if (!file) throw refuseUnknownFile(id)
    return file
  }
  const getContent = async (request: ServiceRequest): Promise<ServiceAnswer> => {
    const { id, filename, bytes } = await find(request)
    return {
      status: 200,
      content: {
        length: bytes,
        type: 'application/octet-stream',
        // What lies under an id never changes.
        etag: `"${id}"`,
        open: (start, end) => store.read(id, { start, end }),
      },
      headers: { 'content-disposition': `attachment; filename*=UTF-8''${encodeHeaderText(filename)}` },
    }
  }
  const remove = async ({ caller, params }: ServiceRequest): Promise<JsonObject> => {
    const id = params.file_id as string
    if (!(await store.delete(ownerOf(caller), id))) throw refuseUnknownFile(id)
    return { object: 'file', id, deleted: true }
  }

  return surfaces.flatMap((surface): ServiceRoute[] => {
    const { name, base, apiVersion } = surface
    const files = `${base}/files`
    const oneFile = `${files}/{file_id}`
    const oneUpload = `${base}/uploads/{upload_id}`
    const get = (path: string, write: (request: ServiceRequest) => Promise<JsonObject>): ServiceRoute => ({
      method: 'GET',
      path,
      action: actions.read,
      apiVersion,
      answer: async (request) => ok(await write(request)),
    })
    const post = (path: string, answer: ServiceRoute['answer'], maxFormBytes?: number): ServiceRoute => ({
      method: 'POST',
      path,
      action: actions.write,
      apiVersion,
      ...(maxFormBytes !== undefined && { form: { maxBytes: maxFormBytes } }),
      answer,
    })
    const create = async (request: ServiceRequest): Promise<ServiceAnswer> => {
      const body = writeFile(await createFile(request, world))
      return { ...created(request, body.id, surface), status: name === 'dated' ? 201 : 200, body }
    }
    const begin = async (request: ServiceRequest): Promise<ServiceAnswer> => {
      const upload = await uploads.begin(request)
      return { ...created(request, upload.id, surface), status: 200, body: writeUpload(upload) }
    }
    const addPart = async (request: ServiceRequest) => ok(writePart(await uploads.addPart(request), name))
    const complete = async (request: ServiceRequest) => {
      const { upload, file } = await uploads.complete(request)
      return ok(writeUpload(upload, file))
    }
    const cancel = async (request: ServiceRequest) => ok(writeUpload((await uploads.cancel(request)).upload))
    return [
      get(files, list),
      post(files, create, limits.maxFileBytes + formRoom),
      ...(name === 'dated' ? [post(`${files}/import`, refuseImport)] : []),
      get(oneFile, async (request) => writeFile(await find(request))),
      { method: 'GET', path: `${oneFile}/content`, action: actions.read, apiVersion, answer: getContent },
      {
        method: 'DELETE',
        path: oneFile,
        action: actions.delete,
        apiVersion,
        answer: async (request) => ok(await remove(request)),
      },
      post(`${base}/uploads`, begin),
      post(`${oneUpload}/parts`, addPart, limits.maxPartBytes + formRoom),
      post(`${oneUpload}/complete`, complete),
      post(`${oneUpload}/cancel`, cancel),
    ]
  })
}

/** Uploads are files that are not whole yet. */
const actions = {
  read: openaiAction('files/read'),
  write: openaiAction('files/write'),
  delete: openaiAction('files/delete'),
} as const

function ok(body: JsonObject): ServiceAnswer {
  return { status: 200, body }
}

/** Where the new item lies, for the surface that tells. */
function created({ url, query }: ServiceRequest, id: string, { name }: Surface): Pick<ServiceAnswer, 'headers'> {
  if (name === 'v1') return {}
  const { origin, pathname } = new URL(url)
  const address = `${origin}${pathname.replace(/\/+$/, '')}/${id}?api-version=${query.get('api-version')}`
  return { headers: { location: address } }
}

/** An address in a request is never asked: it could be any within the operator's network. */
async function refuseImport(): Promise<never> {
  throw new Fault(
    'invalid-request',
    "Invalid value for 'content_url': this server fetches no files from addresses. Upload the file itself: POST /openai/files.",
    { param: 'content_url', vendorCode: 'fileImportFailed' },
  )
}

/** RFC 8187. */
function encodeHeaderText(text: string): string {
  return encodeURIComponent(text).replace(/['()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
}
