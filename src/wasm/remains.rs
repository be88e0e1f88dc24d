//! Where the bytes of a gate lie, for JavaScript to find when the instance is dead.
//!
//! A dead instance answers no calls, but its memory can be read. So the addresses are written down
//! whenever they change, in a place that does not.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::answer::source;
use super::{Gate, thrown};
use crate::gate::{self, Origin};

/// The addresses of what is needed to bring a gate back. `pkg/src/remains.ts` reads them.
#[derive(Default)]
pub(super) struct Remains {
    /// Where `places` is, how many numbers it has, where the snapshot came from, and whether all of
    /// it is there.
    root: Box<[u32; 4]>,
    /// Address and length of the floor, the frame, the head, and either of the pieces of the pack
    /// or of the catalogue.
    places: Vec<u32>,
    /// The pieces that nobody else holds.
    own: Vec<Vec<u8>>,
}

impl Remains {
    pub(super) fn note(&mut self, gate: &gate::Gate) {
        let (mut places, mut own) = (Vec::new(), Vec::new());
        put(&mut places, gate.floor().unwrap_or_default());
        let mut root = [0, 0, 0, 0];
        if let Some(remains) = gate.remains() {
            let frame = remains.frame();
            put(&mut places, &frame);
            put(&mut places, remains.head);
            own.push(frame);
            root[2] = source(remains.origin) as u32;
            match remains.pack {
                Some(pack) => {
                    pack.iter().for_each(|piece| put(&mut places, piece));
                    own.extend(pack.into_own());
                    root[3] = 1;
                }
                None => put(&mut places, remains.catalogue),
            }
        }
        (root[0], root[1]) = (places.as_ptr() as u32, places.len() as u32);
        *self.root = root;
        self.places = places;
        self.own = own;
    }
}

fn put(places: &mut Vec<u32>, bytes: &[u8]) {
    places.extend([bytes.as_ptr() as u32, bytes.len() as u32]);
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
