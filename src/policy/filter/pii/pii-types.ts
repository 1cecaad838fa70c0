/**
 * The types of personal data that are recognised, by the name that policies and annotations write: Azure's own name where it has one.
 * `group`: as Azure sorts them. The one list of allowed values; a type without a recogniser fails the tests.
 */
export const piiTypes = {
  Email: { group: 'personal', describes: 'e-mail address' },
  PhoneNumber: { group: 'personal', describes: 'phone number, international or national' },
  Address: { group: 'personal', describes: 'street address' },
  DateOfBirth: { group: 'personal', describes: 'date of birth' },
  IPAddress: { group: 'personal', describes: 'IPv4 or IPv6 address' },
  MACAddress: { group: 'personal', describes: 'hardware address of a network card' },
  CreditCardNumber: { group: 'financial', describes: 'number of a credit or debit card' },
  InternationalBankingAccountNumber: { group: 'financial', describes: 'IBAN' },
  SWIFTCode: { group: 'financial', describes: 'SWIFT code (BIC) of a bank' },
  ABARoutingNumber: { group: 'financial', describes: 'routing number of a bank in the United States' },
  CryptoWalletAddress: { group: 'financial', describes: 'address of a Bitcoin or Ethereum wallet' },
  USSocialSecurityNumber: { group: 'government', describes: 'social security number of the United States' },
  USIndividualTaxpayerIdentification: { group: 'government', describes: 'ITIN of the United States' },
  USUKPassportNumber: { group: 'government', describes: 'passport of the United States or United Kingdom' },
  USDriversLicenseNumber: { group: 'government', describes: 'driving licence of the United States' },
  CASocialInsuranceNumber: { group: 'government', describes: 'social insurance number of Canada' },
  UKNationalHealthNumber: { group: 'government', describes: 'NHS number of the United Kingdom' },
  UKNationalInsuranceNumber: { group: 'government', describes: 'national insurance number of the United Kingdom' },
  DETaxIdentificationNumber: { group: 'government', describes: 'tax identification number of Germany' },
  DEIdentityCardNumber: { group: 'government', describes: 'identity card of Germany' },
  FRSocialSecurityNumber: { group: 'government', describes: 'social security number (INSEE, NIR) of France' },
  ESDNI: { group: 'government', describes: 'identity document (DNI) of Spain' },
  ESTaxIdentificationNumber: { group: 'government', describes: 'identity number of foreigners (NIE) of Spain' },
  ITFiscalCode: { group: 'government', describes: 'fiscal code (codice fiscale) of Italy' },
  NLCitizensServiceNumber: { group: 'government', describes: 'citizen service number (BSN) of the Netherlands' },
  PLNationalID: { group: 'government', describes: 'national number (PESEL) of Poland' },
  BRCPFNumber: { group: 'government', describes: 'taxpayer number of persons (CPF) of Brazil' },
  BRLegalEntityNumber: { group: 'government', describes: 'taxpayer number of companies (CNPJ) of Brazil' },
  PTTaxIdentificationNumber: { group: 'government', describes: 'tax identification number (NIF) of Portugal' },
  INUniqueIdentificationNumber: { group: 'government', describes: 'Aadhaar number of India' },
  INPermanentAccount: { group: 'government', describes: 'permanent account number (PAN) of India' },
  AUTaxFileNumber: { group: 'government', describes: 'tax file number of Australia' },
  AUBusinessNumber: { group: 'government', describes: 'business number (ABN) of Australia' },
  AUMedicalAccountNumber: { group: 'government', describes: 'Medicare number of Australia' },
  AzureStorageAccountKey: { group: 'secrets', describes: 'key or connection string of an Azure storage account' },
  AzureServiceBusString: { group: 'secrets', describes: 'connection string of Azure Service Bus or Event Hubs' },
  AzureIoTConnectionString: { group: 'secrets', describes: 'connection string of Azure IoT Hub' },
  AzureDocumentDBAuthKey: { group: 'secrets', describes: 'key of Azure Cosmos DB' },
  AzureRedisCacheString: { group: 'secrets', describes: 'connection string of Azure Cache for Redis' },
  AzureSAS: { group: 'secrets', describes: 'signature of a shared access URL' },
  SQLServerConnectionString: { group: 'secrets', describes: 'connection string of SQL Server with a password' },
  AWSAccessKey: { group: 'secrets', describes: 'access key id or secret access key of AWS' },
  GitHubToken: { group: 'secrets', describes: 'token of GitHub' },
  GitLabToken: { group: 'secrets', describes: 'token of GitLab' },
  SlackToken: { group: 'secrets', describes: 'token or webhook of Slack' },
  StripeKey: { group: 'secrets', describes: 'secret or restricted key of Stripe' },
  OpenAIKey: { group: 'secrets', describes: 'API key that begins with sk-' },
  GoogleApiKey: { group: 'secrets', describes: 'API key or OAuth secret of Google' },
  JsonWebToken: { group: 'secrets', describes: 'signed JSON web token' },
  PrivateKey: { group: 'secrets', describes: 'private key in PEM form' },
  URLWithCredentials: { group: 'secrets', describes: 'URL that holds a user name and password' },
  GenericSecret: { group: 'secrets', describes: 'random value that is assigned to a key, token, secret or password' },
  EUGPSCoordinates: { group: 'geolocation', describes: 'geographical coordinates, anywhere on earth' },
} as const satisfies Record<string, { readonly group: PiiGroup; readonly describes: string }>

type PiiGroup = 'personal' | 'financial' | 'government' | 'secrets' | 'geolocation'

export type PiiType = keyof typeof piiTypes

export function isPiiType(name: string): name is PiiType {
  return Object.hasOwn(piiTypes, name)
}
