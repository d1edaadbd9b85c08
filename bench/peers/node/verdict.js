// A verdict as the one or two records that tell it. A rejected record carries no values.

/** Judges a message and adds what tells its verdict. */
export function outputs(settings, { topic, partition }, { value, timestamp, offset }, accepted, rejected) {
  const time = Number(timestamp);
  const verdict = settings.judge(value, time);
  const { reason, attributes, unset, companies, ...told } = verdict;
  told.reason = reason;
  told.source = { topic, partition, offset: Number(offset), timestamp: time };
  const position = `${topic}/${partition}/${offset}`;
  const key = keyOf(verdict);
  if (reason !== null) {
    told.verdict = "rejected";
    rejected.push(message(position, key, "rejected", told, reason));
    return;
  }
  told.verdict = verdict.rejected.length === 0 ? "accepted" : "partial";
  const reasons = verdict.rejected.length === 0 ? null : [...new Set(verdict.rejected.map(({ reason }) => reason))].join();
  accepted.push(message(position, key, "accepted", { ...told, attributes, unset, companies }, reasons));
  if (reasons !== null) rejected.push(message(position, key, "rejected", told, reasons));
}

function message(position, key, channel, told, reasons) {
  const headers = { ce_id: `${position}/${channel}`, ce_type: `attrsync.verdict.${told.verdict}` };
  if (reasons !== null) headers["attrsync-reason"] = reasons;
  return { key, headers, value: JSON.stringify(told) };
}

function keyOf({ organization, user }) {
  const identity = user.userId ?? user.email ?? user.anonymousId;
  return organization === null || identity === null ? null : `${organization}:${identity}`;
}
