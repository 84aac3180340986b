//! What an [`Installation`](tollbar_core::ports::Installation) promises.

use tollbar_core::ports::Fact;

use crate::{InstallationHarness, together};

suite! {
    ($) installation_suite, installation, InstallationHarness;

    /// The first proposal is kept, byte for byte, and every later one is answered with it.
    async fn the_first_proposal_is_kept(harness) {
        let installation = harness.installation();
        let every_byte: Vec<u8> = (0..=255).collect();
        assert_eq!(installation.kept(Fact::TokenKey).await.unwrap(), None);
        assert_eq!(installation.decide(Fact::TokenKey, &every_byte).await.unwrap(), every_byte);
        assert_eq!(installation.kept(Fact::TokenKey).await.unwrap(), Some(every_byte.clone()));
        assert_eq!(installation.kept(Fact::RedisPrefix).await.unwrap(), None);
        assert_eq!(installation.decide(Fact::TokenKey, b"another").await.unwrap(), every_byte);
    }

    /// Facts do not mix.
    async fn facts_are_kept_apart(harness) {
        let installation = harness.installation();
        let facts = [Fact::TokenKey, Fact::RedisPrefix, Fact::RedisPartitions];
        for fact in facts {
            assert_eq!(installation.decide(fact, fact.name().as_bytes()).await.unwrap(), fact.name().as_bytes());
        }
        for fact in facts {
            assert_eq!(installation.decide(fact, b"").await.unwrap(), fact.name().as_bytes());
        }
    }

    /// Processes that start at the same moment agree.
    async fn twenty_who_decide_at_once_agree(harness) {
        let installation = harness.installation();
        let answers = together(20, |index| {
            let installation = installation.clone();
            async move { installation.decide(Fact::TokenKey, &index.to_be_bytes()).await.unwrap() }
        })
        .await;
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
}
