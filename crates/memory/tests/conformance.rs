//! The memory tier keeps what its ports promise.

mod harness;

mod session_cache {
    tollbar_contract::session_cache_suite!(crate::harness::Memory);
}
mod session_cache_loss {
    tollbar_contract::session_cache_loss_suite!(crate::harness::Memory);
}
mod rate_limiter {
    tollbar_contract::rate_limiter_suite!(crate::harness::Memory);
}
mod rate_limiter_random {
    tollbar_contract::rate_limiter_random_suite!(crate::harness::Memory);
}
mod rate_limiter_reset {
    tollbar_contract::rate_limiter_reset_suite!(crate::harness::Memory);
}
mod call_tracker {
    tollbar_contract::call_tracker_suite!(crate::harness::Memory);
}
mod one_trip {
    tollbar_contract::one_trip_suite!(crate::harness::Memory);
}
mod one_trip_limits {
    tollbar_contract::one_trip_limits_suite!(crate::harness::Memory);
}
mod one_trip_at_once {
    tollbar_contract::one_trip_at_once_suite!(crate::harness::Memory);
}
mod rate_limiter_subjects {
    tollbar_contract::rate_limiter_subjects_suite!(crate::harness::Memory);
}
mod rate_limiter_gcra {
    tollbar_contract::rate_limiter_gcra_suite!(crate::harness::Memory);
}
mod one_trip_others {
    tollbar_contract::one_trip_others_suite!(crate::harness::Memory);
}
