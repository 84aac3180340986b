//! What a [`UserRepo`](tollbar_core::ports::UserRepo) promises.

use std::{collections::HashSet, time::Duration};

use tollbar_core::{
    domain::{PasswordHash, UserId, Username},
    ports::{Clock, CreateUserError, Credentials, SystemClock},
};

use crate::{UserRepoHarness, together};

fn name(text: &str) -> Username {
    Username::new(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::new(text)
}

/// Creates a user for the cases of other suites.
pub(crate) async fn someone(harness: &impl UserRepoHarness, username: &str) -> UserId {
    harness.user_repo().create(&name(username), &hash("hash")).await.expect("a fresh name is free")
}

suite! {
    ($) user_repo_suite, user_repo, UserRepoHarness;

    /// What was created is found, in any case.
    async fn a_created_user_is_found_in_any_case(harness) {
        let users = harness.user_repo();
        let user = users.create(&name("Ada.Lovelace"), &hash("$2b$04$x")).await.unwrap();
        for spelling in ["Ada.Lovelace", "ada.lovelace", "ADA.LOVELACE"] {
            let found = users.find(&name(spelling)).await.unwrap();
            assert_eq!(found, Some(Credentials { user, hash: hash("$2b$04$x") }), "{spelling}");
        }
    }

    /// `None` means that there is no such user.
    async fn an_unknown_user_is_none(harness) {
        someone(&harness, "ada").await;
        assert_eq!(harness.user_repo().find(&name("adam")).await.unwrap(), None);
    }

    /// An account is told of by name, in any case, and by number: in its own case, and since about now.
    async fn an_account_is_told_of_by_name_and_by_number(harness) {
        let users = harness.user_repo();
        let before = SystemClock.now();
        let user = users.create(&name("Ada.Lovelace"), &hash("hash")).await.unwrap();
        someone(&harness, "bob").await;
        for spelling in ["ada.lovelace", "ADA.LOVELACE", &format!("id:{user}")] {
            let account = users.account(&spelling.parse().unwrap()).await.unwrap().unwrap();
            assert_eq!((account.user, account.username.as_str()), (user, "Ada.Lovelace"), "{spelling}");
            let (early, late) = (before.since(account.created_at), account.created_at.since(before));
            assert!(early.max(late) < Duration::from_secs(60), "{account:?}");
        }
        for unknown in ["ada", "id:987654321"] {
            assert_eq!(users.account(&unknown.parse().unwrap()).await.unwrap(), None, "{unknown}");
        }
    }

    /// A taken name is refused in any case, and its user stays as it is.
    async fn a_taken_name_is_refused_and_changes_nothing(harness) {
        let users = harness.user_repo();
        let user = users.create(&name("ada"), &hash("first")).await.unwrap();
        for spelling in ["ada", "Ada"] {
            let refused = users.create(&name(spelling), &hash("second")).await;
            assert!(matches!(refused, Err(CreateUserError::Taken)), "{refused:?}");
        }
        let found = users.find(&name("ada")).await.unwrap();
        assert_eq!(found, Some(Credentials { user, hash: hash("first") }));
    }

    /// Every character of a name and every length is kept.
    async fn every_valid_name_is_kept_apart(harness) {
        let users = harness.user_repo();
        let long = "z".repeat(64);
        let mut seen = HashSet::new();
        for text in ["a", ".", "_", "-", "@", "+", "a_b", "aXb", "a.b", "0", "00", &long, &long[1..]] {
            let user = users.create(&name(text), &hash(text)).await.unwrap();
            assert!(seen.insert(user), "{text} shares its number");
            assert_eq!(users.find(&name(text)).await.unwrap().map(|found| found.user), Some(user));
        }
    }

    /// Fifty who ask for one name at once make one user.
    async fn fifty_concurrent_signups_of_one_name_give_one_user(harness) {
        let users = harness.user_repo();
        let results = together(50, |index| {
            let users = users.clone();
            let spelling = if index % 2 == 0 { "Same" } else { "sAME" };
            async move { users.create(&name(spelling), &hash(&index.to_string())).await }
        })
        .await;
        let created: Vec<usize> = (0..50).filter(|&index| results[index].is_ok()).collect();
        let taken = results.iter().filter(|result| matches!(result, Err(CreateUserError::Taken))).count();
        assert_eq!((created.len(), taken), (1, 49), "{results:?}");
        let found = users.find(&name("same")).await.unwrap().map(|found| (Ok(found.user), found.hash));
        let expected = (results[created[0]].clone().map_err(|_| ()), hash(&created[0].to_string()));
        assert_eq!(found, Some(expected));
    }

    /// Fifty who ask for different names at once make fifty users with fifty numbers.
    async fn fifty_concurrent_signups_of_different_names_give_fifty_users(harness) {
        let users = harness.user_repo();
        let results = together(50, |index| {
            let users = users.clone();
            async move { users.create(&name(&format!("user{index}")), &hash("hash")).await.unwrap() }
        })
        .await;
        assert_eq!(results.iter().collect::<HashSet<_>>().len(), 50);
    }
}
