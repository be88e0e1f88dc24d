//! How bytes that JavaScript fetched come into a gate.

use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::Gate;
use crate::gate::{self, Clock, Digest, Origin, PART_BYTES_MAX, unbundle_head};
use crate::wasm::told::{handed, told};

/// A file with many parts that is being downloaded.
#[wasm_bindgen]
pub struct Stream(gate::Stream);

#[wasm_bindgen]
impl Stream {
    /// Says that no more chunks come.
    ///
    /// # Errors
    /// Those of [`gate::Stream::finish`].
    pub fn finish(&self) -> Result<(), JsValue> {
        handed(self.0.finish())
    }
}

#[wasm_bindgen]
impl Gate {
    /// Lets the gate hold only what it is asked for, in at most so many bytes.
    #[wasm_bindgen(js_name = holdPages)]
    pub fn hold_pages(&mut self, resident_bytes_max: f64) {
        self.changing().hold_pages(resident_bytes_max as usize);
    }

    /// Takes a head, from the network or from whoever made the gate. Gives its version when its
    /// body is wanted, and nothing when the body is the present one.
    ///
    /// # Errors
    /// Those of [`gate::Gate::offer`](gate::Gate::offer).
    pub fn offer(&mut self, head: &[u8], now: f64, given: bool) -> Result<Option<f64>, JsValue> {
        let origin = if given { Origin::Bytes } else { Origin::Network };
        handed(self.changing().offer(head, Clock::from_millis(now), origin))?;
        self.remains.note(&self.gate);
        Ok(self.offered())
    }

    /// The version of the head that waits for its body, if one does.
    #[wasm_bindgen(getter)]
    pub fn offered(&self) -> Option<f64> {
        self.gate.offered().map(|version| version as f64)
    }

    /// What to fetch next: `{ folder, names, lengthMax }`, or nothing.
    pub fn wanted(&self, delta_untried: bool) -> JsValue {
        wanted(self.gate.wanted(delta_untried))
    }

    /// Takes a part by its name.
    ///
    /// # Errors
    /// Those of [`gate::Gate::supply`](gate::Gate::supply).
    pub fn supply(&mut self, name: &str, bytes: &[u8]) -> Result<(), JsValue> {
        handed(Digest::parse(name).map_or(Ok(()), |name| self.changing().supply(name, bytes)))
    }

    /// Begins to read the delta or the pack of the offered body.
    ///
    /// # Errors
    /// Those of [`gate::Gate::stream`](gate::Gate::stream).
    pub fn stream(&self, delta: bool) -> Result<Stream, JsValue> {
        handed(self.gate.stream(delta).map(Stream))
    }

    /// Takes the next chunk of a file, and says whether the rest is of use.
    ///
    /// # Errors
    /// Those of [`gate::Gate::feed`](gate::Gate::feed).
    pub fn feed(&mut self, stream: &mut Stream, chunk: &[u8]) -> Result<bool, JsValue> {
        handed(self.gate.feed(&mut stream.0, chunk))
    }

    /// Lets the offered snapshot take the place of the present one; `false` when more is wanted.
    ///
    /// # Errors
    /// Those of [`gate::Gate::swap`](gate::Gate::swap).
    pub fn swap(&mut self) -> Result<bool, JsValue> {
        let swapped = handed(self.changing().swap());
        self.remains.note(&self.gate);
        swapped
    }

    /// Gives back memory that the old snapshot took; whether there is more of it.
    pub fn settle(&mut self) -> bool {
        self.changing().settle()
    }

    /// The name of the part that has to be fetched next to answer for a subject.
    ///
    /// # Errors
    /// Those of [`gate::Gate::needs`](gate::Gate::needs).
    pub fn needs(&self, subject: &str) -> Result<Option<String>, JsValue> {
        handed(self.gate.needs(subject)).map(|name| name.map(|name| name.to_string()))
    }

    /// Takes the part that a subject needs next.
    ///
    /// # Errors
    /// Those of [`gate::Gate::keep`](gate::Gate::keep).
    pub fn keep(&mut self, subject: &str, name: &str, bytes: &[u8]) -> Result<(), JsValue> {
        let kept =
            Digest::parse(name).map_or(Ok(()), |name| self.changing().keep(subject, name, bytes));
        // Letting go of pages may have taken a table along.
        self.remains.note(&self.gate);
        handed(kept)
    }

    /// Whether a part turned out to be bad, so that it has to be fetched again.
    #[wasm_bindgen(getter, js_name = isDamaged)]
    pub fn is_damaged(&self) -> bool {
        self.gate.is_damaged()
    }
}

/// The head of a snapshot in one file, of which a front is enough that is as long as a slice may
/// be. The pack begins 8 bytes further on than the head is long.
///
/// # Errors
/// Those of [`unbundle_head`].
#[wasm_bindgen(js_name = bundleHead)]
pub fn bundle_head(front: &[u8]) -> Result<Vec<u8>, JsValue> {
    handed(unbundle_head(front).map(<[u8]>::to_vec))
}

fn wanted(wanted: gate::Wanted) -> JsValue {
    let (folder, names, length_max) = match wanted {
        gate::Wanted::Nothing => return JsValue::UNDEFINED,
        gate::Wanted::Parts(names) => {
            ("part", names.iter().map(ToString::to_string).collect(), PART_BYTES_MAX)
        }
        gate::Wanted::Delta { name, length_max } => ("delta", vec![name], length_max),
        gate::Wanted::Pack { name, length } => ("pack", vec![name], length),
    };
    told(&Wanted { folder, names, length_max: length_max as f64 })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    folder: &'static str,
    names: Vec<String>,
    length_max: f64,
}
