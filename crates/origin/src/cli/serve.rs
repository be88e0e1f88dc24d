//! `edgegrant serve`

use std::path::PathBuf;

use edgegrant::{Instant, gate};

use super::{Outcome, output, secrets};
use crate::compat::{self, World};
use crate::failure::{Exit, Failure};
use crate::folder::Folder;
use crate::serve::Server;

/// Serve a published folder on 127.0.0.1, for development.
///
/// The head is public. The private part asks for `Authorization: Bearer …` with the token of the
/// file or of the environment's EDGEGRANT_TOKEN. With --compat, the read calls of other systems are
/// answered too, on the paths that their own clients use and for whoever gives the token as these
/// clients give credentials.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder that publish wrote.
    folder: PathBuf,
    /// The port; 0 chooses one.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// A file that holds the token.
    #[arg(long)]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    compat: Compat,
}

/// What other systems' clients are answered from.
#[derive(Debug, clap::Args)]
struct Compat {
    /// Answer other systems' own read calls: decisions from the folder's snapshot, the rest from
    /// the facts that it was published from.
    #[arg(
        long = "compat",
        value_name = "FACTS",
        num_args = 1..,
        requires = "audience",
        requires = "trusted_keys"
    )]
    facts: Vec<PathBuf>,
    /// Whom the snapshot must be for.
    #[arg(long, env = "EDGEGRANT_AUDIENCE")]
    audience: Option<String>,
    /// A key whose signature counts, as keygen printed it.
    #[arg(long = "trusted-key", env = "EDGEGRANT_TRUSTED_KEYS", value_delimiter = ',')]
    trusted_keys: Vec<String>,
    /// How many of them must have signed.
    #[arg(long, default_value_t = 1)]
    threshold: usize,
    /// The present; the host's clock when absent.
    #[arg(long, value_parser = output::instant)]
    now: Option<Instant>,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let token = token(args)?;
    let folder = Folder::new(&args.folder);
    let world = args.compat.world(&folder, &token)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::io(&args.folder, &error))?;
    runtime.block_on(async {
        let server = Server::bind(&folder, &token, world, args.port).await?;
        let url = format!("http://{}/", server.address);
        if json {
            say!("{}", serde_json::json!({ "url": url }));
        } else {
            say!("serving {} at {url}", args.folder.display());
        }
        server.run().await
    })?;
    Ok(Exit::Ok)
}

impl Compat {
    /// The world to ask, if somebody asked for one.
    fn world(&self, folder: &Folder, token: &str) -> Result<Option<World>, Failure> {
        if self.facts.is_empty() {
            return Ok(None);
        }
        let audience = self.audience.clone().unwrap_or_default();
        let now = self.now;
        let options = compat::Options {
            folder: folder.clone(),
            facts: self.facts.clone(),
            gate: gate::Options::parse(audience, &self.trusted_keys, self.threshold)?,
            clock: Box::new(move || now.unwrap_or_else(output::now)),
        };
        World::open(options, token).map(Some)
    }
}

fn token(args: &Args) -> Result<String, Failure> {
    let message = "the private part needs a token; name a --token-file or set EDGEGRANT_TOKEN";
    let token = secrets::token(args.token_file.as_deref())?;
    token.ok_or_else(|| Failure::bad_input("token-missing", message))
}
