# One image with all programs: factorial, factorial-gateway, -worker, -reaper, -dashboard, and factorial-sim, a simulated model.
# They are one file: factorial, called by the name of another one, is that one.
#
#   docker build -t factorial:local .
#   docker run --rm factorial:local factorial --help
#
# It has no shell and no package manager, runs as user 65532, and writes nothing: run it with a read-only root.

# The dashboard's page.
FROM node:22.20.0-bookworm-slim AS page
WORKDIR /page
COPY services/dashboard/page/package.json services/dashboard/page/package-lock.json services/dashboard/page/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY services/dashboard/page/ ./
RUN npm run build

# The programs. Dependencies are kept in caches that outlive the layers, so a change of the sources compiles only the sources.
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
COPY --from=page /page/dist services/dashboard/page/dist
# Symbols would be half of the image; panics still tell file and line.
ENV CARGO_PROFILE_RELEASE_STRIP=symbols
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --locked --release -p factorial-cli \
    && mkdir -p /image/usr/local/bin \
    && cp target/release/factorial /image/usr/local/bin/ \
    && for name in gateway worker reaper dashboard sim; do ln -s factorial "/image/usr/local/bin/factorial-$name"; done
# What they need of the system: libraries, certificates of public authorities, a user. The package database is kept in the form
# that scanners look for, so that they know which glibc this is.
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN ldd /image/usr/local/bin/factorial | grep -o '/[^ :]*\.so[^ ]*' | sort -u | xargs -I{} cp -L --parents {} /image \
    && mkdir -p /image/etc/ssl/certs /image/var/lib/dpkg/status.d /image/tmp \
    && cp -L /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && for package in libc6 libgcc-s1 ca-certificates; do dpkg-query --status "$package" >"/image/var/lib/dpkg/status.d/$package"; done \
    && cp /etc/os-release /image/etc/os-release \
    && echo 'hosts: files dns' >/image/etc/nsswitch.conf \
    && echo 'factorial:x:65532:65532::/:/sbin/nologin' >/image/etc/passwd \
    && echo 'factorial:x:65532:' >/image/etc/group

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Factorial" \
      org.opencontainers.image.description="Orchestrator for LLM agents: gateway, worker, reaper, dashboard, and the factorial command" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image /
# A container's network is its own, so everything listens on it; the same admin port whatever the role.
ENV PATH=/usr/local/bin \
    FACTORIAL_GATEWAY_HOST=0.0.0.0 \
    FACTORIAL_OBSERVABILITY_HOST=0.0.0.0 \
    FACTORIAL_ADMIN_HOST=0.0.0.0 \
    FACTORIAL_ADMIN_PORT=8001
USER 65532:65532
EXPOSE 8000 8001 8080
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s --retries=3 \
  CMD ["factorial", "healthcheck", "http://127.0.0.1:8001/readyz"]
CMD ["factorial", "--help"]
