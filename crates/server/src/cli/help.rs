//! What `--help` teaches beyond the options.

/// For `-h`.
pub(super) const SHORT: &str = "\
`tollbar --help` has examples and exit codes; `tollbar COMMAND --help` has those of a command.";

/// For `--help`.
pub(super) const LONG: &str = "\
Examples:
  tollbar                                        serve on SQLite and memory, at 127.0.0.1:8080
  tollbar --config tollbar.toml                  serve by a file
  tollbar check --config tollbar.toml            is the file good?
  tollbar explain --path /orders/7 --user 42     why was user 42 denied?
  tollbar top --window 24h --by limited          who is limited most?
  tollbar user show ada                          who is ada, and how much does she call?
  tollbar user logout ada                        end all of her sessions, everywhere
  tollbar limits reset ada --policy orders       give her the whole quota of a policy back
  tollbar --json user sessions ada | jq .        the same for programs: one JSON document

Who is asked:
Accounts and sessions are in the database. Limits, live counts and cached sessions are in Redis, or, without it, in the memory of \
the process that serves: then the command asks that process, at its operator listener (admin.bind, or --admin URL). A process of \
another database is never asked by mistake; one that --admin names is asked in any case, and the database is not opened.

With --json, a command prints one JSON document on standard output. An error is one on standard error:
  {\"error\":\"there is no such user\",\"exitCode\":3}

Exit codes:
  0  done, or yes
  1  it could not be done: the line on standard error says why
  2  the command line makes no sense
  3  no: no such user, policy or API; a mistake found by check; something to do for migrate";

/// For `check`.
pub(super) const CHECK: &str = "\
Nothing is opened: the settings are read as a start reads them. Exit code 3 where they have a mistake.

With --json: {\"good\":true,\"source\":\"tollbar.toml\",\"policies\":4}";

/// For `explain`.
pub(super) const EXPLAIN: &str = "\
Examples:
  tollbar explain --path /ping --user 42
  tollbar explain --method POST --path /orders/7 --header X-Api-Key=abc
  tollbar explain --path /login --address 192.0.2.1

The policies are those of the settings; the state of their windows is asked of Redis, or of the process that serves.

With --json: {\"method\",\"path\",\"refused\"?,\"passedOver\":[{\"number\",\"policy\",\"why\"}],\"policy\"?,\"unmatched\"?,\"subject\"?, \
\"windows\":[{\"name\",\"quota\",\"period\",\"remaining\"?,\"resetAfter\"?,\"retryAfter\"?}],\"unknown\"?,\"admits\"?}; durations are seconds.";

/// For `migrate`.
pub(super) const MIGRATE: &str = "\
Migrations run in one transaction: all of them, or none. On a terminal a bar shows how far it is.

Examples:
  tollbar migrate             what has not run runs now
  tollbar migrate --check     what has not run? Exit code 3 where there is anything

With --json: {\"ran\":[\"2025-11-21-000001_users\"]}, or with --check {\"pending\":[]}";

/// For `top`.
pub(super) const TOP: &str = "\
Examples:
  tollbar top                              who called most of all time, as GET /top
  tollbar top --window 24h --by limited    who is limited most
  tollbar top --api orders --limit 100

Numbers that are said to be of the ledger may lack the calls of the last counts.flush, and whatever Redis was not told of.

With --json: {\"api\",\"window\",\"from\"?,\"by\",\"top\":[{\"userId\",\"calls\"}],\"maxError\",\"stale\"?}, as GET /top?window=…";

/// For `user`.
pub(super) const USER: &str = "\
NAME is a username, in any case, or id:7 for the user of that number.

Examples:
  tollbar user show ada         number, since when, live sessions, calls by API
  tollbar user sessions ada     when each session was opened and when it ends
  tollbar user logout id:42     end all of them: durably first, then in the live tier

With --json:
  show      {\"id\",\"username\",\"createdAt\",\"liveSessions\",\"calls\":[{\"api\",\"calls\"}]}
  sessions  {\"id\",\"username\",\"sessions\":[{\"session\",\"openedAt\",\"expiresAt\"}]}
  logout    {\"id\",\"username\",\"ended\",\"confirmed\"}";

/// For `limits`.
pub(super) const LIMITS: &str = "\
Examples:
  tollbar limits reset ada                         of all policies, and of all paths
  tollbar limits reset ada --policy orders
  tollbar limits reset --client 192.0.2.1          of a client's address (an IPv6 client is its /64)
  tollbar limits reset --header X-Api-Key=abc

Sessions and counts stay as they are. A process that has denied somebody denies them again from memory until the wait is over, for \
session.cache_ttl at most; the process that is asked forgets that at once. Where several processes share one Redis, ask each of them \
by --admin.

With --json: {\"reset\",\"othersDenyFor\",\"process\"}: how many states were forgotten, for how many seconds processes that were not asked may \
still deny (null: there are none), and which process did it (null: none was found)";

/// For `completions`.
pub(super) const COMPLETIONS: &str = "\
Examples:
  tollbar completions bash > /etc/bash_completion.d/tollbar
  tollbar completions zsh > \"${fpath[1]}/_tollbar\"
  tollbar completions fish > ~/.config/fish/completions/tollbar.fish";
