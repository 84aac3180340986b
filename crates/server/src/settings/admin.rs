//! `[admin]`: where operators are listened to.

use std::net::SocketAddr;

use super::{SettingsError, keys::Keys};

/// Where the operator listener is; `None` where it is off.
pub(super) fn read(keys: &Keys) -> Result<Option<SocketAddr>, SettingsError> {
    keys.parse("admin.bind", |text| {
        if text == "off" {
            return Ok(None);
        }
        let wanted = "address and port, such as 127.0.0.1:9090, or \"off\"";
        text.parse().map(Some).map_err(|_| wanted.to_owned())
    })
}
