// A verdict and the one or two records that tell it.
package main

import (
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Verdict is what both topics hold; a rejected record carries no values.
type Verdict struct {
	Verdict      string       `json:"verdict"`
	Reason       *string      `json:"reason"`
	Event        Event        `json:"event"`
	Organization *string      `json:"organization"`
	User         User         `json:"user"`
	Verification Verification `json:"verification"`
	*Values
	Rejected []Refused `json:"rejected"`
	Dropped  []Refused `json:"dropped"`
	Source   Source    `json:"source"`
}

// Values are what the accepted topic alone holds.
type Values struct {
	Attributes map[string]Set `json:"attributes"`
	Unset      []Unset        `json:"unset"`
	Companies  []Company      `json:"companies"`
}

// Event says which one it was.
type Event struct {
	ID   *string `json:"id"`
	Type *string `json:"type"`
	Time string  `json:"time"`
}

// User is whom it is about.
type User struct {
	UserID      *string `json:"userId"`
	Email       *string `json:"email"`
	AnonymousID *string `json:"anonymousId"`
}

// Verification says how that is known.
type Verification struct {
	Method string  `json:"method"`
	Status string  `json:"status"`
	KeyID  *string `json:"keyId"`
}

// Set is a value that was accepted.
type Set struct {
	Value    any  `json:"value"`
	Verified bool `json:"verified"`
}

// Unset is an attribute that was cleared.
type Unset struct {
	Attribute string `json:"attribute"`
	Verified  bool   `json:"verified"`
}

// Company is one that the user belongs to.
type Company struct {
	ID         string         `json:"id"`
	Verified   bool           `json:"verified"`
	Attributes map[string]Set `json:"attributes"`
	Unset      []Unset        `json:"unset"`
}

// Refused is an attribute that was rejected or dropped, and why.
type Refused struct {
	Attribute string  `json:"attribute"`
	Company   *string `json:"company"`
	Reason    string  `json:"reason"`
}

// Source is where the event was.
type Source struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Timestamp int64  `json:"timestamp"`
}

func (verdict *Verdict) reject(reason string) { verdict.Reason = &reason }

// outputs judges a record and makes the records that tell its verdict.
func (settings *Settings) outputs(record *kgo.Record, out sinks) []*kgo.Record {
	verdict := Verdict{
		Rejected: []Refused{},
		Dropped:  []Refused{},
		Source:   Source{record.Topic, record.Partition, record.Offset, record.Timestamp.UnixMilli()},
	}
	settings.judge(record.Value, record.Timestamp, &verdict)
	switch {
	case verdict.Reason != nil:
		verdict.Verdict = "rejected"
		return []*kgo.Record{verdict.record(out.rejected, "rejected", out.source)}
	case len(verdict.Rejected) == 0:
		verdict.Verdict = "accepted"
		return []*kgo.Record{verdict.record(out.accepted, "accepted", out.source)}
	}
	verdict.Verdict = "partial"
	accepted := verdict.record(out.accepted, "accepted", out.source)
	verdict.Values = nil
	return []*kgo.Record{accepted, verdict.record(out.rejected, "rejected", out.source)}
}

func (verdict *Verdict) record(topic, channel string, source []byte) *kgo.Record {
	value, err := codec.Marshal(verdict)
	if err != nil {
		panic(err) // every field is of a type that JSON knows
	}
	key := verdict.key()
	return &kgo.Record{Topic: topic, Key: key, Value: value, Headers: verdict.headers(channel, source, key)}
}

// What is the same in every record is made once.
var (
	specversion = []byte("1.0")
	contentType = []byte("application/json")
)

// headers are those of CloudEvents 1.0 in Kafka's binary mode, and those by which a subscriber filters; none for what isn't
// known.
func (verdict *Verdict) headers(channel string, source, key []byte) []kgo.RecordHeader {
	at := &verdict.Source
	id := at.Topic + "/" + strconv.Itoa(int(at.Partition)) + "/" + strconv.FormatInt(at.Offset, 10) + "/" + channel
	headers := make([]kgo.RecordHeader, 0, 11)
	add := func(name string, value []byte) {
		if len(value) > 0 {
			headers = append(headers, kgo.RecordHeader{Key: name, Value: value})
		}
	}
	add("ce_specversion", specversion)
	add("ce_id", []byte(id))
	add("ce_source", source)
	add("ce_type", []byte("attrsync.verdict."+verdict.Verdict))
	add("ce_time", []byte(verdict.Event.Time))
	add("ce_subject", key)
	add("content-type", contentType)
	add("attrsync-reason", []byte(verdict.reasons()))
	if verdict.Organization != nil {
		add("attrsync-organization", []byte(*verdict.Organization))
	}
	if verdict.Event.Type != nil {
		add("attrsync-event-type", []byte(*verdict.Event.Type))
	}
	if proof := &verdict.Verification; proof.Method != "" {
		add("attrsync-verification", []byte(proof.Method+"/"+proof.Status))
	}
	return headers
}

// reasons are the event's, else those of its rejected attributes, each once.
func (verdict *Verdict) reasons() string {
	if verdict.Reason != nil {
		return *verdict.Reason
	}
	all := ""
	for _, refused := range verdict.Rejected {
		if !strings.Contains(","+all+",", ","+refused.Reason+",") {
			all = strings.TrimPrefix(all+","+refused.Reason, ",")
		}
	}
	return all
}

func (verdict *Verdict) key() []byte {
	for _, identity := range []*string{verdict.User.UserID, verdict.User.Email, verdict.User.AnonymousID} {
		if identity != nil && verdict.Organization != nil {
			return []byte(*verdict.Organization + ":" + *identity)
		}
	}
	return nil
}
