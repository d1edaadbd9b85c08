# shellcheck shell=bash
# The certificates that our services show. Sourced, after say.sh.

# certificate FOLDER: a key and a certificate for 127.0.0.1 that is its own authority, made once: key.pem, which its owner alone may
# read, and certificate.pem.
certificate() {
  [[ ! -e $1/certificate.pem ]] || return 0
  local making=(req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650 -subj '/CN=attrsync tests'
    -addext 'subjectAltName=IP:127.0.0.1,DNS:localhost' -keyout "$1/key.pem" -out "$1/certificate.pem.part")
  logged "$1/certificate.log" openssl "${making[@]}"
  mv "$1/certificate.pem.part" "$1/certificate.pem"
}
