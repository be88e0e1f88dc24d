//! Where the bytes of a gate lie, for JavaScript to find when the instance is dead.
//!
//! A dead instance answers no calls, but its memory can be read. So the addresses are written down
//! whenever they change, in a place that does not.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::Gate;
use crate::gate::{self, Origin, Span, Spans};
use crate::wasm::answer::source;
use crate::wasm::thrown;

/// The addresses of what is needed to bring a gate back. `pkg/src/remains.ts` reads them.
#[derive(Default)]
pub(super) struct Remains {
    /// Where `places` is, how many it has, where the snapshot came from, and of a body that is
    /// there as a whole the number of tables of pages.
    root: Box<[u32; 4]>,
    /// Floor, frame, head and catalogue; then each node, and each table that says the same of
    /// pages.
    places: Vec<Span>,
    /// The frame, which nobody else holds.
    frame: Vec<u8>,
}

impl Remains {
    pub(super) fn note(&mut self, gate: &gate::Gate) {
        let mut places = vec![Span::of(gate.floor().unwrap_or_default())];
        let mut frame = Vec::new();
        let (mut origin, mut tables) = (0, 0);
        if let Some(remains) = gate.remains() {
            frame = remains.frame();
            origin = source(remains.origin) as u32;
            places.extend([&*frame, remains.head, remains.catalogue].map(Span::of));
            if let Some(Spans { nodes, pages }) = remains.spans() {
                places.extend(nodes);
                places.extend(pages.iter().map(|pages| Span::of_table(pages)));
                tables = pages.len() as u32;
            }
        }
        *self.root = [places.as_ptr() as u32, places.len() as u32, origin, tables];
        self.places = places;
        self.frame = frame;
    }
}

/// The page that a patch makes of a base; nothing where it makes none.
#[wasm_bindgen]
#[must_use]
pub fn patched(base: &[u8], patch: &[u8]) -> Option<Vec<u8>> {
    gate::patched(base, patch)
}

#[wasm_bindgen]
impl Gate {
    /// Where to look for what remains, for as long as the gate lives.
    #[wasm_bindgen(getter)]
    pub fn remains(&self) -> *const u32 {
        self.remains.root.as_ptr()
    }

    /// Takes a head that the gate had before; its body is wanted unless it is the present one.
    ///
    /// # Errors
    /// Those of [`gate::Gate::resume`].
    pub fn resume(&mut self, head: &[u8], origin: u32) -> Result<(), JsValue> {
        let origin = match origin {
            0 => Origin::Network,
            1 => Origin::Store,
            _ => Origin::Bytes,
        };
        self.changing().resume(head, origin).map(drop).map_err(|error| thrown(&error))
    }

    /// Lets answers be given as if the snapshot had expired, until this is taken back.
    pub fn distrust(&mut self, distrusted: bool) {
        self.changing().distrust(distrusted);
    }
}
