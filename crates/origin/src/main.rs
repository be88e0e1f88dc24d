//! The `edgegrant` command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    edgegrant_origin::cli::run()
}
