import type { Recogniser } from './recogniser.ts'
import { abaRoutingNumber } from './recognisers/financial/aba-routing-number.ts'
import { creditCardNumber } from './recognisers/financial/credit-card-number.ts'
import { cryptoWalletAddress } from './recognisers/financial/crypto-wallet-address.ts'
import { internationalBankingAccountNumber } from './recognisers/financial/international-banking-account-number.ts'
import { swiftCode } from './recognisers/financial/swift-code.ts'
import { gpsCoordinates } from './recognisers/geolocation/gps-coordinates.ts'
import { auBusinessNumber, auMedicalAccountNumber, auTaxFileNumber } from './recognisers/government/australia.ts'
import { brCpfNumber, brLegalEntityNumber } from './recognisers/government/brazil.ts'
import { caSocialInsuranceNumber } from './recognisers/government/canada.ts'
import { frSocialSecurityNumber } from './recognisers/government/france.ts'
import { deIdentityCardNumber, deTaxIdentificationNumber } from './recognisers/government/germany.ts'
import { inPermanentAccount, inUniqueIdentificationNumber } from './recognisers/government/india.ts'
import { itFiscalCode } from './recognisers/government/italy.ts'
import { nlCitizensServiceNumber } from './recognisers/government/netherlands.ts'
import { plNationalId } from './recognisers/government/poland.ts'
import { ptTaxIdentificationNumber } from './recognisers/government/portugal.ts'
import { esDni, esNie } from './recognisers/government/spain.ts'
import { ukNationalHealthNumber, ukNationalInsuranceNumber } from './recognisers/government/united-kingdom.ts'
import {
  passportNumber,
  usDriversLicenseNumber,
  usIndividualTaxpayerIdentification,
  usSocialSecurityNumber,
} from './recognisers/government/united-states.ts'
import { address } from './recognisers/personal/address.ts'
import { dateOfBirth } from './recognisers/personal/date-of-birth.ts'
import { email } from './recognisers/personal/email.ts'
import { ipAddress } from './recognisers/personal/ip-address.ts'
import { macAddress } from './recognisers/personal/mac-address.ts'
import { phoneNumber } from './recognisers/personal/phone-number.ts'
import {
  azureDocumentDbAuthKey,
  azureIotConnectionString,
  azureRedisCacheString,
  azureSas,
  azureServiceBusString,
  azureStorageAccountKey,
  sqlServerConnectionString,
} from './recognisers/secrets/azure-connection-strings.ts'
import { genericSecret } from './recognisers/secrets/generic-secret.ts'
import { jsonWebToken } from './recognisers/secrets/json-web-token.ts'
import { privateKey } from './recognisers/secrets/private-key.ts'
import { urlWithCredentials } from './recognisers/secrets/url-with-credentials.ts'
import {
  awsAccessKey,
  gitHubToken,
  gitLabToken,
  googleApiKey,
  openAiKey,
  slackToken,
  stripeKey,
} from './recognisers/secrets/vendor-keys.ts'

/** All of them. Where two are equally sure of the same characters, the one that stands first here wins. */
export const recognisers: readonly Recogniser[] = [
  privateKey,
  jsonWebToken,
  awsAccessKey,
  gitHubToken,
  gitLabToken,
  slackToken,
  stripeKey,
  openAiKey,
  googleApiKey,
  azureDocumentDbAuthKey,
  azureStorageAccountKey,
  azureServiceBusString,
  azureIotConnectionString,
  azureRedisCacheString,
  azureSas,
  sqlServerConnectionString,
  urlWithCredentials,
  email,
  internationalBankingAccountNumber,
  creditCardNumber,
  itFiscalCode,
  frSocialSecurityNumber,
  brLegalEntityNumber,
  brCpfNumber,
  esDni,
  esNie,
  plNationalId,
  deTaxIdentificationNumber,
  auBusinessNumber,
  inUniqueIdentificationNumber,
  ukNationalHealthNumber,
  auMedicalAccountNumber,
  deIdentityCardNumber,
  caSocialInsuranceNumber,
  nlCitizensServiceNumber,
  ptTaxIdentificationNumber,
  auTaxFileNumber,
  abaRoutingNumber,
  cryptoWalletAddress,
  macAddress,
  usSocialSecurityNumber,
  usIndividualTaxpayerIdentification,
  ukNationalInsuranceNumber,
  ipAddress,
  inPermanentAccount,
  swiftCode,
  dateOfBirth,
  gpsCoordinates,
  passportNumber,
  usDriversLicenseNumber,
  phoneNumber,
  address,
  genericSecret,
]
