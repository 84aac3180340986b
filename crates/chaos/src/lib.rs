//! Tollbar under faults. [`model`] holds its protocols to their promises in every order of their steps.

pub mod model;
