// A verdict as the one or two records that tell it. A rejected record carries no values.

/** Judges a message and adds what tells its verdict, the source being what all records name. */
export function outputs(settings, name, { topic, partition }, { value, timestamp, offset }, accepted, rejected) {
  const time = Number(timestamp);
  const verdict = settings.judge(value, time);
  verdict.source = { topic, partition, offset: Number(offset), timestamp: time };
  const position = `${topic}/${partition}/${offset}`;
  const key = keyOf(verdict);
  const add = (list, channel, told, reasons) =>
    list.push({ key, headers: headersOf(told, name, `${position}/${channel}`, key, reasons), value: JSON.stringify(told) });
  if (verdict.reason !== null) {
    verdict.verdict = "rejected";
    add(rejected, "rejected", withheld(verdict), verdict.reason);
  } else if (verdict.rejected.length === 0) {
    verdict.verdict = "accepted";
    add(accepted, "accepted", verdict, null);
  } else {
    verdict.verdict = "partial";
    const reasons = [...new Set(verdict.rejected.map(({ reason }) => reason))].join();
    add(accepted, "accepted", verdict, reasons);
    add(rejected, "rejected", withheld(verdict), reasons);
  }
}

/** The verdict without values. Member by member: an object made by leaving some out is slow to make, and slow to write. */
const withheld = ({ verdict, reason, event, organization, user, verification, rejected, dropped, source }) => ({
  verdict,
  reason,
  event,
  organization,
  user,
  verification,
  rejected,
  dropped,
  source,
});

/** Those of CloudEvents 1.0 in Kafka's binary mode, and those by which a subscriber filters; none for what isn't known. */
function headersOf(told, source, id, key, reasons) {
  const { event, organization, verification } = told;
  const headers = {
    ce_specversion: "1.0",
    ce_id: id,
    ce_source: source,
    ce_type: `attrsync.verdict.${told.verdict}`,
    ce_time: event.time,
    "content-type": "application/json",
  };
  if (key !== null) headers.ce_subject = key;
  if (reasons !== null) headers["attrsync-reason"] = reasons;
  if (organization !== null) headers["attrsync-organization"] = organization;
  if (event.type !== null) headers["attrsync-event-type"] = event.type;
  if (verification.method !== null) headers["attrsync-verification"] = `${verification.method}/${verification.status}`;
  return headers;
}

function keyOf({ organization, user }) {
  const identity = user.userId ?? user.email ?? user.anonymousId;
  return organization === null || identity === null ? null : `${organization}:${identity}`;
}
