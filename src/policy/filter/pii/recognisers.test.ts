import { expect, test } from 'bun:test'
import { createPiiRule } from './pii-rule.ts'
import { type PiiType, piiTypes } from './pii-types.ts'
import { recognisers } from './recognisers.ts'

const rule = createPiiRule(new Map(Object.keys(piiTypes).map((type) => [type, 'annotate'] as const)), false)
const find = (text: string) => rule.find(text).map(({ start, end, type }) => [type, text.slice(start, end)])

/** Random-looking, and assembled here, so that no scanner of repositories takes it for a real one. */
const random = (length: number) => 'q7Zk2Xv9Lm4Tb8Rw1Yc6Hn3Pd5Gs0JfAeUoKiVx'.repeat(4).slice(0, length)
const key64 = `${random(86)}==`
const key32 = `${random(43)}=`
const jwt = [{ alg: 'HS256', typ: 'JWT' }, { sub: 'nobody' }].map((part) =>
  Buffer.from(JSON.stringify(part)).toString('base64url'),
)
const pem = `-----BEGIN RSA PRIVATE KEY-----\n${random(64)}\n${random(64)}\n${random(20)}==\n-----END RSA PRIVATE KEY-----`

/** `@...@` marks the value. The numbers are samples that issuers publish. */
const examples: Record<PiiType, readonly string[]> = {
  Email: ['Write to @jane.doe+news@mail.example.co.uk@, please.', '<@a@b.pt@>', "mailto:@o'neil@example.com@."],
  PhoneNumber: [
    'Call @+1 415 555 0132@ today',
    'Ruf an: @+49 (0)30 901820@.',
    'Tel. @+351 912 345 678@',
    'or @(415) 555-0132@',
    '@415-555-0132@ works',
    'phone 555-0123 no, phone: @555 201 4477@',
    'o meu telemóvel é @912 345 678@',
    'Handy: @0171 2345678@',
    'téléphone @06 12 34 56 78@',
    'fale (@(11) 91234-5678@)',
  ],
  Address: [
    'ship to @12 Main Street, Springfield, IL 62701@',
    'I live at @221 Baker Street@',
    'wohnt in der @Lindenstraße 5, 10969 Berlin@',
    'habite @8 bis, rue de la République@',
    'morada: @Rua das Flores, 120@',
    'mi dirección es @Calle Mayor 5@',
  ],
  DateOfBirth: [
    'born on @12/03/1985@',
    'DOB: @1985-03-12@',
    'geboren am @12. März 1985@',
    'date of birth @March 12, 1985@',
    'née le @12 mars 1985@',
    'nascido a @12 de março de 1985@',
  ],
  IPAddress: [
    'from @203.0.113.42@ at noon',
    'host @2001:db8:85a3:0:0:8a2e:370:7334@',
    'host @2001:db8::8a2e:370:7334@',
  ],
  MACAddress: ['eth0 @00:1B:44:11:3A:B7@ up', '@00-1B-44-11-3A-B7@', 'MAC @001b.4411.3ab7@'],
  CreditCardNumber: [
    '@4111 1111 1111 1111@',
    'with @378282246310005@',
    '@3782-822463-10005@',
    'card @5555555555554444@.',
  ],
  InternationalBankingAccountNumber: [
    'to @DE89 3704 0044 0532 0130 00@ today',
    '@GB29NWBK60161331926819@',
    '@FR14 2004 1010 0505 0001 3M02 606@',
  ],
  SWIFTCode: ['BIC: @DEUTDEFF@', 'SWIFT code is @NEDSZAJJXXX@'],
  ABARoutingNumber: ['routing number @011000015@'],
  CryptoWalletAddress: [
    'pay @1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2@',
    '@bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4@',
    'my wallet @0x52908400098527886E0F7030069857D2E4169EE7@',
  ],
  USSocialSecurityNumber: ['@536-22-1234@', 'SSN @536 22 1234@', 'social security no. @536221234@'],
  USIndividualTaxpayerIdentification: ['@912-72-1234@', 'ITIN @912721234@'],
  USUKPassportNumber: ['passport number @512345678@', 'passaporte: @C12345678@'],
  USDriversLicenseNumber: ["driver's license @D1234567@", 'DL number: @F255-921-50-094-0@'],
  CASocialInsuranceNumber: ['SIN @130 692 544@'],
  UKNationalHealthNumber: ['NHS number @943 476 5919@', 'NHS: @9434765919@'],
  UKNationalInsuranceNumber: ['@AB 12 34 56 C@', 'NINO @ab123456c@'],
  DETaxIdentificationNumber: ['Steuer-ID @86095742719@', 'IdNr. @86 095 742 719@'],
  DEIdentityCardNumber: ['Personalausweis @T220001293@', 'Ausweisnummer: @L01X00T471@'],
  FRSocialSecurityNumber: ['@2 55 08 14 168 025 38@', '@255081416802538@'],
  ESDNI: ['@12345678Z@', 'DNI @12.345.678-Z@'],
  ESTaxIdentificationNumber: ['@X1234567L@', 'NIE @X-1234567-L@'],
  ITFiscalCode: ['@RSSMRA85T10A562S@'],
  NLCitizensServiceNumber: ['BSN @111222333@', 'burgerservicenummer: @1112.22.333@'],
  PLNationalID: ['PESEL @44051401359@'],
  BRCPFNumber: ['@111.444.777-35@', 'CPF @11144477735@'],
  BRLegalEntityNumber: ['@11.222.333/0001-81@', '@12.ABC.345/01DE-35@', 'CNPJ @11222333000181@'],
  PTTaxIdentificationNumber: ['NIF @123456789@', 'contribuinte n.º @123 456 789@'],
  INUniqueIdentificationNumber: ['@2909 7978 1278@', 'Aadhaar @290979781278@'],
  INPermanentAccount: ['PAN card @ABCPE1234F@'],
  AUTaxFileNumber: ['TFN @123 456 782@', 'tax file number @123456782@'],
  AUBusinessNumber: ['@51 824 753 556@', 'ABN @51824753556@'],
  AUMedicalAccountNumber: ['Medicare @2123 45670 1@', 'Medicare no. @2123456701@'],
  AzureStorageAccountKey: [
    `@DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=${key64};EndpointSuffix=core.windows.net@`,
    `storage key: @${key64}@`,
  ],
  AzureServiceBusString: [
    `@Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=${key32}@`,
  ],
  AzureIoTConnectionString: [`@HostName=hub.azure-devices.net;DeviceId=pump-1;SharedAccessKey=${key32}@`],
  AzureDocumentDBAuthKey: [
    `@AccountEndpoint=https://shop.documents.azure.com:443/;AccountKey=${key64}@`,
    `cosmos db @${key64}@`,
  ],
  AzureRedisCacheString: [`@shop.redis.cache.windows.net:6380,password=${key32},ssl=True@`],
  AzureSAS: [`https://shop.blob.core.windows.net/a?sv=2024-11-04&@sig=${random(43)}%3D@`],
  SQLServerConnectionString: ['"@Server=tcp:db.example.com,1433;Database=shop;User ID=sa;Password=w0rd!of9@"'],
  AWSAccessKey: [
    `@AKIA${random(40)
      .toUpperCase()
      .replace(/[^A-Z2-7]/g, '')
      .slice(0, 16)}@`,
    `aws_secret_access_key = @${random(40)}@`,
  ],
  GitHubToken: [`@ghp_${random(36)}@`, `@github_pat_${random(22)}_${random(59)}@`],
  GitLabToken: [`@glpat-${random(20)}@`],
  SlackToken: [
    `@xoxb-1234567890-${random(24)}@`,
    `@https://hooks.slack.com/services/T0ABC1234/B0ABC1234/${random(24)}@`,
  ],
  StripeKey: [`@sk_live_${random(24)}@`],
  OpenAIKey: [`@sk-proj-${random(48)}@`, `Use @sk-${random(48)}@ for it`],
  GoogleApiKey: [`@AIza${random(35)}@`],
  JsonWebToken: [`@${jwt.join('.')}.${random(43)}@`],
  PrivateKey: [
    `key:\n@${pem}@\nend`,
    'what does @-----BEGIN PRIVATE KEY-----@ mean?',
    `"@${pem.replaceAll('\n', '\\n')}@"`,
  ],
  URLWithCredentials: ['@postgres://app:s3cr3t@db.example.com:5432/shop@', 'at @https://jane:tulip9@example.com/@ now'],
  GenericSecret: [
    `api_key = "@${random(24)}@"`,
    `MY_CLIENT_SECRET=@${random(32)}@`,
    `Authorization: Bearer @${random(40)}@`,
    'password: @Tulip!2024x@',
  ],
  EUGPSCoordinates: ['at @41.14961, -8.61099@', `@41° 8' 58" N, 8° 36' 39" W@`],
}

for (const type of Object.keys(piiTypes) as PiiType[]) {
  test(`${type} is found`, () => {
    for (const example of examples[type]) {
      const parts = split(example)
      expect(find(parts.text), example).toContainEqual([type, parts.value])
    }
  })
}

/** The marks are the first and the last @ of an example, or those at the ends of its words: values hold @ themselves. */
function split(example: string): { text: string; value: string } {
  const first = example.indexOf('@')
  const last = example.lastIndexOf('@')
  const value = example.slice(first + 1, last)
  return { text: example.slice(0, first) + value + example.slice(last + 1), value }
}

test('there is a recogniser for each type, and one only', () => {
  expect(recognisers.map(({ type }) => type).sort()).toEqual(Object.keys(piiTypes).sort() as PiiType[])
})

/** Near misses: one digit off, never given out, or no word that says what it is. */
const nobodys = [
  'mail@localhost and icon@2x.png and a@b',
  'call +999 123 4567',
  'call us on 2026-01-02 or 02.01.2026, 10.30-11.30, in 2019-2020 at +2026-01-02',
  'id 2.16.840.1.113894.746875',
  'in 12 Main reasons',
  'the meeting is on 12/03/2026',
  'born on 31/02/1985',
  'listen on 127.0.0.1 or 0.0.0.0 with mask 255.255.255.0',
  'version 10.0.19041.1 and version 1.2.3.4',
  'std::string a::b 12:30:45',
  'MAC ff:ff:ff:ff:ff:ff',
  '4111 1111 1111 1112',
  'order number 4111111111111111',
  '9111 1111 1111 1111',
  'DE89 3704 0044 0532 0130 01',
  'DE8937040044053201300',
  'DEUTDEFF is a word',
  'routing number 011000016',
  '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3',
  'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5',
  'hash 0x52908400098527886E0F7030069857D2E4169EE7',
  '000-12-3456 666-12-3456 123-00-4567 123-45-0000',
  'SSN 123456789',
  '912-40-1234',
  '512345678 pages',
  'SIN 130 692 545',
  'NHS number 943 476 5918',
  'GB 12 34 56 C',
  'Steuer-ID 86095742718',
  'Personalausweis T220001294',
  '2 55 08 14 168 025 39',
  '12345678A',
  'X1234567A',
  'RSSMRA85T10A562T',
  'BSN 111222334',
  'PESEL 44051401358 and PESEL 44951401359',
  '111.444.777-36 and 111.111.111-11',
  '11.222.333/0001-82',
  'NIF 123456788',
  '2909 7978 1279',
  'PAN ABCXE1234F',
  'TFN 123 456 783',
  '51 824 753 557',
  'Medicare 2123 45671 1',
  `checksum ${key64.toLowerCase()}`,
  'AKIA and ghp_short and sk-learn and xoxb-none',
  'sk-this-is-only-a-name-of-a-thing',
  'eyJhbGciOiJI.eyJzdWIi.short',
  '-----BEGIN CERTIFICATE-----',
  `https://example.com:8080/a@b and https://user:\${PASSWORD}@example.com`,
  'password: correct-horse-battery and token: your_token_here_12345678',
  'key=src/policy/filter/plan.ts and keyboard: qwertz',
  'secret = process.env.SECRET_KEY_NUMBER_1',
  'from 1.5000, 2.5 to 99.12345, 200.12345',
  'a 3.14159265358979 b',
]

for (const text of nobodys) {
  test(`nothing is found in: ${text.slice(0, 60)}`, () => {
    expect(find(text)).toEqual([])
  })
}
