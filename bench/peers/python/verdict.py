"""A verdict as the one or two records that tell it. A rejected record carries no values."""

import orjson


def outputs(settings, message):
    """Judges a message; gives channel, key, value and headers of each record that tells its verdict."""
    topic, partition, offset, (_, timestamp) = message.topic(), message.partition(), message.offset(), message.timestamp()
    verdict = settings.judge(message.value(), timestamp)
    verdict["source"] = {"topic": topic, "partition": partition, "offset": offset, "timestamp": timestamp}
    reasons = reasons_of(verdict)
    verdict["verdict"] = "rejected" if verdict["reason"] else "partial" if reasons else "accepted"
    position, key = f"{topic}/{partition}/{offset}", key_of(verdict)
    records = []
    if not verdict["reason"]:
        records.append(("accepted", key, orjson.dumps(verdict), headers(position, "accepted", verdict, reasons)))
    if reasons:
        for withheld in ("attributes", "unset", "companies"):
            del verdict[withheld]
        records.append(("rejected", key, orjson.dumps(verdict), headers(position, "rejected", verdict, reasons)))
    return records


def headers(position, channel, verdict, reasons):
    made = [("ce_id", f"{position}/{channel}"), ("ce_type", f"attrsync.verdict.{verdict['verdict']}")]
    if reasons:
        made.append(("attrsync-reason", reasons))
    return made


def reasons_of(verdict):
    """The event's reason, else those of its rejected attributes, each once."""
    return verdict["reason"] or ",".join(dict.fromkeys(refused["reason"] for refused in verdict["rejected"]))


def key_of(verdict):
    user = verdict["user"]
    identity = user["userId"] or user["email"] or user["anonymousId"]
    return f"{verdict['organization']}:{identity}" if verdict["organization"] and identity else None
