# Short names for what is done every day; each line runs without `just`, too.

# List them.
default:
    @just --list --unsorted

# Everything that must pass.
test:
    scripts/test

# The tests alone, against services that stay up.
check *arguments:
    scripts/services up
    eval "$(scripts/services env)" && cargo test --locked {{ arguments }}

# A real Kafka and PostgreSQL: up, down, restart, status, env.
services *arguments:
    scripts/services {{ arguments }}

# What one judgement costs.
bench *arguments:
    cargo bench --locked {{ arguments }}

# Format the code.
fmt:
    cargo fmt

# attrsync beside what people would write themselves; `scaling`, `latency`, `backlog`: alone.
side-by-side *arguments:
    scripts/bench {{ arguments }}
