//! Bodies of one page whose parts are written by hand and then named by digests that are right, as
//! if a publisher had signed nonsense.

use edgegrant::Error;
use edgegrant::snapshot::Body;

use super::assemble::{Parts, catalogue, place, text};
use super::independent::pack;
use super::{SEED, usage_as_of};

/// The one feature of these bodies.
pub const FEATURE: &[u8] = b"feature";

/// The shape of a boolean entitlement without a config.
pub const BOOLEAN: &[u8] = &[0, 0];
/// The plan of the one feature in the first shape.
pub const PLAN: &[u8] = &[0, 0, 0, 0];

/// A catalogue that declares the one feature.
pub fn declared() -> Vec<u8> {
    let item = [&[0], text(FEATURE).as_slice()].concat();
    catalogue(&SEED, 0, &[(place(&SEED, FEATURE), item.len() as u32)], &item)
}

/// The record of a subject with the first plan of one entitlement as its shape says.
pub fn subject(id: &[u8]) -> Vec<u8> {
    [text(id).as_slice(), &[1, 0]].concat()
}

/// The record of an alias.
pub fn alias(id: &[u8], target: &[u8]) -> Vec<u8> {
    [text(id).as_slice(), &[0], target].concat()
}

/// A page of subjects that have one shape.
pub fn with_shape<'a>(shape: &'a [u8], records: &[&'a [u8]]) -> Parts<'a> {
    Parts {
        features: vec![place(&SEED, FEATURE)],
        configs: Vec::new(),
        shapes: vec![shape],
        plans: vec![PLAN],
        records: records.to_vec(),
    }
}

/// A metered entitlement: usage unknown, opened in 1970, never reset, with these grants.
pub fn metered(grants: &[&[u8]]) -> Vec<u8> {
    let front = [0, 2, 34, 0, 0, 0, 0, 0, 1, 0, 0, grants.len() as u8];
    [front.as_slice(), &grants.concat()].concat()
}

/// A grant that is effective from 1970: flags, number, priority, amount, effectiveAt, balance.
pub fn grant(units: u8) -> Vec<u8> {
    vec![0, 1, 0, 8 * units, 0, 0]
}

/// Opens a body of one page and has every page looked at.
pub fn open_page(catalogue: &[u8], page: Vec<u8>) -> Result<Body, Error> {
    let (pack, roots) = pack(catalogue, &[page]);
    let body = Body::open(pack, &roots, usage_as_of())?;
    body.subjects().try_for_each(|subject| subject.map(drop))?;
    Ok(body)
}

pub fn open(parts: Parts<'_>) -> Result<Body, Error> {
    open_page(&declared(), parts.page(&SEED, 0, 0))
}

/// The code with which such a body is refused.
pub fn refused(parts: Parts<'_>) -> &'static str {
    open(parts).err().unwrap().code()
}
