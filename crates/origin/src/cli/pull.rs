//! `edgegrant pull`

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::callers::{Caller, System, Wanted};
use super::{Outcome, output};
use crate::failure::Exit;
use crate::pull::{AwsMarketplace, Progress, pull};

/// Ask another system's API for what `import` reads.
///
/// A pull that was broken off goes on where it stood, if it is called again within a day. Secrets
/// are read from the environment, or from the file that a variable's name with _FILE behind it
/// names.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Source {
    AwsMarketplace(OfAws),
    Meraki(OfMeraki),
    Astra(OfAstra),
    AlertLogic(OfAlertLogic),
    Openmeter(OfOpenMeter),
}

/// From AWS Marketplace's Entitlement Service, as the seller whose key AWS_ACCESS_KEY_ID,
/// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN hold.
#[derive(Debug, clap::Args)]
struct OfAws {
    #[command(flatten)]
    given: Given,
    /// A product code.
    #[arg(long = "product", required = true, value_name = "CODE")]
    products: Vec<String>,
    /// The region that requests are signed for.
    #[arg(long, default_value = AwsMarketplace::REGION)]
    region: String,
}

/// From the Meraki Dashboard API, with the key in MERAKI_DASHBOARD_API_KEY.
#[derive(Debug, clap::Args)]
struct OfMeraki {
    #[command(flatten)]
    given: Given,
    /// The id of an organization.
    #[arg(long = "organization", required = true, value_name = "ID")]
    organizations: Vec<String>,
}

/// From Astra Control, with the token in ASTRA_API_TOKEN.
#[derive(Debug, clap::Args)]
struct OfAstra {
    #[command(flatten)]
    given: Given,
    /// The id of an account.
    #[arg(long = "account", required = true, value_name = "ID")]
    accounts: Vec<String>,
}

/// From Alert Logic, with the access key in ALERTLOGIC_ACCESS_KEY_ID and ALERTLOGIC_SECRET_KEY.
#[derive(Debug, clap::Args)]
struct OfAlertLogic {
    #[command(flatten)]
    given: Given,
    /// The id of an account.
    #[arg(long = "account", required = true, value_name = "ID")]
    accounts: Vec<String>,
}

/// From OpenMeter, with the token in OPENMETER_TOKEN if the server wants one.
#[derive(Debug, clap::Args)]
struct OfOpenMeter {
    #[command(flatten)]
    given: Given,
}

/// What every pull is told.
#[derive(Debug, clap::Args)]
struct Given {
    /// The folder that the answers go to, in place of what is there.
    #[arg(long, short)]
    out: PathBuf,
    /// Where the API is, if not where everybody's is.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let (given, system, ids, region) = match &args.source {
        Source::AwsMarketplace(of) => {
            (&of.given, System::AwsMarketplace, of.products.as_slice(), Some(of.region.as_str()))
        }
        Source::Meraki(of) => (&of.given, System::Meraki, of.organizations.as_slice(), None),
        Source::Astra(of) => (&of.given, System::Astra, of.accounts.as_slice(), None),
        Source::AlertLogic(of) => (&of.given, System::AlertLogic, of.accounts.as_slice(), None),
        Source::Openmeter(of) => (&of.given, System::Openmeter, [].as_slice(), None),
    };
    let endpoint = given.endpoint.as_deref();
    let caller = Wanted { system, ids, endpoint, region, prefix: "" }.caller()?;
    fetch(&caller, &given.out, json)
}

fn fetch(Caller { api, endpoint }: &Caller, out: &Path, json: bool) -> Outcome {
    let shown = !json && io::stderr().is_terminal();
    let pulled = pull(api.as_ref(), endpoint, out, output::now(), |progress| {
        if shown {
            show(progress);
        }
    });
    if shown {
        eprintln!();
    }
    let pulled = pulled?;
    if json {
        super::print_json(&pulled)?;
    } else {
        let (answers, resumed) = (pulled.answers, pulled.resumed);
        say!("{answers} answers, {resumed} of them from before, as of {}", pulled.begun_at);
    }
    Ok(Exit::Ok)
}

/// One line that is written over.
fn show(Progress { answers, left, waiting_seconds }: Progress) {
    let waiting = match waiting_seconds {
        0 => String::new(),
        seconds => format!(", waiting {seconds} s"),
    };
    eprint!("\r{answers} answers, {left} to ask for{waiting}\u{1b}[K");
    let _nobody_reads = io::stderr().flush();
}
