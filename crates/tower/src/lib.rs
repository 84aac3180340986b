//! Tollbar's bar as a tower layer.
#![doc = include_str!("../README.md")]

mod layer;
mod request;

pub use layer::{BarLayer, Barred, CurrentUser};
pub use tollbar_wire::{Bar, BarOptions, Denial, HeaderFormat, TrustedProxies};
