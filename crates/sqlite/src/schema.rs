//! The tables as Diesel sees them; `migrations/sqlite` makes them.

diesel::table! {
    users (id) {
        id -> BigInt,
        username -> Text,
        username_key -> Text,
        password_hash -> Text,
        version -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    sessions (user_id, version) {
        user_id -> BigInt,
        version -> BigInt,
        verifier -> Binary,
        expires_at -> BigInt,
        opened_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    call_totals (api, user_id) {
        api -> Text,
        user_id -> BigInt,
        calls -> BigInt,
    }
}

diesel::table! {
    call_series (api, step, start) {
        api -> Text,
        step -> Integer,
        start -> BigInt,
        admitted -> BigInt,
        limited -> BigInt,
        repeated -> BigInt,
        refused -> BigInt,
    }
}

diesel::table! {
    call_sketches (api, span, start) {
        api -> Text,
        span -> Integer,
        start -> BigInt,
        sketches -> Binary,
    }
}

diesel::table! {
    incarnations (incarnation) {
        incarnation -> Binary,
        epoch -> BigInt,
        flushed_at -> BigInt,
        process -> Nullable<Binary>,
        closed -> Bool,
        behind -> Bool,
    }
}

diesel::table! {
    installation (name) {
        name -> Text,
        value -> Binary,
    }
}

diesel::table! {
    processes (incarnation) {
        incarnation -> Binary,
        expires_at -> BigInt,
    }
}

diesel::joinable!(sessions -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(users, sessions);
