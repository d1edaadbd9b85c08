"""A verdict as the one or two records that tell it. A rejected record carries no values."""

import orjson


def outputs(settings, source, message):
    """Judges a message; gives channel, key, value and headers of each record that tells its verdict, the source being what all
    records name."""
    topic, partition, offset, (_, timestamp) = message.topic(), message.partition(), message.offset(), message.timestamp()
    verdict = settings.judge(message.value(), timestamp)
    verdict["source"] = {"topic": topic, "partition": partition, "offset": offset, "timestamp": timestamp}
    reasons = reasons_of(verdict)
    verdict["verdict"] = "rejected" if verdict["reason"] else "partial" if reasons else "accepted"
    position, key = f"{topic}/{partition}/{offset}", key_of(verdict)
    records = []
    if not verdict["reason"]:
        made = headers(verdict, source, f"{position}/accepted", key, reasons)
        records.append(("accepted", key, orjson.dumps(verdict), made))
    if reasons:
        for withheld in ("attributes", "unset", "companies"):
            del verdict[withheld]
        made = headers(verdict, source, f"{position}/rejected", key, reasons)
        records.append(("rejected", key, orjson.dumps(verdict), made))
    return records


def headers(verdict, source, position, key, reasons):
    """Those of CloudEvents 1.0 in Kafka's binary mode, and those by which a subscriber filters; none for what isn't known."""
    event, verification = verdict["event"], verdict["verification"]
    made = [
        ("ce_specversion", "1.0"),
        ("ce_id", position),
        ("ce_source", source),
        ("ce_type", f"attrsync.verdict.{verdict['verdict']}"),
        ("ce_time", event["time"]),
        ("content-type", "application/json"),
    ]
    if key:
        made.append(("ce_subject", key))
    if reasons:
        made.append(("attrsync-reason", reasons))
    if verdict["organization"]:
        made.append(("attrsync-organization", verdict["organization"]))
    if event["type"]:
        made.append(("attrsync-event-type", event["type"]))
    if verification["method"]:
        made.append(("attrsync-verification", f"{verification['method']}/{verification['status']}"))
    return made


def reasons_of(verdict):
    """The event's reason, else those of its rejected attributes, each once."""
    return verdict["reason"] or ",".join(dict.fromkeys(refused["reason"] for refused in verdict["rejected"]))


def key_of(verdict):
    user = verdict["user"]
    identity = user["userId"] or user["email"] or user["anonymousId"]
    return f"{verdict['organization']}:{identity}" if verdict["organization"] and identity else None
