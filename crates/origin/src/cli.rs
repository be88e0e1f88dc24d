//! The command line: one file for each verb.

/// Prints a line. A reader that has seen enough, like `head`, is no fault.
macro_rules! say {
    ($($line:tt)*) => { $crate::cli::output::say(format_args!($($line)*)) };
}

mod bar;
mod callers;
mod check;
mod diff;
mod explain;
mod gate;
mod gc;
mod generate;
mod history;
mod import;
mod inspect;
mod keygen;
mod output;
mod publish;
mod pull;
mod query;
mod run;
mod schema;
mod secrets;
mod serve;
mod slice;
mod types;
mod validate;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::{Exit, Failure};

const EXIT_CODES: &str = "\
Exit codes:
  0  done, and the answer is yes
  1  done, and the answer is no (`check` without access, `query fit` and `query satisfies` when
     not, `history` of what has none, `slice` of an unknown subject), or something differs (`diff`)
  2  arguments, facts or records are wrong; nothing was written
  3  a file or the network could not be read or written
  4  a signature, digest or snapshot was refused

Keys and tokens are read from files or the environment, never from arguments.";

/// Compile, sign, serve and ask snapshots of entitlements.
#[derive(Debug, Parser)]
#[command(name = "edgegrant", version, after_help = EXIT_CODES)]
struct Cli {
    /// Print JSON: the result on standard output, warnings and errors one a line on standard error.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Keygen(keygen::Args),
    Validate(validate::Args),
    Schema(schema::Args),
    Import(import::Args),
    Pull(pull::Args),
    Generate(generate::Args),
    Publish(publish::Args),
    Run(run::Args),
    Gc(gc::Args),
    Serve(serve::Args),
    Slice(slice::Args),
    Check(check::Args),
    Explain(explain::Args),
    History(history::Args),
    Query(query::Args),
    Inspect(inspect::Args),
    Verify(verify::Args),
    Diff(diff::Args),
    Types(types::Args),
}

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.verb {
        Verb::Keygen(args) => keygen::run(args, cli.json),
        Verb::Validate(args) => validate::run(args, cli.json),
        Verb::Schema(args) => schema::run(args),
        Verb::Import(args) => import::run(args, cli.json),
        Verb::Pull(args) => pull::run(args, cli.json),
        Verb::Generate(args) => generate::run(args),
        Verb::Publish(args) => publish::run(args, cli.json),
        Verb::Run(args) => run::run(args, cli.json),
        Verb::Gc(args) => gc::run(args, cli.json),
        Verb::Serve(args) => serve::run(args, cli.json),
        Verb::Slice(args) => slice::run(args, cli.json),
        Verb::Check(args) => check::run(args, cli.json),
        Verb::Explain(args) => explain::run(args, cli.json),
        Verb::History(args) => history::run(args, cli.json),
        Verb::Query(args) => query::run(args, cli.json),
        Verb::Inspect(args) => inspect::run(args, cli.json),
        Verb::Verify(args) => verify::run(args, cli.json),
        Verb::Diff(args) => diff::run(args, cli.json),
        Verb::Types(args) => types::run(args),
    };
    let exit = result.unwrap_or_else(|failure| {
        report(&failure, cli.json);
        failure.exit
    });
    ExitCode::from(exit as u8)
}

fn report(failure: &Failure, json: bool) {
    if json {
        let error = serde_json::json!({ "code": failure.code, "message": failure.message });
        eprintln!("{}", serde_json::json!({ "error": error }));
    } else {
        eprintln!("edgegrant: {failure}");
    }
}

/// What a verb returns.
type Outcome = Result<Exit, Failure>;

/// Prints one line of JSON.
fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value);
    say!("{}", text.map_err(|error| Failure::bad_input("json", error.to_string()))?);
    Ok(())
}
