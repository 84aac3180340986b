//! Where the engines' programs are on this machine.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::account::Account;
use crate::error::EngineError;

/// The path of `redis-server`.
pub fn find_redis() -> Result<PathBuf, EngineError> {
    find("redis-server")
}

/// The path of `nginx`.
pub fn find_nginx() -> Result<PathBuf, EngineError> {
    find("nginx")
}

/// The path of `caddy`.
pub fn find_caddy() -> Result<PathBuf, EngineError> {
    find("caddy")
}

/// The path of `pgbouncer`.
pub fn find_pgbouncer() -> Result<PathBuf, EngineError> {
    find("pgbouncer")
}

/// The path of `promtool`, which comes with Prometheus.
pub fn find_promtool() -> Result<PathBuf, EngineError> {
    find("promtool")
}

/// The path of Chromium, a browser.
pub fn find_chromium() -> Result<PathBuf, EngineError> {
    find("chromium")
}

/// The path of `chromedriver`, which drives it.
pub fn find_chromedriver() -> Result<PathBuf, EngineError> {
    find("chromedriver")
}

/// A program on the search path, or where distributions put programs that are not on everybody's.
fn find(name: &'static str) -> Result<PathBuf, EngineError> {
    let folders = ["/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin"].map(PathBuf::from);
    let programs = search_path().into_iter().chain(folders).map(|folder| folder.join(name));
    programs.into_iter().find(|program| executable(program)).ok_or(EngineError::NotInstalled(name))
}

/// The folder that holds both `initdb` and `postgres`.
///
/// PATH goes first, as it is what the user chose; then the folders in which distributions hide them, newest first.
pub fn find_postgres() -> Result<PathBuf, EngineError> {
    let account = Account::for_postgres()?;
    let folders = search_path()
        .into_iter()
        .chain(versioned("/usr/lib/postgresql", ""))
        .chain(versioned("/usr", "pgsql-"));
    let found = folders
        .filter(|folder| ["initdb", "postgres"].iter().all(|name| executable(&folder.join(name))))
        .find(|folder| runs(&folder.join("initdb"), account));
    found.ok_or(EngineError::NotInstalled("PostgreSQL (initdb and postgres)"))
}

fn search_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

/// `root/{prefix}{version}/bin`, newest first.
fn versioned(root: &str, prefix: &str) -> Vec<PathBuf> {
    let version = |folder: &Path| -> Option<u32> {
        folder.file_name()?.to_str()?.strip_prefix(prefix)?.split('.').next()?.parse().ok()
    };
    let folders = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<_> =
        folders.filter_map(|folder| Some((version(&folder)?, folder.join("bin")))).collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, folder)| folder).collect()
}

fn executable(program: &Path) -> bool {
    fs::metadata(program).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Whether the account can run it: programs below another user's home are out of its reach.
fn runs(program: &Path, account: Option<Account>) -> bool {
    let mut command = Command::new(program);
    command
        .arg("--version")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(account) = account {
        account.run(&mut command);
    }
    command.status().is_ok_and(|status| status.success())
}
