// The settings, read once: keys are parsed here and kept.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/golang-jwt/jwt/v5"
)

// Settings are the organizations by slug.
type Settings struct{ organizations map[string]*Organization }

// Organization is one tenant.
type Organization struct {
	Slug              string               `json:"slug"`
	Keys              []*Key               `json:"jwt_keys"`
	IdentitySecrets   []Secret             `json:"identity_secrets"`
	Attributes        map[string]Attribute `json:"attributes"`
	CompanyAttributes map[string]Attribute `json:"company_attributes"`
	Membership        struct {
		Locked bool `json:"locked"`
	} `json:"membership"`
	byID map[string]*Key
}

// Key verifies tokens of its one algorithm.
type Key struct {
	ID        string `json:"id"`
	Algorithm string `json:"algorithm"`
	Secret    string `json:"secret"`
	PublicKey string `json:"public_key"`
	verifier  any
	method    jwt.SigningMethod
}

// Secret verifies hashes of identifiers.
type Secret struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
}

// Attribute is a configured one.
type Attribute struct {
	Type     string   `json:"type"`
	MaxChars int      `json:"max_chars"`
	Options  []string `json:"options"`
	Locked   bool     `json:"locked"`
}

func loadSettings(path string) (*Settings, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var document struct {
		Organizations []*Organization `json:"organizations"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	settings := &Settings{organizations: map[string]*Organization{}}
	for _, organization := range document.Organizations {
		organization.byID = map[string]*Key{}
		for _, key := range organization.Keys {
			if err := key.prepare(); err != nil {
				return nil, fmt.Errorf("key %s: %w", key.ID, err)
			}
			organization.byID[key.ID] = key
		}
		settings.organizations[organization.Slug] = organization
	}
	return settings, nil
}

func (key *Key) prepare() (err error) {
	key.method = jwt.GetSigningMethod(key.Algorithm)
	switch key.Algorithm {
	case "HS256":
		key.verifier = []byte(key.Secret)
	case "RS256":
		key.verifier, err = jwt.ParseRSAPublicKeyFromPEM([]byte(key.PublicKey))
	case "ES256":
		key.verifier, err = jwt.ParseECPublicKeyFromPEM([]byte(key.PublicKey))
	default:
		err = fmt.Errorf("algorithm %s is not supported", key.Algorithm)
	}
	return err
}
