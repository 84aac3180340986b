//! Use case: what operators ask about an account, and the end of its sessions.

use std::sync::Arc;

use crate::{
    StoreError,
    domain::{AccountName, Tally},
    ports::{Account, CallLedger, Clock, SessionFacts, SessionStore, UserRepo},
    sessions::{Ended, TieredSessions},
};

/// What is told of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountReport {
    /// Whose it is, and since when.
    pub account: Account,
    /// The sessions that live, oldest first.
    pub sessions: Vec<SessionFacts>,
    /// Admitted calls that are in the ledger, by API.
    pub calls: Vec<Tally>,
}

/// Tells of accounts, and ends their sessions.
pub struct Accounts {
    users: Arc<dyn UserRepo>,
    sessions: Arc<TieredSessions>,
    store: Arc<dyn SessionStore>,
    ledger: Arc<dyn CallLedger>,
    clock: Arc<dyn Clock>,
}

impl Accounts {
    /// Accounts of these users, whose sessions are those of `sessions` over `store`.
    pub fn new(
        users: Arc<dyn UserRepo>,
        sessions: Arc<TieredSessions>,
        store: Arc<dyn SessionStore>,
        ledger: Arc<dyn CallLedger>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { users, sessions, store, ledger, clock }
    }

    /// Whose account it is, and since when. `None`: there is no such user.
    ///
    /// # Errors
    /// The durable tier failed.
    pub async fn find(&self, name: &AccountName) -> Result<Option<Account>, StoreError> {
        self.users.account(name).await
    }

    /// All that is told of an account. `None`: there is no such user.
    ///
    /// # Errors
    /// The durable tier failed.
    pub async fn report(&self, name: &AccountName) -> Result<Option<AccountReport>, StoreError> {
        let Some(account) = self.find(name).await? else { return Ok(None) };
        let sessions = self.store.list(account.user, self.clock.now()).await?;
        let calls = self.ledger.of_user(account.user).await?;
        Ok(Some(AccountReport { account, sessions, calls }))
    }

    /// Ends all sessions of an account; by the time of the answer they are dead everywhere, if it is confirmed. `None`: there is no such user.
    ///
    /// # Errors
    /// A tier failed.
    pub async fn logout(&self, name: &AccountName) -> Result<Option<(Account, Ended)>, StoreError> {
        let Some(account) = self.find(name).await? else { return Ok(None) };
        let ended = self.sessions.close_all(account.user).await?;
        Ok(ended.map(|ended| (account, ended)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{SessionSet, Timestamp, TokenKey, UserId, Username, Version},
        ports::{
            AllClosed, ManualClock, MockCallLedger, MockSessionCache, MockSessionStore, MockUserRepo,
            Published, Ticket,
        },
        sessions::SessionOptions,
    };

    fn ada() -> AccountName {
        "ada".parse().unwrap()
    }

    fn account() -> Account {
        let (user, created_at) = (UserId::new(7).unwrap(), Timestamp::from_micros(1));
        Account { user, username: Username::new("Ada").unwrap(), created_at }
    }

    fn accounts(known: bool, cache: MockSessionCache, store: MockSessionStore) -> Accounts {
        let (mut users, clock) = (MockUserRepo::new(), Arc::new(ManualClock::new()));
        users.expect_account().returning(move |_| Ok(known.then(account)));
        let (store, key) = (Arc::new(store), TokenKey::from_bytes([1; 32]));
        let (cache, options) = (Arc::new(cache), SessionOptions::default());
        let sessions = Arc::new(TieredSessions::new(store.clone(), cache, clock.clone(), key, options));
        Accounts::new(Arc::new(users), sessions, store, Arc::new(MockCallLedger::new()), clock)
    }

    #[tokio::test]
    async fn a_logout_changes_both_tiers_and_says_whether_both_know() {
        for (published, confirmed) in [(true, true), (false, false)] {
            let (mut cache, mut store) = (MockSessionCache::new(), MockSessionStore::new());
            let down = || StoreError::transient("test", "down");
            cache.expect_change().once().returning(|_| Ok(Ticket { at: Timestamp::default(), lease: None }));
            cache.expect_lookup().returning(move |_| Err(down()));
            cache
                .expect_publish()
                .withf(|user, set, _| user.get() == 7 && set.version == Version::new(9))
                .returning(move |_, _, _| if published { Ok(Published::Written) } else { Err(down()) });
            let set = SessionSet { version: Version::new(9), sessions: vec![] };
            store
                .expect_close_all()
                .once()
                .returning(move |_, _| Ok(Some(AllClosed { ended: 2, set: set.clone() })));
            let ended = accounts(true, cache, store).logout(&ada()).await.unwrap();
            assert_eq!(ended, Some((account(), Ended { sessions: 2, confirmed })));
        }
    }

    #[tokio::test]
    async fn of_nobody_nothing_is_told_or_changed() {
        let accounts = accounts(false, MockSessionCache::new(), MockSessionStore::new());
        assert_eq!(accounts.report(&ada()).await.unwrap(), None);
        assert_eq!(accounts.logout(&ada()).await.unwrap(), None);
    }
}
