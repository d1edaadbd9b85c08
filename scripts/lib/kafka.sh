# shellcheck shell=bash
# shellcheck disable=SC2034 # scripts/services reads some of these by the service's name: ${1}_port
# One Apache Kafka node in KRaft mode, from Maven Central's jars. Sourced by scripts/services, after process.sh.

kafka_port=${ATTRSYNC_KAFKA_PORT:-29092}
kafka_controller_port=${ATTRSYNC_KAFKA_CONTROLLER_PORT:-29093}
kafka_secure_port=${ATTRSYNC_KAFKA_SECURE_PORT:-$((kafka_controller_port + 1))}
kafka_address=127.0.0.1:$kafka_port
kafka_secure_address=127.0.0.1:$kafka_secure_port
kafka_dir=$services_dir/kafka
kafka_log=$kafka_dir/log
kafka_pid=$kafka_dir/pid
kafka_properties=$kafka_dir/server.properties
kafka_authority=$kafka_dir/authority.pem
kafka_jars=$kafka_dir/jars

kafka_running() { running_pid "$kafka_pid" "$kafka_properties"; }

# One Metadata request (v1, no topics) through bash's own TCP. The answer names one broker only once the node has joined
# its cluster: an open port doesn't tell that, and a JVM started to ask would cost a second each time.
kafka_answers() {
  local request='\0\0\0\x0e\0\x03\0\x01\0\0\0\x01\xff\xff\0\0\0\0' correlation=00000001 one_broker=00000001
  (
    exec 3<>"/dev/tcp/127.0.0.1/$kafka_port" && printf '%b' "$request" >&3 &&
      [[ $(timeout 2 head -c 12 <&3 | od -An -v -tx1 | tr -d ' \n') == ????????$correlation$one_broker ]]
  ) 2>/dev/null
}

kafka_start() {
  mkdir -p "$kafka_dir"
  kafka_fetch
  [[ $kafka_secure_port != "$kafka_port" ]] || die "ATTRSYNC_KAFKA_SECURE_PORT is to name another port than $kafka_port"
  local port
  for port in "$kafka_secure_port" "$kafka_controller_port"; do
    wait_until 5 port_free "$port" || die "port $port is taken; ATTRSYNC_KAFKA_SECURE_PORT and ATTRSYNC_KAFKA_CONTROLLER_PORT name others"
  done
  certificate "$kafka_dir"
  # The broker wants both in one file.
  (umask 077 && cat "$kafka_dir"/{key,certificate}.pem >"$kafka_dir/keystore.pem")
  kafka_configuration >"$kafka_properties"
  kafka_format
  # Under ZGC no pause was longer than 11 ms. G1 on two cores that clients keep busy stops the broker for 10 to 150 ms, about each
  # second, and its pauses would be what a measurement of latency shows.
  (cd "$kafka_dir" && exec setsid java -Xmx1g -XX:+UseZGC -Djava.awt.headless=true \
    -Dorg.slf4j.simpleLogger.showDateTime=true '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS' \
    -cp 'jars/*' kafka.Kafka "$kafka_properties" </dev/null >"$kafka_log" 2>&1 8>&- 9>&-) &
  printf '%s\n' "$!" >"$kafka_pid"
  disown
  wait_until 300 kafka_decided && ! ended "$(pid_in "$kafka_pid")" || start_failed kafka
}

# Answers, or has ended and never will.
kafka_decided() { kafka_answers || ended "$(pid_in "$kafka_pid")"; }

# kafka_stop SIGNAL
kafka_stop() {
  stop_process "$kafka_pid" "$kafka_properties" "$1"
  rm -f "$kafka_pid"
}

# What `down --purge` removes: all but the jars.
kafka_purge() { rm -rf "$kafka_dir/data" "$kafka_dir"/*log "$kafka_dir"/*.pem "$kafka_properties"; }

# The jars, once for each version of the pom.
kafka_fetch() {
  local pom=$scripts_dir/kafka/pom.xml jars=$kafka_jars
  ! cmp -s "$pom" "$jars/pom.xml" || return 0
  say "fetching the broker's jars with Maven"
  rm -rf "$jars" "$jars.part"
  logged "$kafka_dir/maven.log" \
    mvn -B -ntp -f "$pom" dependency:copy-dependencies "-DoutputDirectory=$jars.part"
  cp "$pom" "$jars.part/"
  mv "$jars.part" "$jars"
}

kafka_configuration() {
  local text
  text=$(<"$scripts_dir/kafka/server.properties")
  text=${text//@dir@/"$kafka_dir"}
  text=${text//@port@/"$kafka_port"}
  text=${text//@secure_port@/"$kafka_secure_port"}
  printf '%s\n' "${text//@controller_port@/"$kafka_controller_port"}"
}

# What runs is what would be started.
kafka_current() { [[ -e $kafka_authority ]] && kafka_configuration | cmp -s - "$kafka_properties"; }

# kafka_acls ARGUMENT…: Kafka's own program for the rights of its users.
kafka_acls() {
  java -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$kafka_jars/*" org.apache.kafka.tools.AclCommand \
    --bootstrap-server "$kafka_address" "$@"
}

# The storage, once; what an interrupted format left is begun anew.
kafka_format() {
  [[ ! -e $kafka_dir/data/meta.properties ]] || return 0
  local format=(kafka.tools.StorageTool format -t "$(kafka_cluster_id)" -c "$kafka_properties")
  rm -rf "$kafka_dir/data"
  logged "$kafka_dir/format.log" java -cp "$kafka_dir/jars/*" "${format[@]}"
}

# Sixteen random bytes as Kafka writes them, 22 characters of base64url; one that began with a dash would be taken as an option.
kafka_cluster_id() { head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | tr -d '='; }
