//! Redis keeps what the live ports promise, however it is deployed.

mod harness;

/// The suites of all live ports.
macro_rules! suites {
    ($deployment:ident) => {
        mod session_cache {
            tollbar_contract::session_cache_suite!(crate::harness::Redis<crate::harness::$deployment>);
        }
        mod rate_limiter {
            tollbar_contract::rate_limiter_suite!(crate::harness::Redis<crate::harness::$deployment>);
        }
        mod rate_limiter_random {
            tollbar_contract::rate_limiter_random_suite!(crate::harness::Redis<crate::harness::$deployment>);
        }
        mod rate_limiter_reset {
            tollbar_contract::rate_limiter_reset_suite!(crate::harness::Redis<crate::harness::$deployment>);
        }
        mod call_tracker {
            tollbar_contract::call_tracker_suite!(crate::harness::Redis<crate::harness::$deployment>);
        }
        mod one_trip {
            tollbar_contract::one_trip_suite!(crate::harness::Redis<crate::harness::$deployment>);
        }
        mod one_trip_limits {
            tollbar_contract::one_trip_limits_suite!(crate::harness::Redis<crate::harness::$deployment>);
        }
        mod one_trip_at_once {
            tollbar_contract::one_trip_at_once_suite!(crate::harness::Redis<crate::harness::$deployment>);
        }
        mod rate_limiter_subjects {
            tollbar_contract::rate_limiter_subjects_suite!(
                crate::harness::Redis<crate::harness::$deployment>
            );
        }
        mod rate_limiter_gcra {
            tollbar_contract::rate_limiter_gcra_suite!(crate::harness::Redis<crate::harness::$deployment>);
        }
        mod one_trip_others {
            tollbar_contract::one_trip_others_suite!(crate::harness::Redis<crate::harness::$deployment>);
        }
        mod pending_calls {
            tollbar_contract::pending_calls_suite!(crate::harness::Redis<crate::harness::$deployment>);
        }
    };
}

mod server {
    suites!(Server);

    mod session_cache_loss {
        tollbar_contract::session_cache_loss_suite!(crate::harness::Redis<crate::harness::Server>);
    }
}

mod cluster {
    suites!(Cluster);
}

mod sentinels {
    suites!(Sentinels);
}
