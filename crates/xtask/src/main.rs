//! Builds, tests, measures and demonstrates edgegrant.
fn main() {}
