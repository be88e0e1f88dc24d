//! Where the bytes of a gate lie, for JavaScript to find when the instance is dead.
//!
//! A dead instance answers no calls, but its memory can be read. So the addresses are written down
//! whenever they change, in a place that does not.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::answer::source;
use super::{Gate, thrown};
use crate::gate::{self, Origin, Span};

/// The addresses of what is needed to bring a gate back. `pkg/src/remains.ts` reads them.
#[derive(Default)]
pub(super) struct Remains {
    /// Where `places` is, how many numbers it has, where the snapshot came from, and of a body that
    /// is there as a whole the number of tables of pages.
    root: Box<[u32; 4]>,
    /// Address and length of the floor, the frame, the head and the catalogue; then of each node,
    /// and of each table that says the same of pages.
    places: Vec<u32>,
    /// The frame, which nobody else holds.
    frame: Vec<u8>,
}

impl Remains {
    pub(super) fn note(&mut self, gate: &gate::Gate) {
        let (mut places, mut frame) = (Vec::new(), Vec::new());
        let mut root = [0, 0, 0, 0];
        put(&mut places, Span::of(gate.floor().unwrap_or_default()));
        if let Some(remains) = gate.remains() {
            frame = remains.frame();
            for bytes in [&frame, remains.head, remains.catalogue] {
                put(&mut places, Span::of(bytes));
            }
            root[2] = source(remains.origin) as u32;
            if let Some(spans) = remains.spans() {
                spans.nodes.into_iter().for_each(|node| put(&mut places, node));
                for pages in &spans.pages {
                    put(
                        &mut places,
                        Span { address: pages.as_ptr() as usize, length: pages.len() },
                    );
                }
                root[3] = spans.pages.len() as u32;
            }
        }
        (root[0], root[1]) = (places.as_ptr() as u32, places.len() as u32);
        *self.root = root;
        self.places = places;
        self.frame = frame;
    }
}

fn put(places: &mut Vec<u32>, span: Span) {
    places.extend([span.address as u32, span.length as u32]);
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
        self.gate.resume(head, origin).map(drop).map_err(|error| thrown(&error))
    }

    /// Lets answers be given as if the snapshot had expired, until this is taken back.
    pub fn distrust(&mut self, distrusted: bool) {
        self.gate.distrust(distrusted);
    }
}
