// What is true of an event: whose it is, whether its proof holds at its own time, and what becomes of each attribute.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bytedance/sonic"
	"github.com/golang-jwt/jwt/v5"
)

const leeway = 60 * time.Second

// millisecondsFrom is the number from which on a time in a token is one of milliseconds.
const millisecondsFrom = 1e12

// Numbers keep their digits.
var codec = sonic.Config{UseNumber: true}.Froze()

// Times are checked at event time and not at the wall clock's.
var parser = jwt.NewParser(jwt.WithoutClaimsValidation())

var errAlgorithm = errors.New("no key of this algorithm")

// What an SDK sends that is no attribute.
var (
	noAttribute = set("organization", "appId", "featurebaseJwt", "userHash", "companyHash", "userId", "email",
		"anonymousId", "companies", "theme", "themeMode", "language", "languageOverride", "hideDefaultLauncher",
		"alignment", "horizontalPadding", "verticalPadding", "actionColor", "backgroundColor", "messenger", "$brandId")
	registered = set("iss", "sub", "aud", "exp", "nbf", "iat", "jti")
)

func set(names ...string) map[string]bool {
	all := make(map[string]bool, len(names))
	for _, name := range names {
		all[name] = true
	}
	return all
}

type envelope struct {
	ID      any `json:"id"`
	Type    any `json:"type"`
	Context struct {
		AnonymousID any `json:"anonymousId"`
	} `json:"context"`
	Payload map[string]any `json:"payload"`
}

// judge fills in the verdict of one event.
func (settings *Settings) judge(value []byte, at time.Time, verdict *Verdict) {
	verdict.Event.Time = stamp(at)
	var event envelope
	if err := codec.Unmarshal(value, &event); err != nil || event.Payload == nil {
		verdict.reject("malformed_json")
		return
	}
	payload := event.Payload
	verdict.Event.ID, verdict.Event.Type = text(event.ID), text(event.Type)
	verdict.User = User{text(payload["userId"]), text(payload["email"]), text(event.Context.AnonymousID)}
	if event.Type != "identify" && event.Type != "boot" {
		verdict.reject("unknown_type")
		return
	}
	slug := text(payload["organization"])
	if slug == nil {
		verdict.reject("missing_organization")
		return
	}
	organization := settings.organizations[*slug]
	if organization == nil {
		verdict.reject("unknown_organization")
		return
	}
	verdict.Organization = slug
	claims, reason := organization.verify(payload, at, verdict)
	if reason != "" {
		verdict.Verification.Status, verdict.Verification.KeyID = "failed", nil
		verdict.reject(reason)
		return
	}
	organization.decide(claims, payload, verdict)
}

// verify checks the token, else the hash, else that nobody is claimed.
func (organization *Organization) verify(payload map[string]any, at time.Time, verdict *Verdict) (jwt.MapClaims, string) {
	user := &verdict.User
	if token := text(payload["featurebaseJwt"]); token != nil {
		verdict.Verification.Method = "jwt"
		claims, reason := organization.claims(*token, at, verdict)
		if reason == "" {
			reason = agree(claims, user)
		}
		return claims, reason
	}
	if hash := text(payload["userHash"]); hash != nil {
		verdict.Verification.Method = "hmac"
		return nil, organization.hash(*hash, user, verdict)
	}
	verdict.Verification = Verification{Method: "none", Status: "anonymous"}
	if user.UserID != nil || user.Email != nil {
		return nil, "proof_missing"
	}
	if user.AnonymousID == nil && *verdict.Event.Type == "identify" {
		return nil, "missing_identity"
	}
	return nil, ""
}

// tokenClaims are read by sonic; golang-jwt's own would be read by encoding/json.
type tokenClaims struct{ jwt.MapClaims }

func (claims *tokenClaims) UnmarshalJSON(text []byte) error {
	return codec.Unmarshal(text, &claims.MapClaims)
}

// claims are those of a token whose key, signature and times are right.
func (organization *Organization) claims(token string, at time.Time, verdict *Verdict) (jwt.MapClaims, string) {
	var read tokenClaims
	_, err := parser.ParseWithClaims(token, &read, func(token *jwt.Token) (any, error) {
		kid, _ := token.Header["kid"].(string)
		key := organization.byID[kid]
		if key == nil {
			key = organization.keyFor(token.Method)
		}
		if key == nil || key.method != token.Method {
			return nil, errAlgorithm
		}
		verdict.Verification.KeyID = &key.ID
		return key.verifier, nil
	})
	switch {
	case errors.Is(err, errAlgorithm):
		return nil, "algorithm_not_allowed"
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return nil, "signature_invalid"
	case err != nil || read.MapClaims == nil:
		return nil, "token_malformed"
	}
	claims := read.MapClaims
	for _, name := range [...]string{"exp", "nbf", "iat"} {
		if reason := misdated(claims, name); reason != "" {
			return nil, reason
		}
	}
	if expires, _ := claims.GetExpirationTime(); expires != nil && at.After(expires.Add(leeway)) {
		return nil, "token_expired"
	}
	if from, _ := claims.GetNotBefore(); from != nil && at.Before(from.Add(-leeway)) {
		return nil, "token_not_yet_valid"
	}
	verdict.Verification.Status = "verified"
	return claims, ""
}

// misdated says why a time in a token is none; nothing where it is one, or isn't there.
func misdated(claims jwt.MapClaims, name string) string {
	value, there := claims[name]
	if !there {
		return ""
	}
	number, _ := value.(json.Number)
	seconds, err := number.Float64()
	switch {
	case err != nil:
		return "time_malformed"
	case seconds >= millisecondsFrom:
		return "time_in_milliseconds"
	}
	return ""
}

func (organization *Organization) keyFor(method jwt.SigningMethod) *Key {
	for _, key := range organization.Keys {
		if key.method == method {
			return key
		}
	}
	return nil
}

// agree says whether the token names somebody, and whom the event names; the verdict's user is then the signed one.
func agree(claims jwt.MapClaims, user *User) string {
	id, email := text(claims["userId"]), text(claims["email"])
	if id == nil && email == nil {
		return "token_identity_missing"
	}
	if id != nil && user.UserID != nil && *id != *user.UserID ||
		email != nil && user.Email != nil && !strings.EqualFold(*email, *user.Email) {
		return "identity_mismatch"
	}
	user.UserID, user.Email = id, email
	return ""
}

func (organization *Organization) hash(hash string, user *User, verdict *Verdict) string {
	identifier := user.UserID
	if identifier == nil {
		identifier = user.Email
	}
	if identifier == nil {
		return "hash_without_identity"
	}
	given, err := hex.DecodeString(hash)
	if err != nil || len(given) != sha256.Size {
		return "hash_malformed"
	}
	for at := range organization.IdentitySecrets {
		secret := &organization.IdentitySecrets[at]
		mac := hmac.New(sha256.New, []byte(secret.Secret))
		mac.Write([]byte(*identifier))
		if hmac.Equal(given, mac.Sum(nil)) {
			verdict.Verification.KeyID, verdict.Verification.Status = &secret.ID, "verified"
			return ""
		}
	}
	return "hash_mismatch"
}

// decide rules on every attribute: the signed ones, then those that the client sent beside them.
func (organization *Organization) decide(claims jwt.MapClaims, payload map[string]any, verdict *Verdict) {
	verdict.Values = &Values{Attributes: make(map[string]Set, len(claims)+len(payload)), Unset: []Unset{}}
	page := page{verdict: verdict, table: organization.Attributes, set: verdict.Attributes, unset: &verdict.Unset}
	for name, value := range claims {
		if !noAttribute[name] && !registered[name] {
			page.rule(name, value, true, false)
		}
	}
	for name, value := range payload {
		if !noAttribute[name] {
			_, signed := claims[name]
			page.rule(name, value, false, signed)
		}
	}
	if email := text(payload["email"]); email != nil && verdict.Verification.Method == "hmac" && verdict.User.UserID != nil {
		// The hash covers the user's id: the address is an attribute.
		verdict.User.Email = nil
		page.rule("email", *email, false, false)
	}
	organization.companies(claims["companies"], true, verdict)
	organization.companies(payload["companies"], false, verdict)
}

func (organization *Organization) companies(list any, signed bool, verdict *Verdict) {
	companies, listed := list.([]any)
	if list != nil && !listed {
		reason := "wrong_type"
		if !signed && organization.Membership.Locked {
			reason = "locked"
		}
		verdict.Rejected = append(verdict.Rejected, Refused{"companies", nil, reason})
	}
	for _, entry := range companies {
		company, _ := entry.(map[string]any)
		id := text(company["id"])
		if id == nil {
			verdict.Rejected = append(verdict.Rejected, Refused{"companies", nil, "company_id_missing"})
			continue
		}
		if !signed && organization.Membership.Locked {
			verdict.Rejected = append(verdict.Rejected, Refused{"companies", id, "locked"})
			continue
		}
		said := Company{ID: *id, Verified: signed, Attributes: make(map[string]Set, len(company)), Unset: []Unset{}}
		page := page{verdict, organization.CompanyAttributes, said.Attributes, &said.Unset, id}
		for name, value := range company {
			if name != "id" {
				page.rule(name, value, signed, false)
			}
		}
		verdict.Companies = append(verdict.Companies, said)
	}
}

// page is where attributes of one owner are ruled on.
type page struct {
	verdict *Verdict
	table   map[string]Attribute
	set     map[string]Set
	unset   *[]Unset
	company *string
}

func (page *page) rule(name string, value any, signed, superseded bool) {
	attribute, configured := page.table[name]
	drop := func(reason string) {
		page.verdict.Dropped = append(page.verdict.Dropped, Refused{name, page.company, reason})
	}
	switch {
	case !configured:
		drop("not_configured")
	case attribute.Locked && !signed:
		page.verdict.Rejected = append(page.verdict.Rejected, Refused{name, page.company, "locked"})
	case superseded:
		drop("superseded")
	case value == nil:
		*page.unset = append(*page.unset, Unset{name, signed})
	default:
		value, reason := attribute.fit(value)
		if reason != "" {
			page.verdict.Rejected = append(page.verdict.Rejected, Refused{name, page.company, reason})
			return
		}
		page.set[name] = Set{value, signed}
	}
}

// fit gives the value as it is emitted, or says why it doesn't fit the attribute's type.
func (attribute *Attribute) fit(value any) (any, string) {
	switch value := value.(type) {
	case string:
		if attribute.Type == "date" {
			at, err := time.Parse(time.RFC3339, value)
			if err != nil {
				return nil, "wrong_type"
			}
			return stamp(at), ""
		}
		if attribute.Type == "text" {
			return value, attribute.fitText(value)
		}
	case bool:
		if attribute.Type == "boolean" {
			return value, ""
		}
	case json.Number:
		if _, err := value.Float64(); err == nil && attribute.Type == "number" {
			return value, ""
		}
	case []any:
		if attribute.Type == "text_list" {
			return value, attribute.fitList(value)
		}
	}
	return nil, "wrong_type"
}

func (attribute *Attribute) fitList(list []any) string {
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return "wrong_type"
		}
		if reason := attribute.fitText(text); reason != "" {
			return reason
		}
	}
	return ""
}

func (attribute *Attribute) fitText(text string) string {
	most := attribute.MaxChars
	if most == 0 {
		most = 255
	}
	if len(text) > most && utf8.RuneCountInString(text) > most {
		return "too_long"
	}
	if len(attribute.Options) > 0 && !slices.Contains(attribute.Options, text) {
		return "not_an_option"
	}
	return ""
}

// text of an identity; absent where it is empty or none.
func text(value any) *string {
	switch value := value.(type) {
	case string:
		if value != "" {
			return &value
		}
	case json.Number:
		if digits := value.String(); !strings.ContainsAny(digits, ".eE") {
			return &digits
		}
	}
	return nil
}

func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }
