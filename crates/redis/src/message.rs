//! What is sent: a command, or a script by its name or its text.

use fred::{
    clients::Client,
    error::Error,
    interfaces::ClientLike,
    types::{ClusterHash, CustomCommand, Value, config::Options},
};

use crate::{arguments::Arguments, scripts::Script};

/// A command with its arguments, to be sent as often as it takes.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    what: What<'a>,
    arguments: Arguments,
}

#[derive(Debug)]
enum What<'a> {
    Command(&'static str),
    Script(&'a Script),
}

/// How a message is sent this time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Way {
    /// A script by its text, for an engine that does not know it.
    pub(crate) by_text: bool,
    /// `ASKING` goes before it, with nothing between them, so that a server takes it for a slot that is only just moving to it.
    pub(crate) asking: bool,
    /// When a script does nothing any more, in microseconds of the engine's clock.
    pub(crate) not_after: Option<u64>,
}

/// Where `EVALSHA` and `EVAL` have their first key: after the script and the number of keys.
const FIRST_KEY: usize = 2;

impl<'a> Message<'a> {
    pub(crate) fn script(script: &'a Script, arguments: Arguments) -> Self {
        Self { what: What::Script(script), arguments }
    }

    pub(crate) fn command(name: &'static str, arguments: Arguments) -> Self {
        Self { what: What::Command(name), arguments }
    }

    /// Whether it bears the latest time at which it is executed.
    pub(crate) fn is_timed(&self) -> bool {
        self.arguments.are_timed()
    }

    /// Sends it and waits for the answer.
    pub(crate) async fn send(
        &self,
        client: &Client,
        options: &Options,
        Way { by_text, asking, not_after }: Way,
    ) -> Result<Value, Error> {
        let (name, key_at, words) = match &self.what {
            What::Command(name) => (*name, 0, self.arguments.all()),
            What::Script(script) if by_text => {
                ("EVAL", FIRST_KEY, self.arguments.after(&script.text, not_after))
            }
            What::Script(script) => ("EVALSHA", FIRST_KEY, self.arguments.after(&script.name, not_after)),
        };
        // As a custom command, since the driver's own script calls do not heed the options.
        let command = CustomCommand::new_static(name, ClusterHash::Offset(key_at), false);
        if !asking {
            return client.with_options(options).custom(command, words).await;
        }
        // Never twice: what follows a lost connection would come without the permission.
        let once = Options { max_attempts: Some(1), fail_fast: true, ..options.clone() };
        let both = client.pipeline().with_options(&once);
        let permission = CustomCommand::new_static("ASKING", ClusterHash::Offset(0), false);
        let () = both.custom(permission, Vec::<Value>::new()).await?;
        let () = both.custom(command, words).await?;
        both.last().await
    }
}
