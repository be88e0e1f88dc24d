//! Who asks another system's API: the same for `pull` and `run`.
//!
//! Secrets come from the environment, or from the file that a variable's name with `_FILE` behind
//! it names.

use std::path::Path;

use serde::Deserialize;

use crate::disk;
use crate::failure::Failure;
use crate::pull::{AlertLogic, Api, Astra, AwsMarketplace, Endpoint, Meraki, OpenMeter, Secret};

/// A system that is pulled from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum System {
    AwsMarketplace,
    AlertLogic,
    Astra,
    Meraki,
    Openmeter,
}

/// Whom to ask, and about what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) system: System,
    /// Product codes, organization ids or account ids, whatever the system sorts by.
    pub(super) ids: &'a [String],
    /// Where the API is, if not where everybody's is.
    pub(super) endpoint: Option<&'a str>,
    /// The region that requests are signed for, where they are.
    pub(super) region: Option<&'a str>,
    /// Stands before the names of variables.
    pub(super) prefix: &'a str,
}

/// Asks an API, and knows where it is.
pub(super) struct Caller {
    pub(super) api: Box<dyn Api>,
    pub(super) endpoint: Endpoint,
}

impl Wanted<'_> {
    /// A caller with the secrets that the environment holds.
    pub(super) fn caller(&self) -> Result<Caller, Failure> {
        let ids = self.ids.to_vec();
        let endpoint = Endpoint::parse(self.endpoint.unwrap_or(self.system.endpoint()))?;
        let api: Box<dyn Api> = match self.system {
            System::AwsMarketplace => Box::new(AwsMarketplace {
                products: ids,
                region: self.region.unwrap_or(AwsMarketplace::REGION).to_owned(),
                access_key: self.variable("AWS_ACCESS_KEY_ID")?,
                secret_key: self.secret("AWS_SECRET_ACCESS_KEY")?,
                session: self.optional("AWS_SESSION_TOKEN")?,
            }),
            System::Meraki => {
                let key = self.secret("MERAKI_DASHBOARD_API_KEY")?;
                Box::new(Meraki { organizations: ids, key, endpoint: endpoint.clone() })
            }
            System::Astra => {
                Box::new(Astra { accounts: ids, token: self.secret("ASTRA_API_TOKEN")? })
            }
            System::AlertLogic => {
                let access_key = self.variable("ALERTLOGIC_ACCESS_KEY_ID")?;
                let secret_key = self.secret("ALERTLOGIC_SECRET_KEY")?;
                Box::new(AlertLogic::new(ids, access_key, secret_key))
            }
            System::Openmeter => Box::new(OpenMeter { token: self.optional("OPENMETER_TOKEN")? }),
        };
        Ok(Caller { api, endpoint })
    }

    fn secret(&self, name: &str) -> Result<Secret, Failure> {
        self.variable(name).map(|value| Secret::new(&value))
    }

    /// A secret that not everybody needs.
    fn optional(&self, name: &str) -> Result<Option<Secret>, Failure> {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let own = format!("{}{name}", self.prefix);
        if set(&own) || set(&format!("{own}_FILE")) {
            self.secret(name).map(Some)
        } else {
            Ok(None)
        }
    }

    fn variable(&self, name: &str) -> Result<String, Failure> {
        let name = format!("{}{name}", self.prefix);
        let mut value = std::env::var(&name).unwrap_or_default();
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
}

/// No secret is longer.
const SECRET_BYTES: u64 = 1 << 16;

impl System {
    const fn endpoint(self) -> &'static str {
        match self {
            Self::AwsMarketplace => AwsMarketplace::ENDPOINT,
            Self::AlertLogic => AlertLogic::ENDPOINT,
            Self::Astra => Astra::ENDPOINT,
            Self::Meraki => Meraki::ENDPOINT,
            Self::Openmeter => OpenMeter::ENDPOINT,
        }
    }
}
