# shellcheck shell=bash
# The certificates that our services show. Sourced, after say.sh.

# certificate FOLDER: a key and a certificate for 127.0.0.1, made once: key.pem, which its owner alone may read, certificate.pem, and
# authority.pem, which signed that one and whose key nobody has any more.
certificate() {
  local part=$1/tls.part key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3650)
  [[ ! -e $1/authority.pem ]] || return 0
  rm -rf "$part" && mkdir -p "$part"
  logged "$part/log" openssl req -x509 "${key[@]}" -subj '/CN=attrsync tests' \
    -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign' -keyout "$part/authority.key" -out "$part/authority.pem"
  logged "$part/log" openssl req -x509 "${key[@]}" -CA "$part/authority.pem" -CAkey "$part/authority.key" -subj '/CN=127.0.0.1' \
    -addext 'basicConstraints=critical,CA:FALSE' -addext 'subjectAltName=IP:127.0.0.1,DNS:localhost' \
    -keyout "$part/key.pem" -out "$part/certificate.pem"
  mv "$part"/{key,certificate}.pem "$1/"
  mv "$part/authority.pem" "$1/"
  rm -rf "$part"
}
