//! `edgegrant pull`

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Outcome, output};
use crate::disk;
use crate::failure::{Exit, Failure};
use crate::pull::{
    AlertLogic, Api, Astra, AwsMarketplace, Endpoint, Meraki, OpenMeter, Progress, Secret, pull,
};

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

impl Given {
    fn endpoint(&self, usual: &str) -> Result<Endpoint, Failure> {
        Endpoint::parse(self.endpoint.as_deref().unwrap_or(usual))
    }
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    match &args.source {
        Source::AwsMarketplace(OfAws { given, products, region }) => {
            let api = AwsMarketplace {
                products: products.clone(),
                region: region.clone(),
                access_key: variable("AWS_ACCESS_KEY_ID")?,
                secret_key: secret("AWS_SECRET_ACCESS_KEY")?,
                session: optional("AWS_SESSION_TOKEN")?,
            };
            fetch(&api, &given.endpoint(AwsMarketplace::ENDPOINT)?, given, json)
        }
        Source::Meraki(OfMeraki { given, organizations }) => {
            let endpoint = given.endpoint(Meraki::ENDPOINT)?;
            let key = secret("MERAKI_DASHBOARD_API_KEY")?;
            let organizations = organizations.clone();
            let api = Meraki { organizations, key, endpoint: endpoint.clone() };
            fetch(&api, &endpoint, given, json)
        }
        Source::Astra(OfAstra { given, accounts }) => {
            let api = Astra { accounts: accounts.clone(), token: secret("ASTRA_API_TOKEN")? };
            fetch(&api, &given.endpoint(Astra::ENDPOINT)?, given, json)
        }
        Source::AlertLogic(OfAlertLogic { given, accounts }) => {
            let access_key = variable("ALERTLOGIC_ACCESS_KEY_ID")?;
            let secret_key = secret("ALERTLOGIC_SECRET_KEY")?;
            let api = AlertLogic::new(accounts.clone(), access_key, secret_key);
            fetch(&api, &given.endpoint(AlertLogic::ENDPOINT)?, given, json)
        }
        Source::Openmeter(OfOpenMeter { given }) => {
            let api = OpenMeter { token: optional("OPENMETER_TOKEN")? };
            fetch(&api, &given.endpoint(OpenMeter::ENDPOINT)?, given, json)
        }
    }
}

fn fetch(api: &dyn Api, endpoint: &Endpoint, given: &Given, json: bool) -> Outcome {
    let shown = !json && io::stderr().is_terminal();
    let pulled = pull(api, endpoint, &given.out, output::now(), |progress| {
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

/// What the environment says, or a file that the variable with `_FILE` behind its name names.
pub(super) fn variable(name: &str) -> Result<String, Failure> {
    let mut value = std::env::var(name).unwrap_or_default();
    if value.is_empty()
        && let Ok(file) = std::env::var(format!("{name}_FILE"))
    {
        let bytes = disk::read(Path::new(&file), SECRET_BYTES)?;
        value = String::from_utf8_lossy(&bytes).into_owned();
    }
    let value = value.trim();
    if value.is_empty() {
        let message = format!("set {name}, or {name}_FILE to a file that holds it");
        return Err(Failure::bad_input("no-secret", message));
    }
    Ok(value.to_owned())
}

/// No secret is longer.
const SECRET_BYTES: u64 = 1 << 16;

pub(super) fn secret(name: &str) -> Result<Secret, Failure> {
    variable(name).map(|value| Secret::new(&value))
}

/// A secret that not everybody needs.
pub(super) fn optional(name: &str) -> Result<Option<Secret>, Failure> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if set(name) || set(&format!("{name}_FILE")) { secret(name).map(Some) } else { Ok(None) }
}
