//! A gate that holds only the pages it is asked for, and the parts that it may fetch.

use std::collections::HashMap;

use edgegrant::gate::{Clock, Gate, Offer, Origin, Wanted};
use edgegrant::snapshot::{Digest, Encoded};
use edgegrant::trust::{Head, sign};

use super::signed::{head, key, options};

pub struct Paged<'a> {
    pub gate: Gate,
    parts: HashMap<Digest, &'a [u8]>,
}

impl<'a> Paged<'a> {
    /// A gate that has head and catalogue, and no page.
    pub fn new(encoded: &'a Encoded, resident_bytes_max: usize) -> Self {
        let parts = encoded.parts().map(|part| (part.digest, part.bytes.as_slice())).collect();
        let mut gate = Gate::new(options(&[key(1)], 1));
        gate.hold_pages(resident_bytes_max);
        let mut paged = Self { gate, parts };
        assert!(matches!(paged.offer(&head(encoded, 1)), Offer::Body { .. }));
        while let Wanted::Parts(names) = paged.gate.wanted(false) {
            names.iter().for_each(|name| paged.gate.supply(*name, paged.parts[name]).unwrap());
        }
        assert!(paged.gate.swap().unwrap());
        paged
    }

    /// Offers a head that is signed for this.
    pub fn offer(&mut self, head: &Head) -> Offer {
        let head = sign(head, &[key(1)]).unwrap();
        self.gate.offer(&head, Clock::Untrusted, Origin::Network).unwrap()
    }

    /// Fetches what it takes to answer for a subject, and says how many parts that were.
    pub fn reside(&mut self, id: &str) -> usize {
        let mut fetched = 0;
        while let Some(name) = self.gate.needs(id).unwrap() {
            self.gate.keep(id, name, self.parts[&name]).unwrap();
            fetched += 1;
        }
        fetched
    }
}
