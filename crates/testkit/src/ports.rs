//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener};

use crate::error::EngineError;

// Below the range from which systems take the ports of outgoing connections (32768 on Linux, 49152 elsewhere): a
// client that keeps dialling a killed server there would one day be given the server's own port, connect to itself,
// and keep the server from starting again.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A random port that was free a moment ago. Another process may take it first, so whoever uses it must notice that.
pub fn free_port() -> Result<u16, EngineError> {
    let mut last = None;
    for _ in 0..100 {
        let mut random = [0; 2];
        getrandom::fill(&mut random)?;
        let port = FIRST + u16::from_ne_bytes(random) % COUNT;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) => last = Some(error),
        }
    }
    let source = last.unwrap_or_else(|| std::io::ErrorKind::AddrInUse.into());
    Err(EngineError::Io { action: "find a free port on loopback".into(), source })
}
