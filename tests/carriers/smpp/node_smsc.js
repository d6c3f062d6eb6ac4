// An SMSC made of node-smpp. It tells on lines of JSON what it took, as node-smpp reads it.
// Ids are hexadecimal in its answers and decimal in its receipts. A number's ending says what becomes of a message.
const smpp = require("smpp")

const tell = (what) => process.stdout.write(JSON.stringify(what) + "\n")
const sessions = new Set()
// Deliveries for which nobody is bound.
const waiting = []
let nextId = 0x33e95179
let throttled = false

function receiptOf(id, pdu) {
  const failed = pdu.destination_addr.endsWith("99003")
  const text = failed ? "stat:UNDELIV err:034" : "stat:DELIVRD err:000"
  return {
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    short_message: {
      message: `id:${String(id).padStart(10, "0")} sub:001 dlvrd:001 submit date:2603021158 done date:2603021159 ${text} text:`,
    },
  }
}

function deliver(pdu) {
  // To any session that may receive, whichever it was that sent.
  const session = [...sessions].find((one) => one.mayReceive)
  if (session === undefined) {
    waiting.push(pdu)
  } else {
    session.deliver_sm(pdu, (answer) => tell({ acknowledged: answer.command_status }))
  }
}

function reply(pdu) {
  const parts = ["回复的第一段，", "和第二段👍"]
  parts.forEach((message, place) =>
    deliver({
      source_addr: pdu.destination_addr,
      destination_addr: pdu.source_addr,
      short_message: { udh: Buffer.from([5, 0, 3, 7, parts.length, place + 1]), message },
    }),
  )
}

function take(session, pdu) {
  if (pdu.destination_addr.endsWith("99001")) {
    return session.send(pdu.response({ command_status: smpp.ESME_RINVDSTADR }))
  }
  if (pdu.destination_addr.endsWith("99002") && !throttled) {
    throttled = true
    return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }))
  }
  const id = nextId++
  const { message, udh } = pdu.short_message
  tell({
    message: pdu.message_payload ? pdu.message_payload.message : message,
    udh: (udh || []).map((element) => element.toString("hex")),
    dataCoding: pdu.data_coding,
    from: pdu.source_addr,
    to: pdu.destination_addr,
    registeredDelivery: pdu.registered_delivery,
    sar: [pdu.sar_msg_ref_num, pdu.sar_total_segments, pdu.sar_segment_seqnum].filter((value) => value !== undefined),
  })
  session.send(pdu.response({ message_id: id.toString(16).toUpperCase() }))
  deliver(receiptOf(id, pdu))
  if (pdu.destination_addr.endsWith("99014")) {
    reply(pdu)
  }
}

const server = smpp.createServer((session) => {
  session.on("error", () => session.close())
  session.on("close", () => sessions.delete(session))
  for (const way of ["transceiver", "transmitter", "receiver"]) {
    session.on(`bind_${way}`, (pdu) => {
      if (pdu.password !== "secret") {
        return session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }))
      }
      session.mayReceive = way !== "transmitter"
      sessions.add(session)
      session.send(pdu.response({ system_id: "node-smpp" }))
      waiting.splice(0).forEach(deliver)
    })
  }
  session.on("submit_sm", (pdu) => take(session, pdu))
  session.on("enquire_link", (pdu) => session.send(pdu.response()))
  session.on("unbind", (pdu) => {
    sessions.delete(session)
    session.send(pdu.response())
    session.close()
  })
})

server.listen(0, "127.0.0.1", () => tell({ port: server.address().port }))
// A line asks to forget what was; it ends with whoever started it.
require("node:readline")
  .createInterface({ input: process.stdin })
  .on("line", () => {
    waiting.splice(0)
    tell({ forgotten: true })
  })
  .on("close", () => process.exit())
