//! The `edgegrant` command line.
fn main() {}
