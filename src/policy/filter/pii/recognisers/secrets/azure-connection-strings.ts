import type { Recogniser } from '../../recogniser.ts'

/** Keys of 64 bytes in base64 are 86 characters and `==`; those of 32 bytes 43 and `=`. */
const key64 = `[A-Za-z0-9+/]{86}==`
const key32 = `[A-Za-z0-9+/]{42,43}=`

export const azureStorageAccountKey: Recogniser = {
  type: 'AzureStorageAccountKey',
  needs: 'token',
  patterns: [
    {
      source: String.raw`\b(?:DefaultEndpointsProtocol=https?;)?AccountName=[a-z0-9]{3,24};AccountKey=${key64}(?:;EndpointSuffix=[a-z.]{1,40})?`,
      ignoreCase: true,
    },
    { source: String.raw`\bAccountKey=${key64}`, ignoreCase: true },
    { source: String.raw`\b${key64}`, isWeak: true },
  ],
  context: ['storage', 'storage key', 'account key', 'accountkey', 'storage account', 'azure', 'blob'],
  isChecked: true,
  edges: 'any',
}

/** The emulator of Cosmos DB has the same shape, and a key that everybody knows. */
export const azureDocumentDbAuthKey: Recogniser = {
  type: 'AzureDocumentDBAuthKey',
  needs: 'token',
  patterns: [
    { source: String.raw`\bAccountEndpoint=https://[a-z0-9.-]+(?::\d{2,5})?/?;AccountKey=${key64}`, ignoreCase: true },
    { source: String.raw`\b${key64}`, isWeak: true },
  ],
  context: ['cosmos', 'cosmosdb', 'cosmos db', 'documentdb', 'documents.azure.com'],
  isChecked: true,
  edges: 'any',
}

export const azureServiceBusString: Recogniser = {
  type: 'AzureServiceBusString',
  needs: 'token',
  patterns: [
    {
      source: String.raw`\bEndpoint=sb://[a-z0-9.-]+/?;SharedAccessKeyName=[\w.-]+;SharedAccessKey=${key32}(?:;EntityPath=[\w./-]+)?`,
      ignoreCase: true,
    },
    { source: String.raw`\bSharedAccessKey=${key32}`, ignoreCase: true },
  ],
  isChecked: true,
  edges: 'any',
}

export const azureIotConnectionString: Recogniser = {
  type: 'AzureIoTConnectionString',
  needs: 'token',
  patterns: [
    {
      source: String.raw`\bHostName=[a-z0-9.-]+;(?:DeviceId|SharedAccessKeyName)=[\w.:-]+;SharedAccessKey=(?:${key32}|${key64})`,
      ignoreCase: true,
    },
  ],
  isChecked: true,
  edges: 'any',
}

export const azureRedisCacheString: Recogniser = {
  type: 'AzureRedisCacheString',
  needs: 'token',
  patterns: [
    {
      source: String.raw`\b[a-z0-9-]{1,63}\.redis\.(?:cache\.windows|azure)\.net:\d{2,5},password=[A-Za-z0-9+/]{40,90}={0,2}(?:,[a-z]{1,20}=[a-z0-9]{1,20}){0,6}`,
      ignoreCase: true,
    },
  ],
  isChecked: true,
  edges: 'any',
}

/** The signature is the secret; the rest of the URL says what it is for. */
export const azureSas: Recogniser = {
  type: 'AzureSAS',
  needs: 'token',
  patterns: [
    { source: String.raw`\bsig=[A-Za-z0-9+/%]{40,90}(?:=|%3D)`, ignoreCase: true },
    { source: String.raw`\bSharedAccessSignature sr=[^\s"'<>]+&sig=[A-Za-z0-9+/%]{40,}[^\s"'<>]*` },
  ],
  isChecked: true,
  edges: 'any',
}

export const sqlServerConnectionString: Recogniser = {
  type: 'SQLServerConnectionString',
  needs: 'token',
  patterns: [
    {
      source: String.raw`\b(?:Server|Data Source) ?= ?[^;\s"'<>]{1,100};[^"'<>\r\n]{0,200}(?:Password|Pwd) ?= ?[^;\s"'<>]+`,
      ignoreCase: true,
    },
  ],
  isChecked: true,
  edges: 'any',
}
