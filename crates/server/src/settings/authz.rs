//! `[authz]` and `headers`: whom to believe, and what clients are told of their limits.

use config::ValueKind;
use tollbar_http::{BarOptions, HeaderFormat, TrustedProxies};

use super::{SettingsError, keys::Keys};

/// What the bar is told; `session.cookie` is a part of it.
pub(super) fn read(keys: &Keys) -> Result<BarOptions, SettingsError> {
    let formats = [
        ("draft-11", HeaderFormat::Draft11),
        ("draft-03", HeaderFormat::Draft03),
        ("x-ratelimit", HeaderFormat::XRateLimit),
        ("off", HeaderFormat::Off),
    ];
    Ok(BarOptions {
        headers: keys.choice("headers", &formats)?,
        cookies: keys.choice("session.cookie", &[("false", false), ("true", true)])?,
        trusted_proxies: trusted_proxies(keys)?,
    })
}

fn trusted_proxies(keys: &Keys) -> Result<TrustedProxies, SettingsError> {
    const KEY: &str = "authz.trusted_proxies";
    let value = keys.value(KEY)?;
    // The environment has no lists: there it is one text.
    let texts: Vec<String> = if let ValueKind::Array(items) = &value.kind {
        let text = |(at, item): (usize, &config::Value)| {
            let one = item.clone().into_string();
            one.map_err(|_| keys.bad(&format!("{KEY}[{at}]"), item, "it must be one value"))
        };
        items.iter().enumerate().map(text).collect::<Result<_, _>>()?
    } else {
        let text = value.clone().into_string().unwrap_or_default();
        text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    };
    let trusted = TrustedProxies::new(texts.iter().map(String::as_str));
    trusted.map_err(|bad| {
        let at = texts.iter().position(|text| text == bad).unwrap_or_default();
        let key = format!("{KEY}[{at}]");
        let shown = config::Value::new(value.origin().map(str::to_owned).as_ref(), bad);
        keys.bad(&key, &shown, "it must be an address such as 10.0.0.1, or a network such as 10.0.0.0/8")
    })
}
