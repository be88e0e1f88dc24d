//! Packs that a signed head names, whatever they are: loaded first, and as a refresh.

use edgegrant::gate::{Ask, Clock, Gate, Offer, Origin};
use edgegrant::snapshot::{Body, Digest, Roots};

use crate::input::Input;
use crate::signed::{head, load, options, signed_head};
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
    let loaded = capped::reading(length, || load(&mut first, &roots, 2, pack));
    let mut second = Gate::new(options());
    load(&mut second, &SMALL.encoded.roots, 1, &SMALL.encoded.pack()).unwrap();
    let refreshed = capped::reading(length, || load(&mut second, &roots, 2, pack));
    // A refresh verifies every page before it swaps; a first load does when one is touched.
    if refreshed.is_err() {
        let status = second.status(Clock::Untrusted).unwrap();
        assert!(status.version == 1 || roots == SMALL.encoded.roots);
    }
    assert!(loaded.is_ok() || refreshed.is_err() || roots == SMALL.encoded.roots);
    assert_eq!(in_chunks(&roots, pack), refreshed.is_ok());
    let Ok(body) = Body::open(pack, &roots, usage_as_of()) else { return };
    assert_eq!(ask::every_page(&body).is_ok(), refreshed.is_ok());
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

/// The same refresh from a pack that arrives bit by bit.
fn in_chunks(roots: &Roots, pack: &[u8]) -> bool {
    let mut gate = Gate::new(options());
    load(&mut gate, &SMALL.encoded.roots, 1, &SMALL.encoded.pack()).unwrap();
    let offer = gate.offer(&signed_head(roots, 2), Clock::Untrusted, Origin::Network).unwrap();
    if offer == Offer::Unchanged {
        return true;
    }
    let step = 1 + pack.len() % 997;
    let mut feed = || -> Result<bool, edgegrant::Error> {
        let mut stream = gate.stream(false)?;
        for chunk in pack.chunks(step) {
            gate.feed(&mut stream, chunk)?;
        }
        stream.finish()?;
        gate.swap()
    };
    feed().is_ok_and(|swapped| swapped)
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
