// Calls through the vendor's client for Node: a line of JSON in, a line of JSON out.
const readline = require("node:readline")
const { sms } = require("tencentcloud-sdk-nodejs-sms")

async function outcomeOf({ endpoint, version, credential, method, signedBy, language, action, parameters }) {
  const [secretId, secretKey] = credential
  const client = new sms[version].Client({
    credential: { secretId, secretKey },
    region: "ap-guangzhou",
    profile: {
      signMethod: signedBy,
      httpProfile: { endpoint, protocol: "http://", reqMethod: method },
      ...(language && { language }),
    },
  })
  if (client[action] === undefined) {
    return { missing: action }
  }
  try {
    return { answer: await client[action](parameters) }
  } catch ({ code, message, requestId }) {
    return { refused: { code, message, requestId } }
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await outcomeOf(JSON.parse(line))) + "\n")
  }
}

main()
