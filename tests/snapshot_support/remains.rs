//! Whether what remains of a gate is what it holds.

use edgegrant::gate::{Gate, Span};

use super::tenant::Made;

/// What is there as a whole is the pack, and is said to lie where it does.
pub fn check(gate: &Gate, body: &Made, paged: bool) -> Result<(), String> {
    let remains = gate.remains().ok_or("no snapshot")?;
    let Some(spans) = remains.spans() else {
        return if paged { Ok(()) } else { Err("not all of it remains".into()) };
    };
    let told: Vec<Span> = spans.nodes.into_iter().chain(spans.pages.concat()).collect();
    let pack = remains.pack().ok_or("no pack remains")?;
    let pieces: Vec<&[u8]> = pack.iter().collect();
    if pieces.concat() != body.pack {
        return Err("another pack remains".into());
    }
    // Header, catalogue, nodes, table, pages.
    let nodes = nodes_of(body.page_bits);
    let parts: Vec<_> = pieces[2..2 + nodes].iter().chain(&pieces[3 + nodes..]).collect();
    // What is not settled lies in two places.
    let lies = |(span, part): (&Span, &&&[u8])| span.length == 0 || *span == Span::of(part);
    let all_lie = told.len() == parts.len() && told.iter().zip(&parts).all(lies);
    if all_lie { Ok(()) } else { Err("it lies elsewhere".into()) }
}

pub fn nodes_of(page_bits: u8) -> usize {
    match page_bits {
        0 => 0,
        1..=8 => 1,
        _ => 1 + (1 << (page_bits - 8)),
    }
}
