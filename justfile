# Recipes for people; `just` lists them. Everything here is a short name for a command that works without just.

set dotenv-load

compose := "docker compose --file docker/compose.yaml"

# List the recipes
default:
    @just --list

# Run the service on SQLite and memory
[group('run')]
run *args:
    cargo run --release -- {{ args }}

# Start Tollbar, PostgreSQL and Redis in containers
[group('run')]
up:
    {{ compose }} up --detach --build --wait

# Stop the containers; their volumes stay
[group('run')]
down:
    {{ compose }} down

# Follow the service's log
[group('run')]
logs:
    {{ compose }} logs --follow tollbar

# Run every test against private engines; arguments go to cargo test
[group('check')]
test *args:
    cargo xtask test -- {{ args }}

# Measure Tollbar beside a bare web server, a trip a step and well-known parts; installs wrk
[group('check')]
bench *args:
    cargo xtask bench {{ args }}

# Explore the models of the protocols in the large size; takes minutes
[group('check')]
model:
    cargo xtask model

# Run clippy with warnings denied
[group('check')]
lint:
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# Format everything
[group('check')]
fmt:
    cargo fmt --all

# Check licences, sources and bans of what we depend on (needs cargo-deny)
[group('check')]
deny:
    cargo deny check bans licenses sources

# Run all that a change has to pass
[group('check')]
ci:
    .ci/run

# Build and open the documentation of the crates
[group('check')]
doc:
    cargo doc --workspace --no-deps --open

# Bring the schema up to date (the service does so at every start)
[group('data')]
migrate *args:
    cargo run --release -- migrate {{ args }}

# Open a shell on the container's PostgreSQL
[group('data')]
psql:
    {{ compose }} exec postgres psql --username tollbar tollbar

# Open a shell on the container's Redis
[group('data')]
redis-cli:
    {{ compose }} exec redis redis-cli

# Open the database of the default configuration
[group('data')]
sqlite:
    sqlite3 data/tollbar.db
