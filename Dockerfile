# attrsync in a container: the binary, certificate authorities and the C library, run by nobody in particular.
#
#   docker build --build-arg ATTRSYNC_COMMIT="$(git rev-parse --short=12 HEAD)" --tag attrsync:0.1.0 .
#   docker build --target symbols --output symbols .      # attrsync.debug, for gdb and perf
#   docker run --read-only --volume ./attrsync.toml:/etc/attrsync/attrsync.toml:ro attrsync:0.1.0
#
# The working folder is /etc/attrsync: attrsync.toml and settings.toml are found there. Nothing is ever written.

# As rust-toolchain.toml says.
ARG RUST=1.95.0
# Of the builder's Debian, whose C library the binary is linked against. For a build that can be repeated, give a digest:
# --build-arg RUNTIME=gcr.io/distroless/cc-debian12@sha256:…
ARG RUNTIME=gcr.io/distroless/cc-debian12:nonroot

FROM rust:${RUST}-slim-bookworm AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends build-essential cmake perl \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src

# The dependencies, librdkafka and OpenSSL among them, in a layer that only a change of Cargo.toml or Cargo.lock makes again.
# Cargo wants to see each target that the manifest names, so there are empty ones.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src benches/run benches/settings \
 && tee build.rs src/main.rs benches/judge.rs benches/run/main.rs benches/settings/main.rs \
      <<<'fn main() {}' \
 && touch src/lib.rs \
 && cargo build --locked --release --bin attrsync

# Cargo goes by times, and copied files keep theirs: what was built from the empty ones must look older.
COPY . .
ARG ATTRSYNC_COMMIT=
RUN touch build.rs src/lib.rs src/main.rs \
 && ATTRSYNC_COMMIT="$ATTRSYNC_COMMIT" cargo build --locked --release --bin attrsync \
 && mkdir /out \
 && objcopy --only-keep-debug target/release/attrsync /out/attrsync.debug \
 && objcopy --strip-unneeded --add-gnu-debuglink=/out/attrsync.debug target/release/attrsync /out/attrsync

FROM scratch AS symbols
COPY --from=build /out/attrsync.debug /

# hadolint ignore=DL3006
FROM ${RUNTIME}
ARG ATTRSYNC_COMMIT=
LABEL org.opencontainers.image.title="attrsync" \
      org.opencontainers.image.description="Verifies identify and boot events from Kafka and emits every verdict with its reason, exactly once" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${ATTRSYNC_COMMIT}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY LICENSE /usr/share/doc/attrsync/LICENSE
COPY --from=build /out/attrsync /usr/local/bin/attrsync
WORKDIR /etc/attrsync
USER 65532:65532
# Probes and metrics; the dashboard. Both listen on loopback unless admin.address and dashboard.address say otherwise.
EXPOSE 9464 9465
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["/usr/local/bin/attrsync", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/attrsync"]
CMD ["run"]
