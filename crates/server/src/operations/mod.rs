//! What operators ask for, by whichever way it is done: in this process, beside those that serve, or by asking one of them.

mod admin_client;
mod answers;
mod beside;
mod found;
mod here;
mod questions;

pub(crate) use admin_client::AdminClient;
pub(crate) use admin_client::{AdminError, AdminUrl};
pub(crate) use answers::{
    About, AccountAnswer, ApiCalls, LogoutAnswer, PeekAnswer, Place, ResetAnswer, SessionAnswer,
    SessionsAnswer, TopAnswer,
};
pub(crate) use beside::Beside;
pub(crate) use found::Absence;
pub(crate) use found::{Need, find, process_of};
pub(crate) use here::Refusal;
pub(crate) use here::{Here, subject};
pub(crate) use questions::{
    AccountQuestion, PeekQuestion, PolicyQuestion, ResetQuestion, TopQuestion, Whose,
};
