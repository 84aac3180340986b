//! `[admin]`: where operators are listened to, and under which names.

use std::net::SocketAddr;

use super::{SettingsError, keys::Keys};

/// Where the operator listener is; `None` where it is off. Clients are not served there.
pub(super) fn read(keys: &Keys, clients: SocketAddr) -> Result<Option<SocketAddr>, SettingsError> {
    keys.parse("admin.bind", |text| {
        if text == "off" {
            return Ok(None);
        }
        let wanted = "address and port, such as 127.0.0.1:9090, or \"off\"";
        let address: SocketAddr = text.parse().map_err(|_| wanted.to_owned())?;
        if address == clients && address.port() != 0 {
            return Err("it must be another than server.bind".to_owned());
        }
        Ok(Some(address))
    })
}

/// The names of hosts, in lower case, under which it is reached beside addresses and localhost.
pub(super) fn hosts(keys: &Keys) -> Result<Vec<String>, SettingsError> {
    keys.parse("admin.hosts", |text| {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names: Vec<_> = names.map(str::to_ascii_lowercase).collect();
        let is_host = |name: &String| {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        };
        if names.iter().all(is_host) {
            Ok(names)
        } else {
            Err("names of hosts without a port, divided by commas".to_owned())
        }
    })
}
