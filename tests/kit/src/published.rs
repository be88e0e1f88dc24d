//! Facts as a signed snapshot, for tests of whoever reads one.

use edgegrant::Instant;
use edgegrant::engine::compile;
use edgegrant::model::{Feature, Subject, WhenExpired};
use edgegrant::snapshot::{
    self, EntitlementRecord, FeatureRecord, Settings, SubjectRecord, encode,
};
use edgegrant::trust::{Head, SecretKey, sign};

use crate::KitError;

/// Whom the test snapshots are for.
pub const AUDIENCE: &str = "edgegrant/test";

/// The key that signs test snapshots. It is published with the project, so nobody may trust it.
#[must_use]
pub fn key() -> SecretKey {
    SecretKey::from_seed(1, [42; 32])
}

/// A snapshot as it is fetched: the head and the pack that it names.
#[derive(Clone, Debug)]
pub struct Published {
    /// The signed head.
    pub head: Vec<u8>,
    /// The body in one file.
    pub pack: Vec<u8>,
    /// The body in parts, as an origin also stores it.
    pub parts: snapshot::Encoded,
}

/// When a snapshot is published and how long it holds.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// When it is compiled and signed.
    pub publish_at: Instant,
    /// Its version; the time of publishing in milliseconds when absent.
    pub version: Option<u64>,
    /// How long it is fresh, in milliseconds.
    pub fresh_millis: i64,
    /// After how long it has expired, in milliseconds.
    pub expires_millis: i64,
    /// After how long it is dead, in milliseconds.
    pub dead_millis: i64,
}

impl Times {
    /// Published at an instant, with the usual times.
    #[must_use]
    pub const fn at(publish_at: Instant) -> Self {
        let day = 24 * 3_600_000;
        Self {
            publish_at,
            version: None,
            fresh_millis: 120_000,
            expires_millis: day,
            dead_millis: 7 * day,
        }
    }
}

/// Compiles, encodes and signs.
///
/// # Errors
/// When the facts are refused.
pub fn publish(
    features: &[Feature],
    subjects: &[Subject],
    times: Times,
) -> Result<Published, KitError> {
    let features: Vec<FeatureRecord> = features.iter().map(feature_record).collect();
    let subjects = subjects.iter().map(|subject| subject_record(subject, times.publish_at));
    publish_records(&features, subjects.collect::<Result<Vec<_>, _>>()?, times)
}

/// Encodes and signs what has been compiled.
///
/// # Errors
/// When the encoder refuses a record.
pub fn publish_records(
    features: &[FeatureRecord],
    subjects: Vec<SubjectRecord>,
    times: Times,
) -> Result<Published, KitError> {
    let settings =
        Settings { seed: [7; 32], usage_as_of: times.publish_at, previous_page_bits: None };
    let parts = encode(&settings, features, subjects).map_err(refused)?;
    let head = sign(&head(times, &parts), &[key()]).map_err(refused)?;
    Ok(Published { head, pack: parts.pack(), parts })
}

fn head(times: Times, parts: &snapshot::Encoded) -> Head {
    let at = times.publish_at;
    Head {
        audience: AUDIENCE.to_owned(),
        version: times.version.unwrap_or_else(|| at.millis().unsigned_abs()),
        issued_at: at,
        stale_after: at.plus_millis(times.fresh_millis),
        expires_at: at.plus_millis(times.expires_millis),
        dead_at: at.plus_millis(times.dead_millis),
        usage_as_of: at,
        root: parts.roots.root.0,
        catalogue: parts.roots.catalogue.0,
        pack_length: parts.roots.pack_length,
        shrunk_at_version: 0,
    }
}

fn feature_record(feature: &Feature) -> FeatureRecord {
    FeatureRecord {
        key: feature.feature.clone(),
        unit: feature.unit.clone(),
        when_expired: match feature.when_expired.unwrap_or_default() {
            WhenExpired::LastKnown => snapshot::WhenExpired::LastKnown,
            WhenExpired::Closed => snapshot::WhenExpired::Closed,
            WhenExpired::Open => snapshot::WhenExpired::Open,
        },
    }
}

fn subject_record(subject: &Subject, publish_at: Instant) -> Result<SubjectRecord, KitError> {
    let entitlement = |facts: &edgegrant::model::Entitlement| {
        let compiled = compile(facts, subject.status, publish_at)
            .map_err(|problem| KitError(format!("{}: {}", problem.path, problem.error.code())))?;
        Ok(EntitlementRecord {
            feature: facts.feature.clone(),
            program: compiled.program,
            config: facts.config.as_ref().map(|config| config.as_str().to_owned()),
            grant_ids: compiled.grant_ids,
            steady: compiled.steady,
        })
    };
    Ok(SubjectRecord {
        id: subject.subject.clone(),
        aliases: subject.aliases.clone(),
        entitlements: subject
            .entitlements
            .iter()
            .map(entitlement)
            .collect::<Result<_, KitError>>()?,
    })
}

fn refused(error: edgegrant::Error) -> KitError {
    KitError(error.code().to_owned())
}
