//! Packs that a signed head names, whatever they are: loaded first, and as a refresh.

use edgegrant::gate::{Ask, Clock, Gate};
use edgegrant::snapshot::{Body, Digest, Roots};

use crate::input::Input;
use crate::signed::{head, load, options};
use crate::support::independent::{page_digest, sha, tree};
use crate::support::usage_as_of;
use crate::world::{PAGED, PLANNED, SMALL};
use crate::{ask, capped};

pub(super) fn seeds() -> Vec<Vec<u8>> {
    [&SMALL, &PLANNED, &PAGED].map(|world| world.encoded.pack()).to_vec()
}

pub(super) fn run(pack: &[u8]) {
    let roots = roots(pack);
    let length = pack.len();
    let mut first = Gate::new(options());
    let loaded = capped::reading(length, || load(&mut first, &roots, 2, pack.to_vec()));
    let mut second = Gate::new(options());
    load(&mut second, &SMALL.encoded.roots, 1, SMALL.encoded.pack()).unwrap();
    let refreshed = capped::reading(length, || load(&mut second, &roots, 2, pack.to_vec()));
    // A refresh verifies every page before it swaps; a first load does when one is touched.
    if refreshed.is_err() {
        let status = second.status(Clock::Untrusted).unwrap();
        assert!(status.version == 1 || roots == SMALL.encoded.roots);
    }
    assert!(loaded.is_ok() || refreshed.is_err() || roots == SMALL.encoded.roots);
    let Ok(body) = Body::open(pack.to_vec(), &roots, usage_as_of()) else { return };
    assert_eq!(body.verify_parts().is_ok(), refreshed.is_ok());
    if refreshed.is_err() {
        return;
    }
    for record in ask::body(&body) {
        for entitlement in record.entitlements {
            let clock = Clock::At(head(&roots, 2).issued_at);
            let (subject, feature) = (record.id.as_str(), entitlement.feature.as_str());
            let ask = Ask { subject, feature, clock, at: None, amount: None, used: None };
            assert_eq!(first.check(&ask), second.check(&ask));
            assert_eq!(first.has_access(&ask), second.has_access(&ask));
        }
    }
}

/// What a head would say of a pack, as far as the pack can be taken apart.
fn roots(pack: &[u8]) -> Roots {
    let u32_at = |bytes: &[u8], at: usize| {
        u32::from_le_bytes(Input(bytes.get(at..).unwrap_or_default()).array()) as usize
    };
    let mut input = Input(pack.get(8..).unwrap_or_default());
    let catalogue = input.take(u32_at(pack, 4));
    let bits = catalogue.get(36).copied().unwrap_or_default();
    let root = if bits == 0 || bits > 24 {
        let page = input.0.get(4..).unwrap_or_default();
        if page.len() < 32 { [0; 32] } else { page_digest(page) }
    } else {
        let entries = 1 << (bits - 8 * (bits.div_ceil(8) - 1));
        tree(input.take(32 * entries).as_chunks().0)
    };
    Roots {
        root: Digest(root),
        catalogue: Digest(sha(&[catalogue])),
        pack_length: pack.len() as u64,
    }
}
